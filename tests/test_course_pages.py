"""Saved pages of a course, its books and forums: sections, activities in order, chapters, discussions."""

from __future__ import annotations

from test_pages import of, reading, saved

from loaders import pages
from loaders.tables import Page

DRAWER = (
    b'<nav id="courseindex">'
    b'<div class="courseindex-section" data-for="section" data-id="1" data-number="0"><ul>'
    b'<li class="courseindex-item" id="course-index-cm-1" data-for="cm" data-id="1">'
    b'<a href="#module-1">Announcements</a></li></ul></div></nav>'
)


def test_course_page_gives_sections_and_activities_in_order():
    found = reading("course")
    assert found.kind == "course structure"
    assert of(found, "section")[1:5] == [
        {
            "noun": "section",
            "moodle_id": 2,
            "number": 1,
            "name": "Week 1: Orientation & getting started",
        },
        {"noun": "section", "moodle_id": 3, "number": 2, "name": 'Week 2: Why ICT? "Toolbox" thinking'},
        {"noun": "section", "moodle_id": 4, "number": 3, "name": "Week 3: Planning with the TPACK framework"},
        {
            "noun": "section",
            "moodle_id": 15,
            "number": 14,
            "name": "Extra materials (subsection)",
            "parent": 4,
        },
    ]
    activities = {claim["cmid"]: claim for claim in of(found, "activity")}
    assert list(activities) == [1, 2, 3, 9, 12, 14, 46, 47, 18]
    assert [claim["position"] for claim in activities.values()] == list(range(1, 10))
    assert activities[2] == {
        "noun": "activity",
        "cmid": 2,
        "kind": "label",
        "name": "Welcome label",
        "section": 1,
        "position": 2,
    }
    assert activities[1]["name"] == "Announcements"  # not "Announcements Forum"
    assert activities[47]["section"] == 15
    assert (activities[46]["kind"], activities[46]["section"]) == ("subsection", 4)
    assert "tracked" not in activities[46]  # the page inside it is
    assert activities[18]["due_utc"] == "2016-04-01T13:59:00Z"  # in Brisbane, whatever the clock
    assert activities[12]["due_utc"] == "2016-05-27T13:59:00Z"  # "Closed:"
    assert found.notes == []


def test_the_course_index_beside_the_page_adds_nothing():
    html = saved("course").html.replace(b'<div id="region-main">', DRAWER + b'<div id="region-main">')
    assert list(reading(Page("p", html)).claims) == list(reading("course").claims)
    profile = saved("profile").html.replace(b"<header", DRAWER + b"<header")
    assert pages.recognise(Page("p", profile)) is None


def test_due_date_in_another_language_is_the_later_of_two():
    html = saved("course").html.replace(b"<strong>Due:", "<strong>Fällig am:".encode())
    activities = {claim["cmid"]: claim for claim in of(reading(Page("p", html)), "activity")}
    assert activities[18]["due_utc"] == "2016-04-01T13:59:00Z"
    html = html.replace(b"<strong>Closed:", b"<strong>Geschlossen:")
    activities = {claim["cmid"]: claim for claim in of(reading(Page("p", html)), "activity")}
    assert "due_utc" not in activities[12]  # one date alone may be when it opened


def test_page_of_one_section_has_no_places_in_the_course():
    found = reading("section")
    assert of(found, "section") == [
        {"noun": "section", "moodle_id": 15, "number": 14, "name": "Extra materials (subsection)"}
    ]
    assert of(found, "activity") == [
        {
            "noun": "activity",
            "cmid": 47,
            "kind": "page",
            "name": "Page inside a subsection",
            "section": 15,
            "tracked": 1,
        },
        {
            "noun": "activity",
            "cmid": 48,
            "kind": "url",
            "name": "Link inside a subsection",
            "section": 15,
            "tracked": 1,
        },
    ]
    assert found.course["fullname"] == "EDC3100 ICT and Pedagogy (Semester 1, 2016)"  # not the section's name


def test_course_page_of_moodle_41_that_shows_summaries():
    found = reading("course_41")
    assert list(found.claims) == [
        {"noun": "section", "moodle_id": 50, "number": 0, "name": "General"},
        {"noun": "section", "moodle_id": 51, "number": 1, "name": "1 March - 7 March"},
        {"noun": "activity", "cmid": 70, "kind": "forum", "name": "News & notices", "section": 50},
    ]
    assert len(found.notes) == 1 and "one section a page" in found.notes[0]


def test_book_gives_chapters():
    found = reading("book")
    assert of(found, "activity") == [
        {"noun": "activity", "cmid": 7, "kind": "book", "name": 'Week 1 learning path: "Why", what & how?'}
    ]
    assert [part["position"] for part in of(found, "part")] == [1, 2, 3, 4, 5]
    assert [(part["cmid"], part["kind"], part["moodle_id"], part["name"]) for part in of(found, "part")] == [
        (7, "chapter", 1, "Introduction"),  # the one on show, without a link
        (7, "chapter", 2, "What is ICT?"),
        (7, "chapter", 3, "A sub-topic: TPACK & you"),
        (7, "chapter", 4, "Activity — do this"),
        (7, "chapter", 5, "Summary"),
    ]


def test_forum_gives_discussions():
    found = reading("forum")
    assert of(found, "activity") == [
        {
            "noun": "activity",
            "cmid": 4,
            "kind": "forum",
            "name": "General discussion and Q&A",
            "instance_id": 2,
        }
    ]
    assert of(found, "part") == [
        {
            "noun": "part",
            "cmid": 4,
            "kind": "discussion",
            "moodle_id": 101,
            "name": 'HTTP topic 12: "hello" & welcome',
        },
        {"noun": "part", "cmid": 4, "kind": "discussion", "moodle_id": 69, "name": "😀 Week 14"},
    ]
    assert found.newest_utc == "2026-11-22T10:22:06Z"


def test_discussion_gives_itself():
    found = reading("discussion")
    assert of(found, "part") == [
        {"noun": "part", "cmid": 4, "kind": "discussion", "moodle_id": 69, "name": "😀 Week 14"}
    ]
