"""The export of a forum: posts, their text without HTML, their links; what is left out is said."""

import json

import pytest
from sheet import made, opened

from loaders import forum_posts
from loaders.errors import Unreadable
from loaders.html_text import links_of, text_of, word_count
from loaders.times import Clock


def claims(sheet):
    """Everything the reader says of a sheet, as JSON would keep it."""
    reading = forum_posts.read(sheet, Clock("Australia/Brisbane"))
    found = list(reading.claims)
    assert json.loads(json.dumps(found)) == found
    return found, reading


PLAIN_POST = {
    "id": "7",
    "discussion": "3",
    "parent": "0",
    "userid": "14",
    "userfullname": "Søren Ægirsson",
    "created": "1456542828",
    "modified": "1456542828",
    "subject": "Week 1",
    "message": "<p>Hello</p>",
    "messageformat": "1",
    "deleted": "0",
    "privatereplyto": "0",
}
COLUMNS = list(PLAIN_POST)


def post(**more: str) -> list[str]:
    """A row of a post."""
    return list((PLAIN_POST | more).values())


def test_rows():
    found, reading = claims(opened("forum.csv"))
    assert found[0] == {
        "noun": "post",
        "line": 2,
        "moodle_id": 3,
        "discussion": 3,
        "person": {"moodle_id": 3, "fullname": "Marguerite Holloway"},
        "title": "😀 Week 1",
        "published_utc": "2016-02-27T03:13:48Z",
        "text": "Learning a lot although the workload is heavy.\n\n"
        "Not bad, not great: the book chapter was long but the video helped.\n\n"
        "I was dreading this, yet it turned out fine in the end.\n\n"
        "The kids loved it; the wifi did not.",
        "word_count": 41,
        "link_count": 0,
        "links": [],
    }
    assert [(claim["moodle_id"], claim.get("parent_id")) for claim in found] == [
        (3, None), (31, None), (35, 31), (55, 52), (71, 26),
    ]  # fmt: skip
    assert found[1]["title"] == 'Help! <b>urgent</b> & "quoted", question'
    assert found[3]["text"].endswith("\n\nSee this link.")
    assert (found[3]["link_count"], found[3]["links"]) == (1, ["http://example.org/tpack?x=1&y=2"])
    assert found[4]["text"].endswith("fine in the end.\n\nPlan\nTeach\nReflect")
    assert (reading.kind, reading.newest_utc, reading.notes) == ("forum posts", "2016-03-05T10:23:31Z", [])


def test_dates_for_humans_and_no_html():
    found, reading = claims(opened("forum_human.csv"))
    assert [claim["published_utc"] for claim in found] == [
        "2016-02-27T03:13:00Z",
        "2016-03-02T00:37:00Z",
        "2016-03-02T03:33:00Z",
    ]
    assert found[2]["text"].endswith("\n\n2 < 3 & 5 > 4")
    assert reading.newest_utc == "2016-03-02T03:33:00Z"


def test_only_a_header():
    found, reading = claims(opened("forum_empty.csv"))
    assert found == []
    assert reading.notes == [
        "the forum export has no posts: its form's two date boxes are ticked by default (from now to now):"
        " untick both and export again"
    ]


def test_deleted_posts_and_private_replies():
    found, reading = claims(
        made(
            COLUMNS,
            post(id="1", deleted="1", modified="1999999999"),
            post(id="2", privatereplyto="35", parent="1"),
            post(id="3", modified="1456629228"),
        )
    )
    assert found == [
        {
            "noun": "post",
            "line": 3,
            "moodle_id": 2,
            "discussion": 3,
            "parent_id": 1,
            "person": {"moodle_id": 14, "fullname": "Søren Ægirsson"},
            "title": "Week 1",
            "published_utc": "2016-02-27T03:13:48Z",
        },
        {
            "noun": "post",
            "line": 4,
            "moodle_id": 3,
            "discussion": 3,
            "person": {"moodle_id": 14, "fullname": "Søren Ægirsson"},
            "title": "Week 1",
            "published_utc": "2016-02-27T03:13:48Z",
            "text": "Hello",
            "word_count": 1,
            "link_count": 0,
            "links": [],
        },
    ]
    assert reading.newest_utc == "2016-02-28T03:13:48Z"
    assert reading.notes == [
        "posts that were deleted in Moodle were passed over: 1",
        "private replies were taken without their text: 1",
    ]


def test_formats_of_messages():
    rows = [
        post(message="one\ntwo <b>three</b>", messageformat="0"),
        post(message="2 < 3 <b>raw</b>\n\n\n\nsee http://x.example/a.", messageformat="2"),
        post(message="**bold** <https://x.example/b>", messageformat="4"),
    ]
    found, _ = claims(made(COLUMNS, *rows))
    assert [claim["text"] for claim in found] == [
        "one\ntwo three",
        "2 < 3 <b>raw</b>\n\nsee http://x.example/a.",
        "**bold** <https://x.example/b>",
    ]
    assert [claim["links"] for claim in found] == [[], ["http://x.example/a"], ["https://x.example/b"]]


def test_a_row_without_an_id_is_refused():
    with pytest.raises(Unreadable, match="no number where its id should be") as error:
        claims(made(COLUMNS, post(), post(id="x")))
    assert error.value.line == 3


@pytest.mark.parametrize(
    "html, expected",
    [
        ("", ""),
        ("plain", "plain"),
        ("<p>one</p><p>two<br>three</p>", "one\n\ntwo\nthree"),
        ("<div><div><p>one</p></div></div>\n<p>two</p>", "one\n\ntwo"),
        ("a <strong>bold</strong>, <em>soft</em> word", "a bold, soft word"),
        ("<p>a&nbsp;b &amp;amp; c</p>", "a b &amp; c"),
        ("<ul><li>one</li><li>two <p>three</p></li></ul>", "one\ntwo\n\nthree"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
        ("<style>p {}</style><script>alert(1)</script><p>seen</p>", "seen"),
        ("<p>open <b>tags", "open tags"),
        ("2 < 3", "2 < 3"),
        ("<!-- comment -->text", "text"),
        ("Sam:<blockquote><p>one</p>two<br>three</blockquote>mine", "Sam:\n\n> one\n\n> two\n> three\n\nmine"),
        ("<blockquote><blockquote>one</blockquote>two</blockquote>", ">> one\n\n> two"),
        ("<p>no\x1cquote&#28;here</p>", "no quote here"),
    ],
)
def test_text_of_html(html, expected):
    assert text_of(html) == expected


def test_deep_html_is_no_danger():
    assert text_of("<div>" * 5_000 + "deep" + "</div>" * 5_000) == "deep"


def test_words():
    assert word_count("It's a well-known – fact: 2 < 3\n\nnaïve “quotes”… 🎉🙌") == 10
    assert word_count("") == 0
    assert word_count("> one two\n\n>> three\n\nfour > five") == 6


def test_links():
    html = """<a href="http://x.example/1">one</a> <a href=" https://x.example/2 ">two</a>
    <a href="javascript:alert(1)">bad</a> <a href="mailto:a@x.example">mail</a> <a href="/mod/page">here</a>
    <a href="http://x.example/1">again</a> <a href="http://[broken">broken</a> <a>none</a>
    <p>Also (see https://x.example/wiki/A_(b)) and https://x.example/3, https://x.example/4.</p>"""
    assert links_of(html, text_of(html)) == [
        "http://x.example/1",
        "https://x.example/2",
        "https://x.example/wiki/A_(b)",
        "https://x.example/3",
        "https://x.example/4",
    ]
