"""Finding a student, a post, an activity or a question by a part of what a teacher remembers."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from urllib.parse import urlencode

import pytest
from selectolax.lexbor import LexborHTMLParser as HTMLParser

from loaders import finding, finding_posts
from tests import made_up
from tests.test_audit import rows
from tests.visit import COLLEAGUE, get, instance

MARKUP = 'A <b>bold</b> word & "quotes" about TPACK, café'


@pytest.fixture
def datasette(tmp_path):
    path = made_up.small(tmp_path / "moodle.db")
    with closing(sqlite3.connect(path)) as db, db:
        post = "insert into blog_posts (id, person_id, title, text, url) values (?, ?, ?, ?, ?)"
        db.execute(post, (1, made_up.SAM, "My TPACK week", MARKUP, "https://sam.example.org/1"))
        db.execute(post, (2, made_up.SAM, "Evil", "AND OR NOT NEAR\x02 mark\x03 odd", "javascript:alert(1)"))
        db.execute(post, (3, made_up.BO, "Twice TPACK", "TPACK and TPACK, nothing but TPACK", None))
    return instance(path)


async def found(datasette, words: str, **more: str) -> HTMLParser:
    answer = await get(datasette, "/-/find?" + urlencode({"q": words, **more}))
    assert answer.status_code == 200, words
    return HTMLParser(answer.text)


def kinds(html: HTMLParser) -> dict[str, int]:
    """Heading -> how many the page says there are."""
    return {(said := section.css_first("h2").text().rsplit(": ", 1))[0]: int(said[1]) for section in html.css(".hits")}


@pytest.mark.parametrize("words", ["MÜLLER", "müller zoë", "zoe muller", "001012345", "zoe@student"])
async def test_one_hit_opens_the_page(datasette, words):
    answer = await get(datasette, f"/-/find?q={words}")
    assert answer.status_code == 302
    assert answer.headers["location"] == "/-/student?course=2&person=1&db=moodle"


async def test_several_are_a_short_list_to_choose_from(datasette):
    html = HTMLParser((await get(datasette, "/-/find?q=lee")).text)
    rows = [[cell.text() for cell in row.css("th, td")] for row in html.css("tbody tr")]
    assert rows == [
        ["Sam Lee", "sam1@student.example.edu", "001012826", "EDC3100"],
        ["Sam Lee", "sam2@student.example.edu", "001012863", "EDC3100"],
    ]
    assert (await get(datasette, html.css_first("tbody a").attributes["href"])).status_code == 200


async def test_nobody_is_said_so_and_markup_is_escaped(datasette):
    page = (await get(datasette, "/-/find?q=<script>qqq")).text
    assert "Nobody here has" in page and "<script" not in page
    assert (await get(datasette, "/-/find?q=")).status_code == 200
    assert (await get(datasette, "/-/find?q=lee", None)).status_code == 403


async def test_the_home_page_asks_here(datasette):
    form = HTMLParser((await get(datasette, "/")).text).css_first("form.find")
    assert form.attributes["action"] == "/-/find" and form.css_first('input[name="q"]')


async def test_a_student_who_is_not_named_in_full_stands_first_among_what_else_there_is(datasette):
    html = await found(datasette, "zoe")
    assert kinds(html) == {"People": 1, "Forum and blog posts": 1}
    assert html.css_first(".hits a").attributes["href"] == "/-/student?course=2&person=1&db=moodle"


async def test_all_kinds_with_their_links(datasette):
    html = await found(datasette, "TPACK")
    assert kinds(html) == {
        "Activities": 1,
        "Forum and blog posts": 2,
        "Chapters, discussions and pages": 1,
    }
    links = [link.attributes["href"] for link in html.css(".hits a") if not link.attributes["href"].startswith("#")]
    assert links == [
        "/moodle/never_opened?course=2&activity=13",
        "https://moodle.example.edu/mod/book/view.php?id=13",
        "/moodle/blog_posts/3",
        "/-/student?course=2&person=4&db=moodle#posts",
        "/moodle/blog_posts/1",
        "https://sam.example.org/1",
        "/-/student?course=2&person=2&db=moodle#posts",
        "https://moodle.example.edu/mod/book/view.php?id=13&chapterid=7",
    ]
    for link in links:
        assert link.startswith("https:") or (await get(datasette, link)).status_code == 200, link


async def test_sections_and_questions(datasette):
    html = await found(datasette, "week 1")
    assert kinds(html)["Sections"] == 1
    assert (
        html.css_first("#sections a").attributes["href"] == "https://moodle.example.edu/course/view.php?id=2#section-1"
    )
    html = await found(datasette, "NEVER opened this")
    assert [link.attributes["href"] for link in html.css("#questions a")] == ["/moodle/never_opened"]


async def test_hits_are_marked_and_everything_else_is_escaped(datasette):
    html = await found(datasette, "bold cafe")
    words = html.css_first("#posts .words")
    assert [mark.text() for mark in words.css("mark")] == ["bold", "café"] and words.text() == MARKUP
    assert not html.css("#posts b")
    html = await found(datasette, "near odd")
    words = html.css_first("#posts .words")
    assert [mark.text() for mark in words.css("mark")] == ["NEAR", "odd"] or "\x02" not in words.text()
    assert not [link for link in html.css("a") if link.attributes["href"].startswith("javascript")]


async def test_prefixes_count_and_all_words_must_stand_in_it(datasette):
    assert kinds(await found(datasette, "tpac quot"))["Forum and blog posts"] == 1
    assert "Forum and blog posts" not in kinds(await found(datasette, "tpack nowhere"))


HOSTILE = [
    '"', "'", '""', '"tpack', "tpack OR", "AND", "NOT tpack", "NEAR(a b)", "*", "tpack*", "^tpack", "title:tpack",
    "{title text}: tpack", "-tpack", "+", "(", "tpack)", "\x00", "tp\x00ack", "\ufffd",
    "x" * 10_000, "a " * 5_000, "%", "_", ";drop table people", "ﬁ", "\u202e", "<b>", "&lt;", "\n", "Ⅷ",
]  # fmt: skip


@pytest.mark.parametrize("words", HOSTILE, ids=range(len(HOSTILE)))
async def test_nothing_that_is_typed_breaks_it(datasette, words):
    answer = await get(datasette, "/-/find?" + urlencode({"q": words}))
    assert answer.status_code in (200, 302)
    if answer.status_code == 200:
        html = HTMLParser(answer.text)
        assert len(html.css_first("#find").attributes["value"] or "") <= finding.MOST
        assert bool(html.css(".hits") or html.css(".note")) == bool(finding.asked(words))
        assert not html.css("#find ~ script")
    assert ("Only the first 200" in answer.text) == (len(words) > finding.MOST)


async def test_operators_are_words(datasette):
    assert kinds(await found(datasette, "AND or not"))["Forum and blog posts"] == 1
    assert kinds(await found(datasette, '"TPACK" quot*'))["Forum and blog posts"] == 1


async def test_only_one_kind_and_what_is_left_out_is_said(datasette):
    with closing(sqlite3.connect(datasette.databases["moodle"].path)) as db, db:
        many = [(made_up.SAM, f"Lesson {n}", "about lee") for n in range(150)]
        db.executemany("insert into blog_posts (person_id, title, text) values (?, ?, ?)", many)
    html = await found(datasette, "lee")
    assert kinds(html) == {"People": 2, "Forum and blog posts": 150}
    assert len(html.css("#posts li")) == 10
    more = html.css_first("#posts > p a").attributes["href"]
    html = HTMLParser((await get(datasette, more)).text)
    assert kinds(html) == {"Forum and blog posts": 150} and len(html.css("#posts li")) == 100
    assert "These are the first 100; another word narrows it down." in html.body.text()


async def test_no_posts_loaded_is_not_none_found(tmp_path):
    path = made_up.small(tmp_path / "moodle.db")
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("delete from forum_posts")
    assert "No forum posts and no blogs are loaded yet" in (await found(instance(path), "tpack")).body.text()


async def test_nothing_is_found_where_a_visitor_may_not_look(datasette):
    metadata = datasette._metadata_local
    tables = metadata["databases"]["moodle"]["tables"]
    tables["blog_posts"]["allow"] = tables["parts"]["allow"] = {"id": "teacher"}
    metadata["databases"]["moodle"]["queries"]["never_opened"]["allow"] = {"id": "teacher"}
    answer = await get(datasette, "/-/find?q=tpack", COLLEAGUE)
    assert kinds(HTMLParser(answer.text)) == {"Activities": 1} and "never_opened" not in answer.text
    metadata["databases"]["moodle"]["allow"] = {"id": "teacher"}
    answer = await get(datasette, "/-/find?q=tpack", COLLEAGUE)
    assert not HTMLParser(answer.text).css(".hits")


async def test_a_search_is_recorded_without_its_words(datasette):
    await found(datasette, "tpack")
    assert rows(datasette, "what, student, person, about") == [("find", None, None, None)]


def test_nine_thousand_posts_are_looked_through_in_no_time(tmp_path):
    path = made_up.small(tmp_path / "moodle.db")
    with closing(sqlite3.connect(path)) as db, db:
        text = "the lesson about words that every student writes " * 30
        posts = [(made_up.SAM, f"Post {n}", f"{text} {'tpack' * (n % 90 == 0)}") for n in range(9000)]
        db.executemany("insert into blog_posts (person_id, title, text) values (?, ?, ?)", posts)
    db = sqlite3.connect(path)
    took = []
    for words, count in (("tpack", 100), ("lesson", 9000), ("p", 9000), ("student writes", 9000)):
        started = time.perf_counter()
        assert finding_posts.posts(db, words, 100)[1] == count
        took.append(time.perf_counter() - started)
    assert max(took) < 0.5, "some 30 ms on a machine that does nothing else"
