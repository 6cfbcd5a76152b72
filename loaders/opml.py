"""OPML: the list of feeds that feed readers, and the BIM module of Moodle, export.

    <opml version="2.0"><body>
      <outline text="EDC3100">
        <outline type="rss" text="Sam Lee" xmlUrl="https://sam.example.org/feed/" htmlUrl="https://sam.example.org/"/>

BIM writes blanks before `<?xml`, says ISO-8859-1 and means UTF-8, and has in each title
`Blog for Sam Lee (w1012493)`. Source: Moodle, a BIM activity, Your students, Download OPML file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml import etree

from loaders.downloads import Download
from loaders.errors import Unreadable
from loaders.sheets import Row, Sheet, spooled

FORMAT = "opml"
HEADER = ["htmlUrl", "xmlUrl", "text", "title", "folder"]
LARGEST = 20_000_000
BROKEN = "this OPML is damaged or was cut short: export it again"
_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")


def read(download: Download) -> Sheet:
    """One row per feed of the list, whatever folders it lies in. Raises Unreadable."""
    with download.open() as stream:
        content = stream.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise Unreadable("this OPML has more than 20 MB: export fewer feeds at a time")
    return spooled(Sheet(download.source, FORMAT, []), _rows(_tree(content)))


def _tree(content: bytes) -> etree._Element:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise Unreadable("this OPML defines entities of its own, which no feed reader does: export it again")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        return etree.fromstring(_DECLARATION.sub("", text).strip(), parser)
    except (etree.LxmlError, ValueError) as error:
        raise Unreadable(BROKEN) from error


def _rows(tree: etree._Element) -> Iterator[Row]:
    yield 0, HEADER
    for outline in tree.iter("outline"):
        said = {name.lower(): value for name, value in outline.attrib.items()}
        if said.get("xmlurl") or said.get("htmlurl"):
            above = outline.getparent().attrib
            folder = above.get("text") or above.get("title") or ""
            cells = [said.get(name.lower(), "") for name in HEADER[:-1]]
            yield outline.sourceline, [*cells, folder]
