"""Month names, and words for morning and afternoon, in the languages Moodle speaks.

Names come from the Unicode CLDR by way of Babel, which is also where Moodle's own come from. A word alone may
mean two months (`listopad` is October in Croatian, November in Polish), so words are looked up together.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import cache

from babel import Locale

# Languages with a Moodle language pack worth the name and month names in CLDR; English is tried first.
_LANGUAGES = (
    "en af am ar ast az be bg bn br bs ca cs cy da de el eo es et eu fa fi fil fo fr fy ga gd gl gsw"
    " gu ha he hi hr hsb hu hy id is it ja ka kk km kn ko ku ky lb lo lt lv mi mk ml mn mr ms my nb ne"
    " nl nn oc pa pl ps pt rm ro ru si sk sl so sq sr sr_Latn sv sw ta te tg th tk tr tt uk ur uz vi"
    " wo xh zh zh_Hant zu en_GB en_AU pt_PT de_AT"
)
_AFTER_LETTER = re.compile(r"(?<=[^\s\d.,;:/()-])\.")  # the dot of "sept." and of "p.m."
_TOKEN = re.compile(r"\d+|[^\s\d.,;:()\[\]/'’،|–-]+")
_UNMARKED = dict.fromkeys(map(ord, "\u200e\u200f\u061c"))  # direction marks, which right-to-left locales add


def plain(text: str) -> str:
    """One kind of space and digit, lower case, no direction marks, no dot after a letter."""
    text = unicodedata.normalize("NFKC", text).translate(_UNMARKED).casefold()
    return _AFTER_LETTER.sub("", " ".join(text.split()))


def tokens(text: str) -> list[str]:
    """Numbers and words of a plain text: `5. märz 2026` -> `5`, `märz`, `2026`."""
    return _TOKEN.findall(text)


def _locales() -> Iterable[tuple[str, Locale]]:
    return ((name, Locale.parse(name)) for name in _LANGUAGES.split())


@cache
def _english() -> dict[str, int]:
    return _names(Locale.parse("en")) | {"sept": 9}


def _names(locale: Locale) -> dict[str, int]:
    """Every month name of a language, by its last word (`de març` -> `març`)."""
    names: dict[str, int] = {}
    for context in ("format", "stand-alone"):
        for width in ("wide", "abbreviated"):
            for month, name in locale.months[context][width].items():
                words = tokens(plain(name))
                if words and not words[-1].isdigit():
                    names.setdefault(words[-1], month)
    return names


@cache
def _all() -> dict[str, dict[str, int]]:
    return {name: _names(locale) for name, locale in _locales()}


@cache
def half_days() -> dict[str, int]:
    """Words for before and after noon -> hours to add to a 12-hour time."""
    found: dict[str, int] = {"am": 0, "pm": 12}
    for _, locale in _locales():
        for width in ("wide", "abbreviated"):
            periods = locale.day_periods.get("format", {}).get(width, {})
            for period, hours in (("am", 0), ("pm", 12)):
                word = plain(periods.get(period, "")).replace(" ", "")
                if word and not word.isdigit() and not (len(word) == 1 and word.isascii()):
                    found.setdefault(word, hours)
    return found


@cache
def is_month(word: str) -> bool:
    """Whether any language has a month of this (plain) name."""
    return word in _english() or any(word in names for names in _all().values())


def meanings(groups: Iterable[tuple[str, ...]]) -> list[Mapping[str, int]]:
    """What the month words of a file can mean: one mapping of words to 1..12 per way of reading them.

    Each group holds the words of one date among which its month is ("saturday", "march"); a language fits if
    it knows exactly one word of every group. Several languages that agree give one mapping.
    """
    groups = list(groups)
    english = _reading(_english(), groups)
    if english is not None:
        return [english]
    found: list[Mapping[str, int]] = []
    for names in _all().values():
        reading = _reading(names, groups)
        if reading is not None and reading not in found:
            found.append(reading)
    return found


def _reading(names: Mapping[str, int], groups: list[tuple[str, ...]]) -> dict[str, int] | None:
    reading: dict[str, int] = {}
    for group in groups:
        known = [word for word in group if word in names]
        if len(known) != 1:
            return None
        reading[known[0]] = names[known[0]]
    return reading
