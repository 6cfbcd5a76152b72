"""A saved page of Moodle's BIM module: Your students, or View student details, or Mark posts.

    <tr><td>w1012493</td><td>Lee, Sam</td><td><a href="mailto:w1012493@...">Send email</a></td><td>4</td>...
        <td><a href="https://sam.example.org/">View current</a> | <a href=".../mod/bim/view.php?id=9
            &screen=changeBlogRegistration&student=18">Change it</a></td></tr>

Each table lays its columns out differently, so a row is read by its links: the mail address, Moodle's id of the
student in a link of BIM's own, and the one link that leads elsewhere. Source: a BIM activity, Your students.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from selectolax.lexbor import LexborNode

from loaders.blog_address import normal_address
from loaders.names import clean
from loaders.reading import Reading
from loaders.saved_page import SavedPage, attribute, link, own_text, whole_number
from loaders.times import Clock

KIND = "blogs"
OWN = "/mod/bim/view.php"
NOBODY = "this page of BIM lists no student with a blog: save the page “Your students” instead"


def read(page: SavedPage, clock: Clock) -> Reading:
    """One `feed` claim per student who registered a blog."""
    rows = [node for node in page.tree.css("table tr") if node.css_first("table") is None]
    claims = list(_claims(page, rows))
    notes = [] if claims else [NOBODY]
    return Reading(KIND, claims, course=page.course, site=page.site, timezone=page.timezone, notes=notes)


def _claims(page: SavedPage, rows: list[LexborNode]) -> Iterator[dict]:
    for line, row in enumerate(rows, 1):
        links = [attribute(node, "href") for node in row.css("a[href]")]
        student = _student(row, links)
        url = next((found for href in links if (found := _elsewhere(page, href))), None)
        if student and url:
            yield {"noun": "feed", "line": line, "student": student, "url": url}


def _student(row: LexborNode, links: list[str]) -> dict:
    cells = [own_text(cell) for cell in row.css("td, th")]
    mails = [href.partition(":")[2] for href in links if href.lower().startswith("mailto:")]
    own = [parameters for path, parameters in map(link, links) if path.endswith(OWN)]
    ids = (whole_number(one.get("student") or one.get("uid")) for one in own)
    student = {"moodle_id": next(filter(None, ids), None), "email": clean(mails[0]) if mails else None}
    if not any(student.values()):
        return {}
    if len(cells) > 1 and ", " in cells[1] and " " not in cells[0]:  # username; last name, first name
        last, _, first = cells[1].partition(", ")
        student |= {"username": cells[0], "firstname": first, "lastname": last}
    return {key: value for key, value in student.items() if value}


def _elsewhere(page: SavedPage, href: str) -> str | None:
    """The address, if it leads out of this Moodle."""
    url = normal_address(href)
    inside = url and (urlsplit(url).path.endswith(OWN) or (page.site and url.startswith(f"{page.site}/")))
    return None if inside else url
