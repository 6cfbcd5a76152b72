"""The group overview: who is in which group, once for every grouping and group.

    Grouping,Group,"First name","Last name","Email address"
    "All &amp; any",Online,Mohammed,Al-Fāris,w1012604@student.example.edu
    "Not in a grouping",,,,
    "Not in a group","No group",Bronwyn,Campbell,w1016563@student.example.edu

The groupings come in order of name, then those groups that are in none, then, if there are any, the people
in no group, under a group that does not exist. Source: Moodle, Participants, Groups, Overview, download.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby, islice
from typing import TYPE_CHECKING

from loaders import headings
from loaders.identity import EMAIL, Identity
from loaders.names import clean, fold
from loaders.reading import Reading

if TYPE_CHECKING:
    from loaders.tables import Sheet
    from loaders.times import Clock

KIND = "groups overview"
_FIRST_NAME, _LAST_NAME = 2, 3

# What Moodle calls the last two of its headings: groups in no grouping, people in no group.
_NO_GROUPING = """
Not in a grouping|Nicht in einer Gruppierung|Dans aucun groupement|No está en un agrupamiento
Fuera de un agrupamiento|Non in un raggruppamento|Não está num agrupamento
Não está em um agrupamento|Niet in een groepering|En cap agrupament|Taldekatzetik kanpo
Non está en ningún agrupamento|Ikke i en storgruppe|Inte i gruppindelning|Ikke i en hovedgruppe
Ej med i en gruppindelning|Ei ryhmittelyssä|Nie jest w grupie nadrzędnej|Není v žádném seskupení
Ni v skupku|Nie je v žiadnom zoskupení|Nu face parte dintr-o grupare
Nem szerepel valamely csoportosításban|Όχι σε ομαδοποίηση|Gruplama içinde değil|Группы вне потоков
Neietilpst grupējumā|לא נמצא באוסף קבוצות|グルーピング外|グルーピング未登録|不在班中|不是在分組之中
모둠무리속에 없음|Không thuộc tổ nào|Không trong một phân nhóm|غير موجود في تجميع
Tidak didalam pengelompokan manapun
"""
_NO_GROUP = """
Not in a group|Nicht in einer Gruppe|Membre d'aucun groupe|Dans aucun groupe|NO está en un grupo
No está en un grupo|Non in un gruppo|Non in gruppo|Não está num grupo|Não está em um grupo
Niet in een groep|En cap grup|No és a cap grup|Talderen batean ere ez|Ikke i en gruppe
Ej med i en grupp|Inte i en grupp|Ei ryhmässä|Nie jest w grupie|Není v žádné skupině
Nie je v žiadnej skupine|Ni v skupini|Nije u grupi|Nu face parte dintr-un grup|Όχι σε ομάδα
Nincs csoportban|Bir grupta değil|Не в группе|Вне групп|Не в групі|לא נמצא בקבוצה|グループ外
不在组中|不在小组中|不在群組中|모둠에 없음|Không trong một nhóm|ليس في المجموعة|Tidak dalam grup
"""


def _folded(words: str) -> frozenset[str]:
    return frozenset(fold(word) for line in words.strip().splitlines() for word in line.split("|"))


def _heading(text: str) -> str:
    """Some languages put these headings in brackets."""
    return fold(text).strip("[]")


_NO_GROUPING_WORDS, _NO_GROUP_WORDS = _folded(_NO_GROUPING), _folded(_NO_GROUP)
_NO_GROUPS = _NO_GROUPING_WORDS | _NO_GROUP_WORDS


@dataclass
class Block:
    """The rows of one grouping, with their line numbers."""

    grouping: str
    rows: list[tuple[int, list[str]]]

    def groups(self) -> set[str]:
        return {clean(row[1]) for _, row in self.rows} - {""}

    def people(self) -> set[tuple[str, ...]]:
        return {tuple(row[2:]) for _, row in self.rows if any(row[2:])}

    def is_called(self, words: frozenset[str]) -> bool:
        return _heading(self.grouping) in words


def recognise(sheet: Sheet) -> bool:
    """Grouping and Group before the names; in a language not known here, one of the last two headings."""
    header = sheet.header
    if len(header) < 4:
        return False
    if headings.says(header[0], "grouping") and headings.says(header[1], "group"):
        return True
    rows = [row for _, row in islice(sheet.rows(), 5_000)]
    if headings.name_columns(header, _FIRST_NAME) is None and not _email_after_names(rows):
        return False
    return any((row[0] and not any(row[1:])) or _heading(row[0]) in _NO_GROUPS for row in rows)


def _email_after_names(rows: list[list[str]]) -> bool:
    emails = [clean(row[4]) for row in rows if len(row) > 4 and any(row[2:])]
    return bool(emails) and all(EMAIL.fullmatch(email) for email in emails)


def read(sheet: Sheet, clock: Clock) -> Reading:
    """A `membership` claim per person and group, `group` for an empty group, `person` for people in none."""
    names = headings.name_columns(sheet.header, _FIRST_NAME) or (_FIRST_NAME, _LAST_NAME)
    identity = Identity(sheet, range(_LAST_NAME + 1, len(sheet.header)), names=names)
    blocks = [
        Block(clean(name), list(rows)) for name, rows in groupby(sheet.rows(), key=lambda numbered: numbered[1][0])
    ]
    reading = Reading(KIND, (), notes=list(identity.notes))
    nobody = _without_group(blocks, reading.notes)
    loose = _without_grouping(blocks, nobody)
    reading.claims = _claims(blocks, nobody, loose, identity)
    return reading


def _without_group(blocks: list[Block], notes: list[str]) -> Block | None:
    """The last block, if it holds the people in no group: by its name, else by its shape."""
    if len(blocks) < 2:
        return blocks[0] if blocks and blocks[0].is_called(_NO_GROUP_WORDS) else None
    last = blocks[-1]
    if last.is_called(_NO_GROUP_WORDS):
        return last
    if any(block.is_called(_NO_GROUPING_WORDS) for block in blocks) or len(last.groups()) != 1 or not last.people():
        return None
    elsewhere = set().union(*(block.people() for block in blocks[:-1]))
    empty_before = not any(blocks[-2].rows[-1][1][1:])
    if last.people() & elsewhere or not empty_before:
        return None
    notes.append(
        f"the people under “{last.grouping}” were taken to be in no group, as they come last and nowhere"
        " else: if that is wrong, switch Moodle to English and download the overview again"
    )
    return last


def _without_grouping(blocks: list[Block], nobody: Block | None) -> Block | None:
    """The block of the groups that are in no grouping."""
    named = next((block for block in blocks if block.is_called(_NO_GROUPING_WORDS)), None)
    if named is None and nobody is not None and len(blocks) > 1:
        return blocks[-2]
    return named


def _claims(blocks: list[Block], nobody: Block | None, loose: Block | None, identity: Identity) -> Iterator[dict]:
    for block in blocks:
        for line, row in block.rows:
            person, name = identity.person(row), clean(row[1])
            if person and block is nobody:
                claim = {"noun": "person", "line": line, "person": person, "in_course": True, "groups": []}
                yield claim | _details(identity, row)
            elif person:
                claim = {"noun": "membership", "line": line, "person": person, "group": {"name": name}}
                yield claim | ({} if block is loose else {"grouping": block.grouping})
            elif name:
                yield {"noun": "group", "line": line, "group": {"name": name}}


def _details(identity: Identity, row: list[str]) -> dict:
    details = identity.other(row)
    return {"details": details} if details else {}
