"""Reading any file that may be a Moodle download: decided by its first bytes, never by its name."""

from __future__ import annotations

import codecs
import re
import zipfile

from loaders import (
    calendar_file,
    delimited,
    html_files,
    json_files,
    opendocument,
    opml,
    pulled_answers,
    spreadsheets,
)
from loaders.backup_archive import Backup
from loaders.calendar_file import CalendarFile
from loaders.downloads import ZIP, Download
from loaders.errors import Unreadable
from loaders.sheets import Answer, Page, Sheet
from loaders.streams import DAMAGE, head, seekable

__all__ = ["Answer", "Backup", "CalendarFile", "Content", "Page", "Sheet", "read"]

Content = Sheet | Page | Answer | Backup | CalendarFile

HALF_A_ZIP = "this spreadsheet or zip is only half there, or damaged: download it again, or take it as .csv"
SAVE_AS_CSV = "save it as .csv, or download it from Moodle as .csv"
TAR = "this is a .tar archive: unpack it and give the files in it"
XML_GRADES = "this is Moodle's XML grade export: take the one as plain text file or Excel instead"
NOT_A_DOWNLOAD = "so it is no Moodle download: download the table from Moodle as .csv"

# What other files begin with, and the sentence for each.
OTHERS = (
    (b"\xd0\xcf\x11\xe0", f"this is an old or locked Excel file (.xls): {SAVE_AS_CSV}"),
    (b"SQLite format 3\0", f"this is an SQLite database, {NOT_A_DOWNLOAD}"),
    (b"%PDF", f"this is a PDF: {SAVE_AS_CSV.partition(', or ')[2]}"),
    (b"bplist00", "this is a Safari web archive: save the page as 'Page Source' instead"),
    (b"\x89PNG", f"this is a picture, {NOT_A_DOWNLOAD}"),
    (b"\xff\xd8\xff", f"this is a picture, {NOT_A_DOWNLOAD}"),
    (b"GIF8", f"this is a picture, {NOT_A_DOWNLOAD}"),
    (b"RIFF", f"this is a picture or a recording, {NOT_A_DOWNLOAD}"),
    (b"MZ", f"this is a program, {NOT_A_DOWNLOAD}"),
    (b"\x7fELF", f"this is a program, {NOT_A_DOWNLOAD}"),
    (b"Rar!", "this is a .rar archive: unpack it and give the files in it"),
    (b"7z\xbc\xaf", "this is a .7z archive: unpack it and give the files in it"),
    (b"BZh", "this is a .bz2 archive: unpack it and give the file in it"),
    (b"\xfd7zXZ", "this is an .xz archive: unpack it and give the file in it"),
)
_MHTML = re.compile(rb"\s*(?:From: [<\"]Saved by|MIME-Version:|Snapshot-Content-Location:)", re.I)
_MARKUP = re.compile(rb"<(?:(?:!doctype|html|head|body|table|tr|div|p|b|br|form|script|meta|title)\b|!--|\?xml)", re.I)
_OPML = re.compile(rb"(?:<\?xml[^>]*\?>\s*)?(?:<!--.*?-->\s*)*<opml\b", re.I | re.S)
_JSON = re.compile(rb"[\[{]\s*[\[{\]}\"]|\[\s*(?:-?\d+|true|false|null)\s*[,\]]")
SAVED_BLOGS = re.compile(rb'\{"saved_blogs":')  # see loaders/feed_archive.py
_XML_ROOT = re.compile(rb"<([A-Za-z_][\w.:-]*)")


def read(download: Download) -> Content:
    """What is in a file: a Sheet of rows, a saved Page, a saved web-service Answer, a course Backup, or a calendar.

    Raises Unreadable with one sentence, remedy included, whatever the bytes are.
    """
    start = head(download)
    if start[257:262] == b"ustar" and is_backup(start):
        return Backup(download, zipped=False)
    _refuse_others(start)
    if start.startswith(ZIP):
        return _zipped(download)
    text = start.removeprefix(codecs.BOM_UTF8).lstrip()
    if not text:
        raise Unreadable("this file is empty: download it again")
    if _OPML.match(text):
        return opml.read(download)
    if _MARKUP.match(text):
        _refuse_xml(text)
        return html_files.read(download, start)
    if pulled_answers.MARK.match(text):
        return pulled_answers.read(download)
    if SAVED_BLOGS.match(text):
        raise Unreadable("this holds students' blogs as they were fetched: read it with `coursette blogs fetch --from`")
    if _JSON.match(text):
        return json_files.read(download, start)
    if calendar_file.MARK.match(text):
        return calendar_file.read(download)
    return delimited.read(download, start)


def _refuse_others(start: bytes) -> None:
    for mark, sentence in OTHERS:
        if start.startswith(mark):
            raise Unreadable(sentence)
    if start[257:262] == b"ustar":
        raise Unreadable(TAR)
    if _MHTML.match(start):
        raise Unreadable("this page is saved as one file (.mht): save it as 'Webpage, HTML only' instead")


def is_backup(start: bytes) -> bool:
    """Whether a tar is a course backup: Moodle puts an index of the files in it first."""
    return b".ARCHIVE_INDEX" in start[:100] or b"moodle_backup.xml" in start


def _zipped(download: Download) -> Sheet | Backup:
    """A workbook, or another document that is a zip file inside."""
    try:
        with seekable(download) as stream, zipfile.ZipFile(stream) as archive:
            names = set(archive.namelist())
            kind = archive.read("mimetype")[:100] if "mimetype" in names else b""
    except (*DAMAGE, OSError, ValueError, KeyError, NotImplementedError, RuntimeError) as error:
        raise Unreadable(HALF_A_ZIP) from error
    if "moodle_backup.xml" in names:
        return Backup(download, zipped=True)
    if "xl/workbook.xml" in names:
        return spreadsheets.read(download)
    if b"opendocument.spreadsheet" in kind or (not kind and "content.xml" in names):
        return opendocument.read(download)
    raise Unreadable(_other_zip(names, kind))


def _other_zip(names: set[str], kind: bytes) -> str:
    if "xl/workbook.bin" in names:
        return f"this is a binary Excel workbook (.xlsb): {SAVE_AS_CSV}"
    if "Index/Document.iwa" in names:
        return f"this is an Apple Numbers or Pages file: {SAVE_AS_CSV}"
    if "[Content_Types].xml" in names or kind:
        return f"this is a document without a table of data, {NOT_A_DOWNLOAD}"
    return "this is an archive inside an archive: unpack it and give the files in it"


def _refuse_xml(text: bytes) -> None:
    """XML that is no HTML: each sort has its own remedy."""
    if not text.startswith(b"<?xml"):
        return
    found = _XML_ROOT.search(text)
    root = found[1].decode().rpartition(":")[2].lower() if found else ""
    if root == "html":
        return
    if root in ("response", "exception"):
        raise Unreadable("this web-service answer is XML: ask for it with moodlewsrestformat=json")
    if root == "results":
        raise Unreadable(XML_GRADES)
    raise Unreadable(f"this is an XML file, {NOT_A_DOWNLOAD}")
