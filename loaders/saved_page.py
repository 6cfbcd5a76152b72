"""A Moodle page as the browser saved it, and what any such page says of itself.

Works on the page as sent and on the page after its scripts ran, with links relative or absolute and
attributes in any order. Everything a person typed (names, titles) is only ever text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import cached_property
from urllib.parse import parse_qs, urljoin, urlsplit

from selectolax.lexbor import LexborHTMLParser, LexborNode

from loaders.errors import Unreadable
from loaders.names import clean
from loaders.tables import Page
from loaders.times import Clock

BODY_ID = re.compile(rb"<body\b[^<>]*?\sid\s*=\s*[\"']?([\w-]+)", re.I)
# Where a link leaves Moodle's own address: https://example.edu/moodle + /course/view.php
SCRIPT = re.compile(r"^(https?://[^?#]+?)/(?:course|user|mod|report|grade|my|login|theme|message)/[\w./-]*\.php")
LONGEST_LINK = 2_000  # characters: far longer than Moodle's own, and short enough for SCRIPT's backtracking
# Pages whose only <h1> is the course's full name.
COURSE_HEADING = ("page-course-view", "page-report-progress", "page-user-index")
SHORTNAME_TITLE = ("page-course-view-participants", "page-user-index")
HIDDEN = ".accesshide, .sr-only, .visually-hidden, .userinitials"


def utf8(html: bytes) -> bytes:
    """The page in UTF-8, as Moodle writes it; some browsers save UTF-16."""
    if html[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return html.decode("utf-16", "replace").encode()
    return html.removeprefix(b"\xef\xbb\xbf")


def body_id(html: bytes) -> str:
    """The id of a UTF-8 page's body (`page-mod-forum-view`), without parsing the page; '' if none."""
    found = BODY_ID.search(html)
    return found[1].decode() if found else ""


def own_text(node: LexborNode | None) -> str:
    """The text a reader sees of a node, cleaned: without the words that are only for screen readers."""
    if node is None:
        return ""
    spoken = {hidden.mem_id for hidden in node.css(HIDDEN)}
    return clean("".join(_pieces(node, spoken)))


def _pieces(node: LexborNode, spoken: set[int]) -> Iterable[str]:
    inside = [node.iter(include_text=True)]  # not by calling itself: a hostile page nests deeper than Python can
    while inside:
        child = next(inside[-1], None)
        if child is None:
            inside.pop()
        elif child.tag == "-text":
            yield child.text_content or ""
        elif child.mem_id not in spoken and child.tag not in ("script", "style"):
            inside.append(child.iter(include_text=True))


def attribute(node: LexborNode | None, name: str) -> str:
    """An attribute's value; '' if the node or the attribute is missing."""
    return (node.attributes.get(name) or "") if node is not None else ""


def whole_number(text: str | None) -> int | None:
    """A positive whole number written alone, else None."""
    return int(text) if text and re.fullmatch(r"[0-9]{1,15}", text) and int(text) else None


def link(href: str) -> tuple[str, dict[str, str]]:
    """Path and parameters of a link: ('/mod/quiz/view.php', {'id': '12'})."""
    try:
        parts = urlsplit(href)
    except ValueError:
        return "", {}
    return parts.path, {key: values[0] for key, values in parse_qs(parts.query).items()}


def link_id(href: str, script: str, parameter: str = "id") -> int | None:
    """The number in `parameter` of a link to `script` (such as '/user/view.php'), else None."""
    path, parameters = link(href)
    return whole_number(parameters.get(parameter)) if path.endswith(script) else None


class SavedPage:
    """A parsed page. `course`, `site`, `timezone`, `language` are what it says of itself, for certain."""

    def __init__(self, page: Page):
        self.source = page.source
        self.tree = LexborHTMLParser(utf8(page.html).decode("utf-8", "replace"))
        body = self.tree.body
        self.body_id = attribute(body, "id")
        self.body_classes = attribute(body, "class").split()

    @cached_property
    def config(self) -> dict:
        """Moodle's own `M.cfg`, from the first inline script that has it; {} if scripts were not saved."""
        for script in self.tree.css("script"):
            text = script.text() or ""
            found = re.search(r"\bM\.cfg\s*=\s*(?=\{)", text)
            if found:
                try:
                    said = json.JSONDecoder().raw_decode(text, found.end())[0]
                except (ValueError, RecursionError):
                    return {}
                return said if isinstance(said, dict) else {}
        return {}

    @cached_property
    def site(self) -> str | None:
        """Moodle's address without a trailing slash."""
        if (wwwroot := str(self.config.get("wwwroot", ""))).startswith(("http://", "https://")):
            return wwwroot.rstrip("/")
        counts: dict[str, int] = {}
        for node in self.tree.css("a[href], form[action], link[href]"):
            address = attribute(node, "href") or attribute(node, "action")
            if len(address) <= LONGEST_LINK and (found := SCRIPT.match(address)):
                counts[found[1]] = counts.get(found[1], 0) + 1
        return max(counts, key=lambda address: (counts[address], -len(address)), default=None)

    @property
    def timezone(self) -> str | None:
        """The viewer's time zone, in which the page writes its times."""
        zone = self.config.get("usertimezone")
        return zone if zone and isinstance(zone, str) else None

    @property
    def language(self) -> str:
        """Moodle's language on this page ('en', 'pt-br')."""
        return attribute(self.tree.css_first("html"), "lang").lower() or str(self.config.get("language", ""))

    def body_number(self, prefix: str) -> int | None:
        """The number of a body class: 2 of `course-2` for 'course'."""
        pattern = re.compile(rf"{prefix}-([0-9]{{1,15}})")
        return next((int(found[1]) for word in self.body_classes if (found := pattern.fullmatch(word))), None)

    @cached_property
    def course(self) -> dict:
        """`moodle_id`, `shortname`, `fullname`, as far as the page says them for certain."""
        course = {}
        moodle_id = self.body_number("course") or whole_number(str(self.config.get("courseId", "")))
        if moodle_id and moodle_id != self.config.get("siteId", 1):
            course["moodle_id"] = moodle_id
            course |= self._names(moodle_id)
        return course

    def _names(self, course: int) -> dict:
        names = {}
        for node in self.tree.css(".breadcrumb a[href]"):
            if link_id(attribute(node, "href"), "/course/view.php") == course and attribute(node, "title"):
                names = {"shortname": own_text(node), "fullname": clean(attribute(node, "title"))}
        heading = self.tree.css_first("h1")
        is_section = self.body_id.startswith(("page-course-view-section", "page-course-section"))
        if heading is not None and self.body_id.startswith(COURSE_HEADING) and not is_section:
            names.setdefault("fullname", own_text(heading))
        title = self.title.split(" | ")[0]
        if self.body_id.startswith(SHORTNAME_TITLE) and ": " in title:
            names.setdefault("shortname", title.rsplit(": ", 1)[0])
        return {key: name for key, name in names.items() if name}

    @cached_property
    def title(self) -> str:
        """The page's title, cleaned."""
        return clean((node := self.tree.css_first("head title")) and node.text())

    def address(self, path: str) -> str:
        """A link on this Moodle, for a note to the teacher."""
        return urljoin(f"{self.site}/", path) if self.site else f"/{path}"

    def times(self, texts: Iterable[str], clock: Clock) -> dict[str, str]:
        """UTC of those long dates that can be read for certain, in the page's own time zone.

        `clock` is the file's; its zone counts where the page does not say one.
        """
        wanted = sorted({text for text in texts if text})
        try:
            own = type(clock)(self.timezone or clock.zone)
        except Unreadable:
            return {}
        if not _settled(own, wanted):
            # One text that is no date must not cost the others.
            wanted = [text for text in wanted if _settled(type(clock)(own.zone), [text])]
            own = type(clock)(own.zone)
            if not _settled(own, wanted):
                return {}
        return {text: time for text in wanted if (time := _utc(own, text))}


def _settled(clock: Clock, texts: list[str]) -> bool:
    """Whether the clock can be settled on these texts."""
    try:
        clock.settle(texts)
    except (Unreadable, ValueError):
        return False
    return True


def _utc(clock: Clock, text: str) -> str | None:
    """UTC of a settled clock's text, or None where it is no time."""
    try:
        return clock.utc(text)
    except (Unreadable, ValueError):
        return None
