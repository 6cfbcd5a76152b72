"""Networks: people as marks, links between them as wedges that end in a point at the one they lead to.

Two of one name are two marks: a person is the key in `person` and `to_person`, the names are only written beside.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from loaders.chart_rows import Asked, Drawing, drawn_of, name, number, said
from loaders.chart_words import listed
from loaders.network_look import vega

MOST = 400  # links
NAMED = 3  # people, in words
Page = Callable[[Any, Any], str]


@dataclass
class Person:
    """One mark: how it is called, its page, and how much leads to it and from it."""

    name: str
    is_staff: bool
    href: str
    coming: float = 0
    going: float = 0


@dataclass(frozen=True)
class Link:
    """So much from one person to another; they are keys of `people`."""

    source: Any
    target: Any
    weight: float


def student_page(person: Any, course: Any) -> str:
    """The address of a student's page, where nothing stands before it."""
    ids = {"course": course} if course is not None else {}
    return "/-/student?" + urlencode({**ids, "person": person})


def draw(asked: Asked, page: Page = student_page) -> Drawing | None:
    """The network of an answer, or None where nobody is linked; `page(person, course)` is where a mark leads."""
    known = links_of(asked)
    if not known:
        return None
    people, links = drawn(asked, page)
    what = asked.words("weight")
    words = f"Network: {len(people):,} people, {len(links):,} lines; the thick end {asked.words('to')} the thin end. "
    words += most(people, what) + without(people, asked.words("to"))
    remarks = drawn_of(len(links), len(known), "links", asked.is_cut)
    if len(known) > len(links):
        remarks = [f"The {len(links):,} strongest of {len(known):,} links are drawn; the table has all."]
    remarks += [f"Without any link, so not drawn: {listed(names)}." for names in [alone(asked)] if names]
    return Drawing(vega(people, links, what, asked.words("to")), words.strip(), remarks, is_linked=True)


def drawn(asked: Asked, page: Page) -> tuple[dict[Any, Person], list[Link]]:
    """The strongest links, and the people at their ends, those first to whom most leads."""
    links = sorted(links_of(asked), key=lambda link: -link.weight)[:MOST]
    people = people_of(asked, page)
    for link in links:
        people[link.source].going += link.weight
        people[link.target].coming += link.weight
    joined = [key for key, person in people.items() if person.coming or person.going]
    joined.sort(key=lambda key: (-people[key].coming, -people[key].going, people[key].name))
    return {key: people[key] for key in joined}, links


def links_of(asked: Asked) -> list[Link]:
    """The links of all rows, one for each pair; a link to oneself is none."""
    pairs: dict[tuple, float] = {}
    for row in asked.rows:
        weight = number(row.get(asked.column("weight"))) if asked.column("weight") else 1
        pair = ends(asked, row)
        if None not in pair and pair[0] != pair[1] and weight and weight > 0:
            pairs[pair] = pairs.get(pair, 0) + weight
    return [Link(*pair, weight) for pair, weight in pairs.items()]


def ends(asked: Asked, row: Mapping[str, Any]) -> tuple[Any, Any]:
    """Who and whom: our keys, or names where the rows have no keys."""
    if "person" in row and "to_person" in row:
        return row["person"], row["to_person"]
    return row.get(asked.column("from")), row.get(asked.column("to"))


def people_of(asked: Asked, page: Page) -> dict[Any, Person]:
    """{key: person} of both ends of all rows."""
    people: dict[Any, Person] = {}
    for row in asked.rows:
        roles = row.get("role"), row.get(f"{asked.column('to')}_role")
        for key, column, role in zip(ends(asked, row), ("from", "to"), roles, strict=True):
            if key is not None and key not in people:
                href = page(key, row.get("course")) if "person" in row and "to_person" in row else ""
                people[key] = Person(name(row.get(asked.column(column))), role == "staff", href)
    return people


def alone(asked: Asked) -> list[str]:
    """The names of those whom the rows tell of without anybody at the other end, where they do."""
    joined = {key for link in links_of(asked) for key in (link.source, link.target)}
    lonely = {}
    for row in asked.rows:
        who, whom = ends(asked, row)
        if who is not None and who not in joined and (whom is None or whom == who):
            lonely[who] = name(row.get(asked.column("from")))
    return sorted(lonely.values(), key=str.casefold)


def most(people: Mapping[Any, Person], what: str) -> str:
    """'Most replies to Ann Lee (14) and Bob Ray (10); most by Cy Young (5). '"""
    to = listed([f"{person.name} ({said(person.coming)})" for person in list(people.values())[:NAMED] if person.coming])
    busiest = max(people.values(), key=lambda person: person.going)
    return f"Most {what} to {to}; most by {busiest.name} ({said(busiest.going)}). "


def without(people: Mapping[Any, Person], verb: str) -> str:
    """'Nobody replies to Di Fox and Ed Gill.', of those who are in the picture."""
    names = sorted((person.name for person in people.values() if not person.coming), key=str.casefold)
    return f"Nobody {verb} {listed(names)}." if names else ""
