"""Posts that somebody wrote to hold up others' cost a moment, and no other post its score."""

import time
from collections.abc import Callable

import pytest
from test_sentiment import HAPPY, add, connection, said

from loaders import sentiment
from loaders.html_text import links_of, text_of, word_count
from loaders.sentences import LONGEST_TEXT, MOST_READ, own_words
from loaders.sentiment import MOST_WORDS, compound, score, score_of

__all__ = ["connection"]

# Repeated, each was quadratic for some pattern, or could be for the next.
WORDS = ("a", "a@", "a@a.", "www.", "`a\n", "```", "> ", "- ", "a\n", " ", "'", "On a wrote:", "--- Original Message ")
CODE = (
    "=" * 199,
    "if " + "a(" * 98,
    " " * 99 + "=" * 99,
    "SELECT " + "FROM " * 38,
    "File" + "Error" * 38,
    "<a" + ">" * 190,
)
HTML = ("<br>", "<li>", "<br><br> ", " <br>", "<b> </b>", "<b ", "<p> ", "data:image/", "http://a" + ")" * 999 + " ")
SENTENCES = (
    "but good ",
    "the and bad but ",
    "😀",
    "😸" * 200 + " good bad.\n",
    "©good ",
    "“",
    ":)\n",
    "xx yy zz.\n",
    "Mr. ",
)


def seconds(work: Callable[[str], object], text: str) -> float:
    """Of the processor: other programs do not count."""
    started = time.process_time()
    work(text)
    return time.process_time() - started


def is_linear(work: Callable[[str], object], unit: str, least: int = 100_000) -> bool:
    """Whether ten times the text takes about ten times as long; a hundred would be quadratic."""
    short, long = ((unit * (length // len(unit) + 1))[:length] for length in (least, 10 * least))
    return seconds(work, long) < 30 * max(seconds(work, short), 0.01)


@pytest.mark.parametrize("unit", [*WORDS, *(f"{line}\n" for line in CODE)])
def test_own_words_are_found_in_linear_time(unit):
    assert is_linear(own_words, unit)


@pytest.mark.parametrize("unit", HTML)
def test_html_is_read_in_linear_time(unit):
    def read(html: str) -> None:
        text = text_of(html)
        links_of(html, text)
        word_count(text)

    assert is_linear(read, unit)


@pytest.mark.parametrize("text", ["http://a" + ")" * 1_000_000, "http://a" + "." * 1_000_000, ">" * 1_000_000])
def test_addresses_and_quotes_are_read_in_linear_time(text):
    assert seconds(lambda text: (links_of("", text), word_count(text)), text) < 5


def test_tags_that_are_never_closed_do_not_multiply():
    """Each later paragraph would open all of them anew: 200 million elements, more than there is memory for."""
    html = "<p>" + "".join(f"<b id={n}>" for n in range(15_000)) + "<p>x" * 14_000
    assert seconds(text_of, html) < 5
    assert text_of(html) == "\n\n".join("x" * 14_000)


@pytest.mark.parametrize("unit", ["<div>", "<ul><li>", "<blockquote>a"])
def test_tags_in_tags_are_read_up_to_a_depth(unit):
    assert seconds(text_of, unit * (1_000_000 // len(unit))) < 15


def test_a_picture_in_the_message_does_not_hide_the_text_after_it():
    picture = f'<img src="data:image/png;base64,{"iVBORw0K" * 200_000}">'
    assert text_of(f"<p>Before {picture}</p><p><b>after</b></p>") == "Before\n\nafter"


@pytest.mark.parametrize("unit", [*WORDS, *SENTENCES])
def test_a_post_is_scored_in_seconds(unit):
    assert seconds(score_of, f"the and this is bad {unit * (990_000 // len(unit))}") < 10


def test_what_comes_after_the_bounds_is_not_read():
    longest = "This is what we read. " * (MOST_READ // 20)
    assert score_of(longest + HAPPY)["sentiment"] == 0
    assert compound("word " * MOST_WORDS + "great") == 0 < compound("word " * (MOST_WORDS - 1) + "great")
    assert 0 < compound("I saw 😀" + "😀" * 5_000) <= 1


def test_posts_that_cannot_be_read_say_so_and_stop_no_other(connection):
    unreadable = f"{HAPPY} It was by Jo A\u2003. and not by me."  # sentencex panics at a wide space there
    add(connection, HAPPY, unreadable, "a" * (LONGEST_TEXT + 1), HAPPY)
    assert score(connection) == 4
    assert said(connection, "no_sentiment") == [(None,), ("could not be read",), ("too long",), (None,)]
    assert score(connection) == 0


def test_what_fails_on_this_computer_is_not_said_of_the_post(connection, monkeypatch):
    def missing(sentence: str) -> float:
        raise ImportError("vaderSentiment")

    monkeypatch.setattr(sentiment, "compound", missing)
    add(connection, HAPPY)
    with pytest.raises(ImportError):
        score(connection)
    assert sentiment.waiting(connection) == 1


def test_scores_are_saved_each_second(connection, monkeypatch):
    monkeypatch.setattr(sentiment, "AT_ONCE_S", 0)
    add(connection, *[HAPPY] * 3)
    saved = []
    score(connection, lambda posts: saved.append((posts, sentiment.waiting(connection))))
    assert saved == [(1, 2), (1, 1), (1, 0)]
