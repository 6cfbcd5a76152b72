"""Names as Moodle spells them in different files, brought to one form.

The same activity arrives as `"What, why & how?"` (log), `'What, why &amp; how?'` (completion csv: quotes
become apostrophes) and `&quot;What, why &amp;amp; how?&quot;` (an attribute of a page).
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from html import unescape

# What PHP's strip_tags takes away: a tag, or from an opening "<letter" to the end of the text.
_TAG = re.compile(r"<[a-zA-Z/!?][^>]*(?:>|$)")
# Only with its semicolon: "Cut &copy" is no copyright sign.
_ENTITY = re.compile(r"&(?:#\d+|#x[0-9a-fA-F]+|[a-zA-Z][a-zA-Z0-9]*);")
ROUNDS = 3  # of decoding: Moodle escapes twice; "&amp;amp;amp;..." would take a round each
_SPACE = re.compile(r"[\s\u00a0]+")
_QUOTES = str.maketrans({'"': "'", "“": "'", "”": "'", "‘": "'", "’": "'", "`": "'"})


@lru_cache(maxsize=50_000)
def clean(text: str | None) -> str:
    """The form to show: entities decoded (even twice), white space collapsed and trimmed."""
    return _SPACE.sub(" ", decode(text or "")).strip()


def decode(text: str) -> str:
    """Entities decoded, also those that were escaped again: up to three times."""
    for _ in range(ROUNDS):
        if "&" not in text or (plain := _ENTITY.sub(lambda match: unescape(match[0]), text)) == text:
            break
        text = plain
    return text


@lru_cache(maxsize=50_000)
def fold(text: str | None) -> str:
    """The form to compare: clean, without tags, one kind of quote, no case, composed characters."""
    text = _SPACE.sub(" ", _TAG.sub("", clean(text))).strip()
    return unicodedata.normalize("NFKC", text.translate(_QUOTES)).casefold()
