"""How posts sound: a guess from their words, made by VADER on this computer; no post leaves it.

A post's score is the mean of its sentences' (loaders/sentences.py): over a whole post VADER's sum runs into
its ends, so that 40 kind and 10 bitter words in 300 score 0.996 of 1. Titles are not scored: a reply carries the
title of the post it answers, and most others name a topic ("The crisis of 1929") rather than a mood.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable
from functools import cache
from textwrap import shorten

from loaders.sentences import sentences_of

VERSION = "1"  # raise it with every change that scores the same words otherwise: all posts are then scored anew
TABLES = ("forum_posts", "blog_posts")
POSITIVE, NEGATIVE = 0.05, -0.05  # VADER's own cut-offs, of a sentence and of a post alike
BATCH = 200  # posts of one transaction: what a stopped run loses, a second's work
LONGEST = 300  # characters kept of the most positive and the most negative sentence

GUESS = "A guess from words alone, made on this computer: read the post before you act on it."
CANNOT_SEE = (
    "It cannot see irony, nor that a challenge, a crash or a Grace is a subject or a name and no mood, nor what is said"
    " in other languages or in pictures."
)

COLUMNS = ("sentiment", "no_sentiment", "positive_pct", "negative_pct", "most_positive", "most_negative", "scored_key")
FORGET = f"""
update {{table}} set {", ".join(f"{column} = null" for column in COLUMNS)}
where scored_key is not null and scored_key is not score_key(text)
"""
USUAL = """
update {table} set usual_sentiment = earlier.usual
from (
    select
        id,
        case when person_id is not null and published_utc is not null and count(sentiment) over before >= 3
             then round(avg(sentiment) filter (where published_utc is not null) over before, 3) end as usual
    from {table}
    window before as (
        partition by person_id
        order by published_utc nulls last, {ties}, id
        rows between unbounded preceding and 1 preceding
    )
) as earlier
where earlier.id = {table}.id and {table}.usual_sentiment is not earlier.usual
"""
TIES = {"forum_posts": "moodle_id", "blog_posts": "moodle_id, guid, url"}  # not by arrival: files come in any order
WAITING = "select count(*) from {table} where scored_key is null"
NEXT = "select id, text from {table} where scored_key is null and id > ? order by id limit ?"
SAVE = f"update {{table}} set {', '.join(f'{column} = ?' for column in COLUMNS)} where id = ?"

# VADER knows typewriter's marks only: with a curly apostrophe "don’t like" is praise, and "great…" is no word.
_MARKS = str.maketrans("’‘ʼ“”„«»", "'''" + '"' * 5) | {ord(dots): "... " for dots in "…"}
_MARKS |= {ord(dash): " - " for dash in "–—"}
_NO_MOOD = ("kia",)  # killed in action to VADER, and to it the saddest word of "Kia ora, great to be here"
_TONES = dict.fromkeys((0xFE0E, 0xFE0F, *range(0x1F3FB, 0x1F400)))  # colours of emoji, which hide them from VADER
_TONES[0x200D] = " "  # what joins several to one
_EMOJI_FROM = 0x2190


def mood(score: float) -> str:
    """What a score of a sentence or a post stands for: negative, neutral or positive."""
    return "positive" if score >= POSITIVE else "negative" if score <= NEGATIVE else "neutral"


def key(text: str | None) -> str:
    """Tells whether what was scored is still what would be."""
    return hashlib.blake2b(f"{VERSION}\0{text or ''}".encode(errors="replace"), digest_size=8).hexdigest()


def score(connection: sqlite3.Connection, tick: Callable[[int], None] | None = None) -> int:
    """Score every post that is new or changed; returns how many. `tick` is told of so many more after each batch.

    For a connection without an open transaction. Stopped at any time, the next call goes on from there.
    """
    with _transaction(connection):
        refresh(connection)
    done = sum(_score_table(connection, table, tick or (lambda posts: None)) for table in TABLES)
    if done:
        with _transaction(connection):
            refresh(connection)
    return done


def refresh(connection: sqlite3.Connection) -> None:
    """Forget the scores of posts whose text has changed; work out everybody's usual score from what is left.

    Inside the caller's transaction; nothing is written where nothing has changed.
    """
    connection.create_function("score_key", 1, key, deterministic=True)
    for table in TABLES:
        connection.execute(FORGET.format(table=table))
        connection.execute(USUAL.format(table=table, ties=TIES[table]))


def waiting(connection: sqlite3.Connection) -> int:
    """How many posts are not scored yet."""
    return sum(connection.execute(WAITING.format(table=table)).fetchone()[0] for table in TABLES)


def _score_table(connection: sqlite3.Connection, table: str, tick: Callable[[int], None]) -> int:
    done = last = 0
    while posts := connection.execute(NEXT.format(table=table), (last, BATCH)).fetchall():
        rows = [(*score_of(text).values(), post) for post, text in posts]
        with _transaction(connection):
            connection.executemany(SAVE.format(table=table), rows)
        last, done = posts[-1][0], done + len(posts)
        tick(len(posts))
    return done


def score_of(text: str | None) -> dict:
    """The COLUMNS of one post."""
    sentences, why_not = sentences_of(text)
    if why_not:
        return dict.fromkeys(COLUMNS) | {"no_sentiment": why_not, "scored_key": key(text)}
    scores = [compound(sentence) for sentence in sentences]
    moods = [mood(each) for each in scores]
    best, worst = (scores.index(extreme(scores)) for extreme in (max, min))
    return {
        "sentiment": round(sum(scores) / len(scores), 3) + 0.0,  # no -0.0
        "no_sentiment": None,
        "positive_pct": round(100 * moods.count("positive") / len(moods), 1),
        "negative_pct": round(100 * moods.count("negative") / len(moods), 1),
        "most_positive": _cut(sentences[best]) if moods[best] == "positive" else None,
        "most_negative": _cut(sentences[worst]) if moods[worst] == "negative" else None,
        "scored_key": key(text),
    }


def compound(sentence: str) -> float:
    """VADER's score of a sentence, -1 to 1."""
    analyzer, emoji = _vader()
    return analyzer.polarity_scores(sentence.translate(_MARKS).translate(_TONES).translate(emoji))["compound"]


@cache
def _vader():
    """VADER, and a table that sets its emoji apart from the words they touch."""
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    analyzer = SentimentIntensityAnalyzer()
    for word in _NO_MOOD:
        del analyzer.lexicon[word]
    single = (ord(each) for each in analyzer.emojis if len(each) == 1)
    return analyzer, {code: f" {chr(code)} " for code in single if code >= _EMOJI_FROM}


def _cut(sentence: str) -> str:
    """As much of the sentence as is kept, cut between words."""
    short = shorten(sentence, LONGEST, placeholder=" …")
    return short if len(short) > 2 else sentence[:LONGEST]


class _transaction:
    """A short transaction of its own: readers and other loaders need not wait for the scoring between two."""

    def __init__(self, connection: sqlite3.Connection):
        self.connection = connection

    def __enter__(self) -> None:
        self.connection.execute("begin immediate")

    def __exit__(self, error, *_) -> None:
        self.connection.execute("rollback" if error else "commit")
