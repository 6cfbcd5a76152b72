"""The sentences that count: the writer's own, in English; where there are none, why."""

import subprocess
import sys
from pathlib import Path

import pytest
from bench_sentiment import rows

from loaders import sentiment
from loaders.sentences import sentences_of
from loaders.sentiment import score_of

HAPPY = "I really loved this week and my kids did too."
GERMAN = "Ich verstehe diese Woche überhaupt nichts und bin ziemlich frustriert."


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("I read e.g. a page by Dr. Tui. It has 3.5 ideas.", ["I read e.g. a page by Dr. Tui.", "It has 3.5 ideas."]),
        ("It failed.Then it worked!!! Finally done now.", ["It failed.", "Then it worked!!!", "Finally done now."]),
        ("That was a lot of fun. :) 🎉", ["That was a lot of fun. :) 🎉"]),
        ("My plan for it:\n1. Ask the class\n2. Teach them", ["My plan for it:", "Ask the class", "Teach them"]),
        (":-( I lost all of it", [":-( I lost all of it"]),
    ],
)  # fmt: skip
def test_sentences(text, sentences):
    assert sentences_of(text).own == sentences


@pytest.mark.parametrize(
    "others",
    [
        "> This was awful and I hated it.\n>> So did I, it was terrible.",
        "On Tue, 3 May 2026 at 10:12, Jo Tui wrote:\n> This was awful.",
        "https://example.org/awful-terrible?x=hate",
        "hate.awful@example.org",
        "ValueError: fatal error, invalid and bad",
        "if (isAwful) { kill(process); }",
        "`terrible_error = fatal`",
        "Traceback (most recent call last):\nFile \"bad.py\", line 3, in <module>",
        GERMAN,
    ],
)  # fmt: skip
def test_what_is_nobodys_mood_does_not_count(others):
    assert sentences_of(f"{HAPPY}\n\n{others}").own == [HAPPY]


@pytest.mark.parametrize(
    "text",
    [
        "let me know what you all think :)",
        "I used print() in the end and it was great",
        "public schools are great places to be (I think)",
        "return to school was hard for me",
        "@Sam I loved your post, it was great",
        "from the start I was lost; then it clicked.",
        "Kia ora koutou, ko Hinemoa tōku ingoa and I love teaching here",
    ],
)
def test_words_that_only_look_like_code_or_another_language_count(text):
    assert sentences_of(text).own == [text]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (None, "no text"),
        (" \n ", "no text"),
        ("> quoted and nothing more than that", "no text"),
        ("https://example.org", "no text"),
        ("Thanks, that helped", "too short"),
        ("😞", "too short"),
        ("谢谢大家的分享,我学到了很多东西。", "not English"),
        (GERMAN, "not English"),
        (f"{GERMAN} Danke! LG", "not English"),
        ("He tino pai te akoranga o tēnei wiki, ngā mihi ki a koutou katoa.", "not English"),
    ],
)
def test_why_there_is_no_score(text, why):
    row = score_of(text)
    assert {key: value for key, value in row.items() if value is not None} == {
        "no_sentiment": why, "scored_key": sentiment.key(text),
    }  # fmt: skip


def test_a_mixed_post_is_scored_over_its_english():
    mixed, english = score_of(f"{GERMAN}\n{HAPPY}\n„{GERMAN}“"), score_of(HAPPY)
    assert (mixed["sentiment"], mixed["positive_pct"]) == (english["sentiment"], 100.0)


def test_no_english_post_is_called_foreign_and_no_foreign_one_scored():
    why = [(language == "en", score_of(text)["no_sentiment"], text) for language, text in rows("languages")]
    assert [text for english, reason, text in why if english and reason == "not English"] == []
    assert [text for english, reason, text in why if not english and reason is None] == []
    assert sum(reason == "too short" for _, reason, _ in why) == 2


def test_languages_are_told_apart_without_the_network(tmp_path):
    code = (
        "import socket\n"
        "def no(*_): raise AssertionError('network')\n"
        "socket.socket.connect = socket.create_connection = socket.getaddrinfo = no\n"
        "from loaders.sentiment import score_of\n"
        f"assert score_of({GERMAN!r})['no_sentiment'] == 'not English'"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[1])
    assert run.returncode == 0, run.stderr
