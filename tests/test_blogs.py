"""Whose blog is where: lists of any shape, matched in any order, taken back, corrected."""

from __future__ import annotations

import itertools
import json

import pytest
from click.testing import CliRunner
from exports import database, load, name, rows, viewed_course, write_log, write_participants
from made_blogs import HELD, PEOPLE, WHOSE, add, course, listed
from snapshot import differences, snapshot

from loaders import blog_words
from loaders.cli import cli
from loaders.errors import Unreadable
from loaders.places import Options
from loaders.unload import unload

__all__ = ["course"]


# ---- Matching ----


def test_any_order_of_files_ends_in_the_same_database(tmp_path):
    log = write_log(tmp_path / "logs.csv", [viewed_course("14/02/16, 10:00:00", user) for user in (5, 18, 19, 20)])
    people = write_participants(
        tmp_path / "participants.csv",
        [("Zoë", "Müller", "zoe@x.edu", "A"), ("Sam", "Lee", "sam@x.edu", "A"), ("Al", "& Co", "al@x.edu", "B")],
    )
    first = listed(
        tmp_path,
        ["Name", "Blog"],
        [name(5), "https://z.example.org/"],
        ["Sam Lee", "https://s.example.org/"],
        ["Nobody", "https://n.example.org/"],
    )
    second = listed(tmp_path, ["Email", "Blog"], ["al@x.edu", "https://a.example.org/"], name="second.csv")
    third = listed(
        tmp_path, ["Email", "Blog"], ["al@x.edu", "https://b.example.org/"], name="third.csv", when=1_600_000_000
    )
    seen = []
    for number, order in enumerate(list(itertools.permutations([log, people, first, second, third]))[::13]):
        folder = tmp_path / str(number)
        folder.mkdir()
        connection = database(folder)
        load(connection, *order)
        seen.append((snapshot(connection), rows(connection, WHOSE), rows(connection, HELD)))
        connection.close()
        assert not differences(seen[0][0], seen[-1][0]), (folder, order)
        assert seen[0][1:] == seen[-1][1:]
    assert seen[0][1] == [
        ("https://b.example.org/", "al@x.edu"),
        ("https://n.example.org/", None),
        ("https://s.example.org/", None),
        ("https://z.example.org/", "zoe@x.edu"),
    ]
    assert "several people have this name" in seen[0][2][1][1]


@pytest.mark.parametrize("number", ["001012826", "1012826", "1012826.0"])
@pytest.mark.parametrize("heading", ["Student no", "Student Number", "Matr.-Nr.", "Student", "ID number"])
def test_a_student_number_is_known_by_what_institutions_call_it_also_without_its_zeros(tmp_path, heading, number):
    connection = database(tmp_path)
    people = tmp_path / "people.json"
    sam = {"id": 18, "fullname": "Sam Lee", "idnumber": "001012826", "roles": [{"shortname": "student"}]}
    people.write_text(json.dumps([sam]))
    load(connection, people, course=2)
    path = listed(tmp_path, [heading, "Campus", "Blog"], [number, "Toowoomba", "https://sam.example.org/"])
    outcome = add(connection, path)
    assert rows(connection, "select moodle_id from feeds join people on people.id = person_id") == [(18,)]
    said = "1 id numbers had lost their leading zeros and were matched without them" in outcome.notes
    assert said == (not number.startswith("00"))


@pytest.mark.parametrize("heading", ["Student", "Name", "Surname, first name"])
@pytest.mark.parametrize("who", ["Sam Lee", "Lee, Sam"])
def test_a_column_of_names_is_known_by_what_people_call_it(course, tmp_path, heading, who):
    add(course, listed(tmp_path, [heading, "Blog"], [who, "https://sam.example.org/"]))
    assert rows(course, WHOSE) == [("https://sam.example.org/", "sam@x.edu")]


def test_an_address_of_two_students_is_nobodys_until_the_teacher_says_whose(course, tmp_path):
    add(
        course,
        listed(
            tmp_path,
            ["Email", "Blog"],
            ["sam@x.edu", "http://us.example.org"],
            ["ann@x.edu", "https://us.example.org/"],
        ),
    )
    assert [person for _, person in rows(course, WHOSE)] == [None]
    assert [why.startswith("two students gave this address") for _, why in rows(course, HELD)] == [True, True]
    blog_words.add(course, Options(), "Ann O'Brien", ("https://us.example.org",))
    assert rows(course, WHOSE) == [("https://us.example.org/", "ann@x.edu")]
    assert rows(course, HELD) == []


@pytest.mark.parametrize("by_hand", [False, True])
def test_a_classmates_address_in_a_profile_takes_nobody_anything(course, tmp_path, by_hand):
    if by_hand:
        blog_words.add(course, Options(), "sam@x.edu", ("https://sam.example.org/",))
    else:
        add(course, listed(tmp_path, ["Email", "Blog"], ["sam@x.edu", "https://sam.example.org/"]))
    blog_words.follow_field(course, Options(), "My blog")
    users = tmp_path / "users.json"
    users.write_text(
        '[{"id": 6, "fullname": "Ann O\'Brien", "email": "ann@x.edu", "roles": [{"shortname": "student"}],'
        ' "customfields": [{"type": "text", "name": "My blog", "value": "http://www.sam.example.org"}]}]'
    )
    load(course, users, course=2)
    assert rows(course, WHOSE) == [("https://sam.example.org/", "sam@x.edu")]
    ((_, why),) = rows(course, HELD)
    assert why.startswith("this student's profile names a blog that you registered for somebody else")
    blog_words.add(course, Options(), "ann@x.edu", ("https://sam.example.org/",))
    assert rows(course, WHOSE) == [("https://sam.example.org/", "ann@x.edu")] and rows(course, HELD) == []


def test_a_name_with_another_email_is_not_guessed(course, tmp_path):
    add(
        course,
        listed(tmp_path, ["Name", "Email", "Blog"], ["Sam Lee", "sammy@mail.example", "https://s.example.org/"]),
    )
    assert rows(course, WHOSE) == [("https://s.example.org/", None)]
    assert "known, by another e-mail or id number: correct the row" in rows(course, HELD)[0][1]


def test_a_corrected_list_needs_no_home_for_its_old_mistake(course, tmp_path):
    add(course, listed(tmp_path, ["Email", "Blog"], ["smm@x.edu", "https://sam.example.org/"]))
    assert len(rows(course, HELD)) == 1
    corrected = listed(
        tmp_path, ["Email", "Blog"], ["sam@x.edu", "https://sam.example.org/"], name="new.csv", when=1_600_000_000
    )
    add(course, corrected)
    assert rows(course, WHOSE) == [("https://sam.example.org/", "sam@x.edu")]
    assert rows(course, HELD) == []


def test_people_who_turn_out_to_be_one_keep_the_blog(tmp_path):
    connection = database(tmp_path)
    load(connection, write_participants(tmp_path / "participants.csv", PEOPLE), course=2)
    add(connection, listed(tmp_path, ["Email", "Blog"], ["zoe@x.edu", "https://z.example.org/"]))
    ((before,),) = rows(connection, "select id from feeds")
    load(connection, write_log(tmp_path / "logs.csv", [viewed_course("14/02/16, 10:00:00", 5)]))
    assert rows(connection, "select feeds.id, moodle_id from feeds join people on people.id = person_id") == [
        (before, 5)
    ]


def test_unload_takes_a_list_back_with_its_posts(course, tmp_path):
    outcome = add(course, listed(tmp_path, ["Email", "Blog"], ["sam@x.edu", "https://sam.example.org/"]))
    course.execute("insert into blog_posts (feed_id, guid, person_id) select id, 'p', person_id from feeds")
    course.execute("insert into post_links (blog_post_id, url) select id, 'https://a.org/' from blog_posts")
    unload(course, outcome.load_id)
    for table in ("feeds", "blog_posts", "post_links", "unmatched"):
        assert rows(course, f"select count(*) from {table}") == [(0,)], table


def test_posts_outlive_the_unloading_of_their_student(tmp_path):
    connection = database(tmp_path)
    people = write_participants(tmp_path / "participants.csv", PEOPLE)
    (outcome,) = load(connection, people, course=2)
    add(connection, listed(tmp_path, ["Email", "Blog"], ["sam@x.edu", "https://sam.example.org/"]))
    connection.execute("insert into blog_posts (feed_id, guid, person_id) select id, 'p', person_id from feeds")
    unload(connection, outcome.load_id)
    assert rows(connection, "select guid, person_id from blog_posts") == [("p", None)]
    load(connection, people, course=2)
    assert rows(connection, "select guid, email from blog_posts join people on people.id = person_id") == [
        ("p", "sam@x.edu")
    ]


def test_an_address_written_in_another_way_keeps_its_posts(course, tmp_path):
    add(course, listed(tmp_path, ["Email", "Blog"], ["sam@x.edu", "http://sam.example.org"]))
    ((before,),) = rows(course, "select id from feeds")
    course.execute("insert into blog_posts (feed_id, guid) values (?, 'p')", (before,))
    newer = listed(
        tmp_path, ["Email", "Blog"], ["sam@x.edu", "https://www.sam.example.org/"], name="n.csv", when=1_600_000_000
    )
    add(course, newer)
    assert rows(course, "select id, url from feeds") == [(before, "https://www.sam.example.org/")]
    assert rows(course, "select feed_id, person_id is not null from blog_posts") == [(before, 1)]


# ---- By hand ----


@pytest.mark.parametrize("who", ["sam@x.edu", "Sam Lee", "SAM LEE "])
def test_by_hand_in_place_of_the_file_and_removed_again(course, tmp_path, who):
    add(course, listed(tmp_path, ["Email", "Blog"], ["sam@x.edu", "https://old.example.org/"]))
    assert blog_words.add(course, Options(), who, ("https://new.example.org", "https://two.example.org"))[1] is None
    assert rows(course, WHOSE) == [("https://new.example.org/", "sam@x.edu"), ("https://two.example.org/", "sam@x.edu")]
    assert len(blog_words.remove(course, Options(), "sam@x.edu")) == 2
    assert rows(course, WHOSE) == []
    blog_words.add(course, Options(), who, ("https://new.example.org",))
    assert rows(course, WHOSE) == [("https://new.example.org/", "sam@x.edu")]


def test_somebody_not_known_yet_waits(course):
    load_id, why = blog_words.add(course, Options(), "late@x.edu", ("https://late.example.org/",))
    assert why == "nobody is called “late@x.edu” yet, nor is it anybody's e-mail address, id number or user name"
    assert rows(course, HELD) == [("https://late.example.org/", why)]
    unload(course, load_id)
    assert rows(course, WHOSE) == []


def test_of_two_with_one_name_neither_is_meant(tmp_path):
    connection = database(tmp_path)
    two = [*PEOPLE, ("Sam", "Lee", "sam2@x.edu", "B")]
    load(connection, write_participants(tmp_path / "participants.csv", two), course=2)
    lines = [["Email", "Blog"], ["sam@x.edu", "https://s.example.org/"], ["zoe@x.edu", "https://z.example.org/"]]
    add(connection, listed(tmp_path, *lines, ["sam2@x.edu", "https://t.example.org/"]))
    loads = rows(connection, "select count(*) from loads")
    with pytest.raises(Unreadable, match=r"2 people are called Sam Lee: say which by one of sam2@x.edu, sam@x.edu$"):
        blog_words.add(connection, Options(), "Sam Lee", ("https://u.example.org/",))
    both = r"2 people are called sam lee: say which by one of sam2@x.edu \(https://t.+/\), sam@x.edu \(https://s.+/\)$"
    for who in ("sam lee", "Lee, Sam"):
        with pytest.raises(Unreadable, match=both.replace("sam lee", who)):
            blog_words.remove(connection, Options(), who)
    assert rows(connection, "select count(*) from loads") == loads
    assert len(rows(connection, WHOSE)) == 3
    assert blog_words.remove(connection, Options(), "SAM2@x.edu") == ["https://t.example.org/"]
    assert blog_words.remove(connection, Options(), "Sam Lee") == ["https://s.example.org/"], "the only one with a blog"
    assert rows(connection, WHOSE) == [("https://z.example.org/", "zoe@x.edu")]


def test_what_is_no_blog_is_said(course):
    with pytest.raises(Unreadable, match="copy it from the browser"):
        blog_words.add(course, Options(), "Sam Lee", ("sam's blog",))
    with pytest.raises(Unreadable, match="blogs status"):
        blog_words.remove(course, Options(), "Sam Lee")


def test_a_profile_field_is_followed_at_every_load(tmp_path):
    connection = database(tmp_path)
    blog_words.follow_field(connection, Options(), "My blog")
    users = tmp_path / "users.json"
    users.write_text(
        '[{"id": 5, "fullname": "Zoë Müller", "email": "zoe@x.edu", "roles": [{"shortname": "student"}],'
        ' "customfields": [{"type": "text", "name": "My Blog", "shortname": "blog", "value": "zoe.example.org"}]},'
        '{"id": 6, "fullname": "Sam Lee", "email": "sam@x.edu", "roles": [{"shortname": "student"}],'
        ' "customfields": [{"type": "text", "name": "My Blog", "shortname": "blog", "value": "https://s.example.org"}]}]'
    )
    (outcome,) = load(connection, users, course=2)
    assert outcome.error is None
    assert rows(connection, WHOSE) == [
        ("https://s.example.org/", "sam@x.edu"),
        ("https://zoe.example.org/", "zoe@x.edu"),
    ]
    add(connection, listed(tmp_path, ["Email", "Blog"], ["sam@x.edu", "https://list.example.org/"]))
    assert [url for url, _ in rows(connection, WHOSE)] == ["https://list.example.org/", "https://zoe.example.org/"]


# ---- What is said ----


def test_the_status_of_a_blog_that_never_answered_and_of_a_large_class(tmp_path, monkeypatch):
    many = [*PEOPLE, *(("Student", f"No {place:03}", f"s{place}@x.edu", "A") for place in range(40))]
    connection = database(tmp_path)
    load(connection, write_participants(tmp_path / "participants.csv", many), course=2)
    lines = [["sam@x.edu", "http://127.0.0.1:9/sam/"], ["zoe@x.edu", "https://zoe.example.org/"]]
    add(connection, listed(tmp_path, ["Email", "Blog"], lines[0]))
    connection.close()
    monkeypatch.chdir(tmp_path)
    run = CliRunner().invoke
    told = run(cli, ["blogs", "fetch"]).output
    assert told.startswith("http://127.0.0.1:9/sam/ (Sam Lee): ")
    assert run(cli, ["blogs", "add", "--student", *lines[1]]).exit_code == 0
    told = run(cli, ["blogs", "status"]).output.splitlines()
    assert told[1:3] == ["  Sam Lee: http://127.0.0.1:9/sam/", "      never answered"]
    assert told[told.index("  Zoë Müller: https://zoe.example.org/") + 1] == "      not fetched yet"
    begin = told.index("Students without a blog: 42")
    assert told[begin + 21] == "  and 22 more: coursette blogs status --all"
    whole = run(cli, ["blogs", "status", "--all"]).output
    assert len(whole.splitlines()) == len(told) + 21 and "more: coursette" not in whole
