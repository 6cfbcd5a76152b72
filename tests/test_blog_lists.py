"""Lists of blogs: which columns, pages and readers' files say whose blog is where."""

from __future__ import annotations

import pytest
from click.testing import CliRunner
from exports import load, rows
from made_blogs import HELD, PEOPLE, WHOSE, add, course, listed

from loaders.blog_address import addresses_in, home, same
from loaders.cli import cli

__all__ = ["course"]

BIM = """<html><head><title>BIM</title><script>M.cfg = {"wwwroot":"https://moodle.x.edu","courseId":2};</script></head>
<body id="page-mod-bim-view" class="course-2"><h2>Your students</h2>
<table class="generaltable"><tr><th>Username</th><th>Name</th><th>Email</th><th>Register blog</th></tr>
<tr><td>w9</td><td>O'Brien, Ann</td><td><a href="mailto:ann@x.edu">Send email</a></td>
<td><a href="https://moodle.x.edu/mod/bim/view.php?id=9&screen=changeBlogRegistration&student=7">Register blog</a></td>
</tr></table>
<table class="generaltable"><tr><th>Username</th><th>Name</th><th>Email</th><th>#Posts</th><th>Last post</th>
<th>Student blog</th></tr>
<tr><td>w1</td><td>Lee, Sam</td><td><a href="mailto:sam@x.edu">Send email</a></td><td>4</td><td>2 days</td>
<td><a href="http://sam.example.org">View current</a> |
<a href="https://moodle.x.edu/mod/bim/view.php?id=9&screen=changeBlogRegistration&student=5">Change it</a></td></tr>
</table></body></html>"""
# As BIM writes it: blanks before the declaration, and UTF-8 that calls itself ISO-8859-1.
OPML = """        <?xml version="1.0" encoding="ISO-8859-1"?>
        <opml version="2.0"><head><title>Your students</title></head><body>
<outline text="Blog for Zoë Müller (w2)" title="Blog for Zoë Müller (w2)" htmlUrl="https://zoe.example.org"
 xmlUrl="https://zoe.example.org/feed" type="rss" />
<outline text="Course"><outline title="Ann O'Brien's blog" xmlUrl="https://ann.example.org/atom.xml"/></outline>
<outline text="Things I read" xmlUrl="https://news.example.org/rss"/></body></opml>"""


# ---- Addresses ----


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ("HTTPS://Sam.WordPress.com", ["https://sam.wordpress.com/"]),
        ("my blog: http://a.org/x#top, or https://b.org/y.", ["http://a.org/x", "https://b.org/y"]),
        ("sam.wordpress.com", ["https://sam.wordpress.com/"]),
        ("127.0.0.1:8123/al/", ["http://127.0.0.1:8123/al/"]),
        ("blogs.example.edu:8080/~al", ["http://blogs.example.edu:8080/~al"]),
        ("sam.example.org:443", ["https://sam.example.org:443/"]),
        ("1.2.2026", []),
        ("sam@wordpress.com", []),
        ("none yet", []),
        ("https://user:secret@a.org/", []),
        ("javascript:alert(1)", []),
        ("https://a.org:port/", []),
    ],
)
def test_addresses_are_found_in_what_people_type(cell, found):
    assert addresses_in(cell) == found


@pytest.mark.parametrize(
    ("url", "begins"),
    [
        ("https://www.sam.example.org/feed/", "sam.example.org"),
        ("https://sites.google.com/view/sam/home", "sites.google.com/view/sam"),
        ("https://medium.com/@sam", "medium.com/@sam"),
        ("https://example.edu/~sam/blog", "example.edu/~sam"),
    ],
)
def test_the_home_of_a_blog_is_its_host_or_its_folder(url, begins):
    assert home(url) == begins


def test_one_blog_has_several_addresses():
    assert same("http://www.a.org/x/") == same("https://a.org/x") != same("https://a.org/y")


# ---- Lists ----


def test_a_table_in_any_language_with_what_is_left_out_said(course, tmp_path):
    path = listed(
        tmp_path,
        ["Vorname", "Nachname", "E-Mail-Adresse", "Weblog"],
        ["Sam", "Lee", "SAM@x.edu", "https://Sam.example.org"],
        ["Zoë", "Müller", "zoe@x.edu", "keines"],
        ["New", "Body", "new@x.edu", "https://new.example.org/"],
    )
    outcome = add(course, path)
    assert (outcome.rows_read, outcome.rows_unmatched, outcome.error) == (2, 1, None)
    assert outcome.notes == ["rows without an address were passed over: 1"]
    assert rows(course, WHOSE) == [("https://new.example.org/", None), ("https://sam.example.org/", "sam@x.edu")]
    assert rows(course, HELD) == [
        (
            "https://new.example.org/",
            "nobody is known yet by what this row says: load the participants, or correct the list",
        )
    ]
    assert rows(course, "select count(*) from people") == [(len(PEOPLE),)]


def test_rows_with_bad_addresses_are_told_one_by_one(course, tmp_path):
    bad = [
        ["Sam", "Lee", "sam@x.edu", "ftp://sam.example.org"],
        ["Ann", "O'Brien", "ann@x.edu", "http//oneil.example.org"],
        ["", "", "al@x.edu", "https://al:hunter2@al.example.org/"],
        ["", "", "", "me@mail.example"],
    ]
    path = listed(
        tmp_path,
        ["First name", "Surname", "Email", "Blog"],
        ["Zoë", "Müller", "zoe@x.edu", "https://zoe.example.org/"],
        *bad,
        *(["A", "B", "", none] for none in ("TBA", "", "n.a.", "-")),
    )
    assert add(course, path).notes == [
        "line 3 (Sam Lee): 'ftp://sam.example.org' is no address of a blog",
        "line 4 (Ann O'Brien): 'http//oneil.example.org' is no address of a blog",
        "line 5 (al@x.edu): 'https://...@al.example.org/' is no address of a blog",
        "line 6: 'me@mail.example' is no address of a blog",
        "rows without an address were passed over: 4",
    ]
    assert not any("hunter2" in line for line in course.iterdump())
    good = [["", "", "zoe@x.edu", f"https://z{place}.example.org"] for place in range(9)]
    notes = add(
        course, listed(tmp_path, ["First name", "Surname", "Email", "Blog"], *good, *bad * 6, name="b.csv")
    ).notes
    assert len(notes) == 21 and notes[-1] == "and 4 rows more whose address is none"


def test_rows_without_a_student_are_listed(course, tmp_path, monkeypatch):
    add(course, listed(tmp_path, ["Email", "Blog"], ["sam@x.edu", "https://sam.example.org/"]))
    monkeypatch.chdir(tmp_path)
    lines = [["<b>Bo</b> Lee", "bo@x.edu", "https://bo.example.org/"], ["Zoë", "", "https://z.example.org/"]]
    listed(tmp_path, ["Name", "Email", "Blog"], *lines, name="more.csv")
    told = CliRunner().invoke(cli, ["blogs", "add", "more.csv"]).output
    why = "nobody is known yet by what this row says: load the participants, or correct the list"
    assert f"  line 2 (bo@x.edu, <b>Bo</b> Lee, https://bo.example.org/): {why}" in told
    assert f"  line 3 (Zoë, https://z.example.org/): {why}" in told


def test_a_column_that_no_heading_explains_is_known_by_the_people_in_it(course, tmp_path):
    add(
        course,
        listed(
            tmp_path,
            ["Wer?", "Note", "Wo?"],
            ["Sam Lee", "7", "https://sam.example.org/"],
            ["Ann O’Brien", "7", "https://ann.example.org/"],
            ["Al & <b>Co</b>", "8", "https://al.example.org/ https://al2.example.org/"],
        ),
    )
    assert rows(course, WHOSE) == [
        ("https://al.example.org/", "al@x.edu"),
        ("https://al2.example.org/", "al@x.edu"),
        ("https://ann.example.org/", "ann@x.edu"),
        ("https://sam.example.org/", "sam@x.edu"),
    ]


def test_a_blog_column_and_a_feed_column(course, tmp_path):
    lines = [["Email", "Feed", "Blog"], ["sam@x.edu", "https://f.example.org/sam.xml", "https://sam.example.org/"]]
    add(course, listed(tmp_path, *lines))
    assert rows(course, "select url, feed_url from feeds") == [
        ("https://sam.example.org/", "https://f.example.org/sam.xml")
    ]


def test_the_opml_of_bim_and_of_feed_readers_is_known_to_load(course, tmp_path):
    path = tmp_path / "the file.opml"
    path.write_text(OPML, encoding="utf-8")
    (outcome,) = load(course, path)
    assert (outcome.kind, outcome.rows_read, outcome.rows_unmatched) == ("blogs", 3, 1)
    assert rows(course, WHOSE) == [
        ("https://ann.example.org/atom.xml", "ann@x.edu"),
        ("https://news.example.org/rss", None),
        ("https://zoe.example.org/", "zoe@x.edu"),
    ]
    assert "blogs add --student" in rows(course, HELD)[0][1]


def test_a_title_that_only_contains_a_name_is_no_match(course, tmp_path):
    path = tmp_path / "reader.opml"
    path.write_text('<opml><body><outline text="Mary Sam Lee on tour" xmlUrl="https://m.example.org/"/></body></opml>')
    add(course, path)
    assert rows(course, WHOSE) == [("https://m.example.org/", None)]


@pytest.mark.parametrize(
    "content", [OPML[:300], '<!DOCTYPE o [<!ENTITY a "b">]><opml><body/></opml>', "<?xml version='1.0'?><opml><body>"]
)
def test_a_damaged_opml_is_one_sentence(course, tmp_path, content):
    path = tmp_path / "x.opml"
    path.write_text(content)
    outcome = add(course, path)
    assert outcome.error and outcome.error.count("\n") == 0
    assert rows(course, WHOSE) == []


def test_a_saved_page_of_bim(course, tmp_path):
    path = tmp_path / "Your students.html"
    path.write_text(BIM, encoding="utf-8")
    (outcome,) = load(course, path)
    assert (outcome.kind, outcome.rows_read, outcome.error) == ("blogs", 1, None)
    assert rows(course, WHOSE) == [("http://sam.example.org/", "sam@x.edu")]


def test_a_table_without_addresses_says_what_it_needs(course, tmp_path):
    outcome = add(course, listed(tmp_path, ["Email", "Campus"], ["sam@x.edu", "Springfield"]))
    assert "no column of this table holds web addresses" in outcome.error


def test_a_list_of_links_is_not_taken_for_blogs_by_load(course, tmp_path):
    (outcome,) = load(course, listed(tmp_path, ["Title", "Link"], ["TPACK", "https://tpack.example.org/"]))
    assert outcome.error and rows(course, WHOSE) == []


def test_addresses_that_students_handed_in_are_not_taken_for_blogs_by_load(course, tmp_path):
    lines = [["Full name", "Email address", "Online text"], ["Sam Lee", "sam@x.edu", "https://docs.example.com/d/1"]]
    path = listed(tmp_path, *lines, name="grading.csv")
    (outcome,) = load(course, path)
    assert outcome.error and rows(course, WHOSE) == []
    assert add(course, path).error is None  # where the teacher says that they are blogs
    assert rows(course, WHOSE) == [("https://docs.example.com/d/1", "sam@x.edu")]


def test_load_knows_a_table_of_students_and_blogs(course, tmp_path):
    (outcome,) = load(course, listed(tmp_path, ["Who", "Blog"], ["sam@x.edu", "https://sam.example.org/"]))
    assert (outcome.kind, outcome.error) == ("blogs", None)
    assert rows(course, WHOSE) == [("https://sam.example.org/", "sam@x.edu")]
