"""How fast posts are scored, and how far the scores are to be trusted. Run with `make bench`; POSTS=500 is quick.

Speed is a ratio to VADER over the whole post, in the same run. Agreement is with three files in fixtures/sentiment/:

published.tsv   the sentences of VADER's own README and their compounds
posts.tsv       posts as students write them, labelled by reading: plain, and what words alone cannot show
languages.tsv   one line each, by language: short, with slang, names, jargon and typing errors
"""

from __future__ import annotations

import os
import random
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import sqlite_utils
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from loaders.schema import ensure_shape
from loaders.sentences import NOT_ENGLISH, TOO_SHORT
from loaders.sentiment import compound, mood, score, score_of

POSTS, WORDS = int(os.environ.get("POSTS", 8_550)), 300
FIXTURES = Path(__file__).parent / "fixtures" / "sentiment"
MOODS = ("negative", "neutral", "positive")


def rows(name: str) -> Iterator[list[str]]:
    """The lines of a fixture."""
    lines = (FIXTURES / f"{name}.tsv").read_text(encoding="utf-8").splitlines()
    return (line.split("\t") for line in lines)


def long_posts(count: int) -> Iterator[str]:
    """Posts of about 300 words, put together from the labelled ones: no two alike."""
    chance = random.Random(1)
    texts = [text for _, _, text in rows("posts")]
    for _ in range(count):
        post = []
        while sum(len(text.split()) for text in post) < WORDS:
            post.append(chance.choice(texts))
        yield "\n\n".join(post)


def database(posts: list[str]) -> sqlite3.Connection:
    """A database that holds these posts, of 100 people, not scored yet."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    ensure_shape(sqlite_utils.Database(connection))
    connection.executemany(
        "insert into forum_posts (moodle_id, course_id, person_id, text, published_utc) values (?, 1, ?, ?, ?)",
        [(n, n % 100 + 1, text, f"2026-03-{n % 28 + 1:02}T10:00:00Z") for n, text in enumerate(posts, 1)],
    )
    return connection


def timed(work: Callable[[], object]) -> float:
    """Seconds that it took."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def speed() -> None:
    """Scoring everything, and once more when nothing has changed, to whole-post VADER."""
    posts = list(long_posts(POSTS))
    whole = SentimentIntensityAnalyzer()
    base = timed(lambda: [whole.polarity_scores(text) for text in posts])
    connection = database(posts)
    first, again = timed(lambda: score(connection)), timed(lambda: score(connection))
    print(f"{POSTS:,} posts of {WORDS} words; VADER over whole posts {base:.1f} s = 1.0")
    print(f"sentences, language, scores, saved: {first / base:.2f} x ({first:.1f} s, one process)")
    print(f"again, nothing changed: {again / base:.3f} x ({again:.2f} s)")


def published() -> None:
    """Agreement with VADER's README."""
    wanted = [(float(number), sentence) for number, sentence in rows("published")]
    same = sum(abs(compound(sentence) - number) < 0.0001 for number, sentence in wanted)
    print(f"VADER's published sentences: {same} of {len(wanted)} to four digits")


def labelled() -> None:
    """Agreement with posts labelled by reading, and what is taken for what."""
    posts = list(rows("posts"))
    whole = SentimentIntensityAnalyzer()
    found = [(label, kind, mood(score_of(text)["sentiment"])) for label, kind, text in posts]
    by_whole = sum(mood(whole.polarity_scores(text)["compound"]) == label for label, _, text in posts)
    agreed = sum(label == guess for label, _, guess in found)
    print(f"labelled posts: {agreed} of {len(posts)} agree (whole-post VADER: {by_whole})")
    kinds = Counter(kind for _, kind, _ in found)
    right = Counter(kind for label, kind, guess in found if label == guess)
    print("  by kind: " + ", ".join(f"{kind} {right[kind]} of {count}" for kind, count in kinds.most_common()))
    confusion = Counter((label, guess) for label, _, guess in found)
    print(f"  {'read as':>10}{''.join(f'{guess:>12}' for guess in MOODS)}")
    for label in MOODS:
        print(f"  {label:>10}{''.join(f'{confusion[label, guess]:>12}' for guess in MOODS)}")


def languages() -> None:
    """English taken for foreign, which costs more, and the other way about."""
    why = [(language, score_of(text)["no_sentiment"]) for language, text in rows("languages")]
    english = [reason for language, reason in why if language == "en"]
    others = [reason for language, reason in why if language != "en"]
    print(
        f"short English posts: {english.count(NOT_ENGLISH)} of {len(english)} taken for foreign,"
        f" {english.count(TOO_SHORT)} too short; others: {others.count(None)} of {len(others)} taken for English"
    )


if __name__ == "__main__":
    speed()
    published()
    labelled()
    languages()
