"""Who, whom, where and what: what one line of a Moodle log says for certain.

Three columns matter: Component and Event name are in the language of the person who downloaded the log, the
Description is English in all languages and carries the ids. An id is taken only from the fixed wording of its
event (see wordings.py); free text inside a wording may imitate anything, and never gives an id.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import NamedTuple

from loaders.names import decode
from loaders.wordings import HOSTS, EventType, Wording, event_types, labels, matching, named, plain, table


class Line(NamedTuple):
    """What one log line says for certain; None is not said.

    A wording that names only whom something was done to ("The user with id '7' has started the attempt", "...
    completed the course") gives `related` and no `user`: whether they did it themselves is told by the two
    name columns being equal. `nobody`: the text says it was cron, the command line or a visitor.
    """

    eventclass: str | None  # \mod_forum\event\discussion_viewed
    component: str | None  # frankenstyle (mod_forum) where known, else as logged
    name: str | None  # English where the class is known, else as logged
    crud: str | None  # c, r, u, d
    edulevel: int | None  # 0 other, 1 teaching, 2 participating
    user: int | None
    nobody: bool
    related: int | None
    cmid: int | None
    module: str | None  # kind of the activity: forum, book ...
    course: int | None
    object: int | None
    instance: int | None  # the activity's id within its module, which is not its cmid
    part: tuple[str, int] | None  # ("chapter", 14); the kinds are wordings.PARTS


class _Shape(NamedTuple):
    """A wording made ready: the event's facts, and which place in the text each id has (-1 none)."""

    facts: tuple
    module: str | None
    user: int
    related: int
    cmid: int
    course: int
    object: int
    instance: int
    part_kind: str | None
    part: int

    def line(self, texts: Sequence[str]) -> Line:
        """`texts`: what stands in the places. No ids: 0, '' and negatives (-1 nobody, -31337 lost)."""
        ids = [int(text) or None if text.isdecimal() and len(text) < 19 else None for text in texts]
        ids.append(None)
        part = ids[self.part]
        return Line(
            *self.facts,
            ids[self.user],
            self.user >= 0 and texts[self.user] in ("0", "-1"),
            ids[self.related],
            ids[self.cmid],
            self.module,
            ids[self.course],
            ids[self.object],
            ids[self.instance],
            (self.part_kind, part) if part and self.part_kind else None,
        )


_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_QUOTED_ID = re.compile(r"'(-?[0-9]{0,18})'")
_FRANKENSTYLE = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)+|core")
# What Moodle prints for an event whose plugin was uninstalled.
_UNKNOWN_EVENT = re.compile(r"Unknown event \(\\?([a-z][a-z0-9_]*\\event\\[a-z0-9_]+)\)")
# The beginning of a wording we do not know. "The user with id '7' has had ..." is not about what they did.
_ACTOR = re.compile(
    r"(?:The )?[Uu]ser (?:with )?(?:the )?(?:id |ID )?(['\"]?)(-?[0-9]{1,18})\1(?=[ ,])"
    r"(?! (?:has had|has been|was|is|had) )( (?:has )?viewed )?"
)
_CMID = re.compile(r" course module (?:with )?(?:the )?id ('?)([0-9]{1,18})\1(?![\w'])")
_FREE_TEXT = re.compile(r"[\"':“”‘’«»]")
# How Moodle names events, for classes it does not know itself.
_CRUD = {"viewed": "r", "exported": "r", "created": "c", "updated": "u", "deleted": "d"}
_GENERIC = {
    "course_module_viewed": ("Course module viewed", 2),
    "course_module_instance_list_viewed": ("Course module instance list viewed", 0),
}


@lru_cache(maxsize=1)  # asked twice for each line
def normal(description: str) -> str:
    """One form of a Description, whichever Moodle version exported it.

    4.1 writes &#039; for an apostrophe and U+00A0 for indentation, and keeps the tags that 4.5 strips.
    """
    plain_text = description.isascii() and description.isprintable() and description == description.strip()
    if plain_text and not ("&" in description or "<" in description or "  " in description):
        return description
    description = description.replace("&#039;", "'")
    description = decode(description)
    if "<" in description:
        description = _TAG.sub("", description)
    return " ".join(description.split())


def read(component: str, name: str, description: str) -> Line:
    """What Component, Event name and Description say. Never fails: an unknown event loads, too."""
    text = normal(description).rstrip(". ")
    pieces = _QUOTED_ID.split(text)
    skeleton = "#".join(pieces[::2])
    wordings = table().exact.get(skeleton)
    if wordings:
        # Most wordings belong to one class, whatever the other two columns say.
        shape = _shape(wordings, component, name) if len(wordings) > 1 else _only_shape(skeleton)
        return shape.line(pieces[1::2])
    found = matching(skeleton, text)
    if not found:
        return _unknown(component, name, text)
    wording, texts = found[0]
    said = tuple(texts[at] for at, role in enumerate(wording.roles) if role in ("module", "plugin"))
    return _shape(tuple(wording for wording, _ in found), component, name, said).line(texts)


@cache
def _only_shape(skeleton: str) -> _Shape:
    return _shape(table().exact[skeleton], "", "")


@lru_cache(maxsize=10_000)
def _shape(wordings: tuple[Wording, ...], component: str, name: str, said: tuple[str, ...] = ()) -> _Shape:
    """The shape of the wordings a text has: several classes may share one, and then it is what they agree on.

    `said`: the module's or plugin's name, where it stands in the text.
    """
    kinds = [_kind(wording, said) for wording in wordings]
    logged = frankenstyle(component)
    likely = [kind for kind in kinds if kind.component == logged] or kinds
    likely = [kind for kind in likely if plain(kind.name) == plain(name)] or likely
    kind = likely[0]
    one = all(other.eventclass == kind.eventclass for other in likely)
    facts = kind[:5] if one else _agreed(likely, logged or component, name)[:5]
    wording = wordings[kinds.index(kind)]
    module = said[0] if "module" in wording.roles else _module(kind)
    return _placed(wording, facts, module, kind.objecttable)


def _placed(wording: Wording, facts: tuple, module: str | None, objecttable: str | None) -> _Shape:
    """Where in the text each id stands.

    The table of the event's object tells where the object is the user, the course or the course module that
    the text names, or the activity itself.
    """
    places = {role: place for place, role in enumerate(wording.roles)}
    part = wording.part
    thing = places.get(part if wording.part_is_object else "object", -1)
    same = {"course": ("course",), "course_modules": ("cmid",), "user": ("related", "user")}
    thing = next((places[role] for role in same.get(objecttable or "", ()) if role in places), thing)
    instance = thing if module and objecttable == module else places.get("instance", -1)
    kept = [places.get(role, -1) for role in ("user", "related", "cmid", "course")]
    return _Shape(facts, module, *kept, thing, instance, part, places[part] if part else -1)


def _kind(wording: Wording, said: tuple[str, ...]) -> EventType:
    """The event type of a wording, where the class of a contributed module is made from the text."""
    eventclass = wording.eventclass
    if "{" in eventclass:
        eventclass = eventclass.replace("{module}", said[0]).replace("{plugin}", said[0])
    return event_types().get(eventclass) or _contributed(eventclass)


def _contributed(eventclass: str) -> EventType:
    """An event class that is not Moodle's own."""
    component, _, event = eventclass.strip("\\").split("\\")
    name, level = _GENERIC.get(event, (None, None))
    return EventType(eventclass, component, name, _CRUD.get(event.rsplit("_", 1)[-1]), level)


def _agreed(kinds: list[EventType], component: str, name: str) -> EventType:
    """What several possible event types agree on; the class is not known."""

    def only(values: set) -> str | int | None:
        return values.pop() if len(values) == 1 else None

    return EventType(
        None,
        only({kind.component for kind in kinds}) or component or None,
        name or None,
        only({kind.crud for kind in kinds}),
        only({kind.edulevel for kind in kinds}),
    )


def _module(kind: EventType) -> str | None:
    """mod_forum -> forum, booktool_print -> book."""
    prefix, _, rest = (kind.component or "").partition("_")
    return rest if prefix == "mod" else HOSTS.get(prefix)


def frankenstyle(component: str) -> str | None:
    """The component of an English label, or of the raw name that Moodle shows where there is no label."""
    return labels().get(component) or (component if _FRANKENSTYLE.fullmatch(component) else None)


def _unknown(component: str, name: str, text: str) -> Line:
    """A wording that is not in the table: only the acting user, and a cmid that no free text can imitate."""
    kind = _named(component, name, text)
    actor = _ACTOR.match(text)
    who = actor[2] if actor else ""
    crud = kind.crud
    if not crud and not kind.eventclass and (plain(name).endswith(" viewed") or (actor and actor[3])):
        crud = "r"
    return Line(
        *kind[:3],
        crud,
        kind.edulevel,
        user=int(who) or None if who.isdecimal() else None,
        nobody=who in ("0", "-1"),
        related=None,
        cmid=_certain_cmid(text),
        module=_module(kind),
        course=None,
        object=None,
        instance=None,
        part=None,
    )


def _certain_cmid(text: str) -> int | None:
    """The cmid of an unknown wording: the only one that has nothing but ids in quotes before it."""
    blank = _QUOTED_ID.sub(lambda quoted: " " * len(quoted[0]), text)
    free = _FREE_TEXT.search(blank)
    cmids = {int(found[2]) for found in _CMID.finditer(text, 0, free.start() if free else len(text))}
    return (cmids.pop() or None) if len(cmids) == 1 else None


def _named(component: str, name: str, text: str) -> EventType:
    """The event type by its English names, or by the class that stands in the text."""
    if printed := _UNKNOWN_EVENT.match(text):
        eventclass = "\\" + printed[1]
        return event_types().get(eventclass) or _contributed(eventclass)._replace(name=name or None)
    logged = frankenstyle(component)
    kinds = named().get((logged or "", plain(name)), [])
    return kinds[0] if len(kinds) == 1 else _agreed(kinds, logged or component, name)
