"""The columns of a grade export: which are grade items, of which activity, shown how."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from loaders.names import clean, fold

if TYPE_CHECKING:
    from loaders.tables import Sheet

_SHOWN = re.compile(r"(.*\S)\s*[(（]([^()（）]*)[)）]\s*")
_LABEL = re.compile(r"([^:：]+?)\s*[:：]\s*(.+)")
_PART = re.compile(r"(.*\S)\s*[(（][^()（）]+[)）]")
_NUMBER = re.compile(r"-?\d+(?:[.,]\d+)?")

_REAL = "Real|Punkte|Brut|Brute|Punteggio|Echt|Reëel|Reell|Erreala|Virkelig|Skutečná hodnota|Значение|実データ"
_PERCENTAGE = "Percentage|Prozentsatz|Pourcentage|Porcentaje|Percentuale|Percentagem|Porcentagem|Проценты|百分比"
_LETTER = "Letter|Note|Lettre|Letra|Lettera|Lletra|Bokstav|Символ|文字|等第"
_FEEDBACK = "Feedback|Retroalimentación|Retroacció|Feedbacka|Comentários|Återkoppling|Отзыв|フィードバック|反馈"
_DISPLAYS = {"real": _REAL, "percentage": _PERCENTAGE, "letter": _LETTER, "feedback": _FEEDBACK}
_DISPLAY_OF = {fold(word): display for display, words in _DISPLAYS.items() for word in words.split("|")}

# Moodle's module by the English name that it puts before an item.
_MODULES = {
    "assignment": "assign",
    "bigbluebutton": "bigbluebuttonbn",
    "database": "data",
    "external tool": "lti",
    "file": "resource",
    "h5p": "h5pactivity",
    "h5p activity": "h5pactivity",
    "ims content package": "imscp",
    "interactive content": "hvp",
    "scorm package": "scorm",
    **{name: name for name in ("book", "chat", "choice", "feedback", "folder", "forum", "glossary", "lesson")},
    **{name: name for name in ("page", "quiz", "survey", "url", "wiki", "workshop")},
}
# A workshop has two grades, "X (submission)" and "X (assessment)"; these are its names in other languages.
_WORKSHOP = """
Workshop|Gegenseitige Beurteilung|Atelier|Taller|Laboratório de Avaliação|Laboratório|Tailerra|Työpaja
Warsztaty|Műhely|Delavnica|Radionica|Радионица|Õpikoda|Çalıştay|Εργαστήριο|Семинар|Seminārs|Семінар|ワークショップ
互动评价|工作坊|상호평가|הערכת עמיתים
"""
_WORKSHOPS = frozenset(fold(word) for line in _WORKSHOP.strip().splitlines() for word in line.split("|"))
# A forum's two grades, in English.
_FORUM = (
    re.compile(r"(.+) whole forum"),
    re.compile(r"Whole forum grad(?:e|ing) for (.+)"),
    re.compile(r"(.+) rating"),
    re.compile(r"Rating grade for (.+)"),
)


@dataclass
class Column:
    """One column of grades."""

    at: int
    name: str  # with what stands before the colon only where that is not known to be a kind of activity
    label: str | None  # "Quiz", as the file has it
    bare_name: str
    display: str  # real, percentage, letter or feedback
    numeric: bool  # whether the other grades in it are numbers

    def item(self) -> dict:
        """The item as claimed: `activity` is None for totals and for grades given by hand."""
        return {"name": self.name, "activity": self._activity(), "display": self.display}

    def _activity(self) -> dict | None:
        if self.label is None:
            return None
        kind, name = kind_of(self.label), self.bare_name
        if kind == "workshop" and (part := _PART.fullmatch(name)):
            name = part[1]
        elif kind == "forum":
            name = next((found[1] for shape in _FORUM if (found := shape.fullmatch(name))), name)
        return {"name": name} | ({"kind": kind} if kind else {})


def is_item(header: str) -> bool:
    """Whether a header can be that of a grade item: it ends in brackets."""
    return _SHOWN.fullmatch(header) is not None


def kind_of(label: str) -> str | None:
    """`SCORM package` -> `scorm`; None where the word is not known."""
    return "workshop" if fold(label) in _WORKSHOPS else _MODULES.get(fold(label))


def columns_of(sheet: Sheet) -> list[Column]:
    """The columns of grades, in the file's order; those named alike are told apart by a number."""
    rows = [row for _, row in islice(sheet.rows(), 500)]
    columns = []
    twice: Counter[tuple[str, str]] = Counter()
    for at in range(_first(sheet.header), len(sheet.header) - 1):
        shown = _SHOWN.fullmatch(sheet.header[at])
        filled = [cell for row in rows if (cell := row[at].strip())]
        display = _DISPLAY_OF.get(fold(shown[2])) or _display_of(filled)
        whole = clean(shown[1])
        label, bare = labelled.groups() if (labelled := _LABEL.fullmatch(whole)) else (None, whole)
        name = bare if label and kind_of(label) else whole
        twice[name, display] += 1
        if (times := twice[name, display]) > 1:
            name = f"{name} ({times})"
        columns.append(Column(at, name, label, bare, display, _mostly_numbers(filled)))
    return columns


def _first(header: list[str]) -> int:
    """The first column of grades, going back from the end: all have a display of the last item's."""
    last = _SHOWN.fullmatch(header[-2])
    displays = set()
    at = len(header) - 2
    while at >= 0 and (shown := _SHOWN.fullmatch(header[at])) and shown[1] == last[1]:
        displays.add(shown[2])
        at -= 1
    while at >= 0 and (shown := _SHOWN.fullmatch(header[at])) and shown[2] in displays:
        at -= 1
    return at + 1


def _display_of(filled: list[str]) -> str:
    """How a column shows grades, where its word is not known: "-" is no grade, an empty cell no feedback."""
    graded = [cell for cell in filled if cell != "-"]
    if any(cell.endswith("%") for cell in graded):
        return "percentage"
    if _mostly_numbers(filled):
        return "real"
    return "letter" if len(graded) < len(filled) or not filled else "feedback"


def _mostly_numbers(filled: list[str]) -> bool:
    graded = [cell for cell in filled if cell != "-"]
    return bool(graded) and sum(_NUMBER.fullmatch(cell) is not None for cell in graded) > 0.5 * len(graded)
