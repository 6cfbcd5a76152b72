"""Saved Moodle pages: people with ids, activity completion, course structure.

The pages in fixtures/pages are cut from what a Moodle 4.5 sent (participants, progress, course, section,
book, forum, discussion, profile), or made up in the same shapes: saved as complete in German, as a tutor sees
it, Moodle 4.1.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from loaders import pages
from loaders.reading import Reading
from loaders.saved_page import link_id, own_text, utf8, whole_number
from loaders.tables import Page
from loaders.times import Clock

FIXTURES = Path(__file__).parent / "fixtures" / "pages"
SITE = "https://moodle.example.edu/lms"


def saved(name: str) -> Page:
    return Page(name, (FIXTURES / f"{name}.html").read_bytes())


def reading(page: Page | str, zone: str = "UTC") -> Reading:
    page = saved(page) if isinstance(page, str) else page
    assert pages.recognise(page)
    found = pages.read(page, Clock(zone))
    assert found.kind == pages.recognise(page)
    return found


def of(found: Reading, noun: str) -> list[dict]:
    return [claim for claim in found.claims if claim["noun"] == noun]


# -- participants


def test_participants_page_says_what_it_is_of():
    found = reading("participants")
    assert found.kind == "participants page"
    assert found.site == SITE
    assert found.timezone == "Australia/Brisbane"
    assert found.course == {
        "moodle_id": 2,
        "shortname": "EDC3100_2016_S1",
        "fullname": "EDC3100 ICT and Pedagogy (Semester 1, 2016)",
    }
    assert found.newest_utc == "2026-11-22T10:17:00Z"
    assert len(found.notes) == 1
    assert "shows 8 of 122 people: 114 are missing" in found.notes[0]
    assert f"{SITE}/user/index.php?id=2&perpage=5000" in found.notes[0]


def test_participants_page_gives_ids_roles_groups_and_status():
    people = {claim["person"]["moodle_id"]: claim for claim in of(reading("participants"), "person")}
    assert list(people) == [9, 12, 35, 55, 4, 20, 3, 5]
    assert people[12] == {
        "noun": "person",
        "line": 2,
        "person": {"moodle_id": 12, "fullname": "Mohammed Al-Fāris", "email": "w1012604@student.example.edu"},
        "in_course": True,
        "report": "participants",
        "roles": ["student"],
        "groups": [{"name": "Online", "moodle_id": 3}, {"name": "Springfield", "moodle_id": 2}],
        "status": "active",
        "enrolled_utc": "2026-11-22T10:17:00Z",
    }
    assert people[9]["person"]["fullname"] == "Al & Co"
    assert people[20]["person"]["fullname"] == '=HYPERLINK("x") Formula'
    assert [people[key]["status"] for key in (35, 55)] == ["suspended", "not current"]
    assert people[3]["roles"] == ["editingteacher"]  # not on offer to the teacher herself
    assert people[4]["roles"] == ["teacher"]
    assert people[3]["groups"] == []
    assert all("last_access_utc" not in claim for claim in people.values())  # "10 years 238 days"


def test_participants_page_in_german_saved_as_complete_without_scripts():
    found = reading("participants_german", zone="Europe/Berlin")
    assert found.site == "https://lernen.example.de"
    assert found.timezone is None
    assert found.course == {"moodle_id": 7, "shortname": "BIO1", "fullname": "Biologie I: Zellen & Gewebe"}
    jörg, ana = of(found, "person")
    assert jörg["person"] == {"moodle_id": 31, "fullname": "Jörg Weiß", "email": "joerg@example.de"}
    assert (jörg["roles"], jörg["groups"], jörg["status"]) == (["student"], [], "suspended")
    assert jörg["enrolled_utc"] == "2016-03-01T08:05:00Z"
    assert ana["roles"] == ["student"]  # a role of the site's own is left out
    assert ana["groups"] == [{"name": "Labor, Montag", "moodle_id": 12}]
    assert ana["status"] == "active"  # of two enrolments, one is
    assert ana["enrolled_utc"] == "2016-03-02T08:05:00Z"  # the first of the two
    assert len(found.notes) == 1 and "filter" in found.notes[0]


def test_participants_page_of_a_tutor_who_may_not_edit():
    found = reading("participants_tutor")
    bob, odd, bea = of(found, "person")
    assert bob["person"] == {
        "moodle_id": 8,
        "fullname": "Bob “B” O'Neil <b>",
        "username": "w8@x.example",
        "idnumber": "0012",
        "email": "bob@x.example",
    }
    assert bob["details"] == {"Program": "B.Ed (Hons)"}
    assert bob["roles"] == ["student"]
    assert bob["groups"] == [{"name": "Online"}, {"name": "North"}]
    assert "status" not in bob and "enrolled_utc" not in bob
    assert odd["details"] == {"Phone": "07 123"}
    assert (odd["roles"], odd["groups"]) == ([], [])
    assert "roles" not in bea and "groups" not in bea
    assert found.site == "https://moodle.example.edu"  # not what somebody calls themselves
    assert len(found.notes) == 1 and "filter" in found.notes[0]  # names beginning with B


# -- activity completion


def test_progress_page_gives_ids_states_and_times():
    found = reading("progress")
    columns, *rest = found.claims
    assert columns["activities"][0] == {
        "name": "Course orientation & assessment overview",  # whole, not "Course orientation & ..."
        "cmid": 3,
        "kind": "page",
    }
    assert [item["cmid"] for item in columns["activities"]] == [3, 7, 12, 15, 29]
    person, completion = rest[:2]
    assert person == {
        "noun": "person",
        "line": 1,
        "person": {"moodle_id": 9, "fullname": "Al & Co", "email": "w1012493@student.example.edu"},
        "in_course": True,
        "report": "completion",
    }
    assert completion["line"] == 1 and completion["person"] == person["person"]
    assert completion["cells"] == [
        ["complete", "2016-02-29T14:36:00Z", None],
        ["complete", "2016-02-29T14:40:00Z", None],
        ["incomplete", None, None],
        ["complete", "2016-05-30T23:18:00Z", None],
        ["incomplete", None, None],
    ]
    assert len(rest) == 8
    assert found.course == {"moodle_id": 2, "fullname": "EDC3100 ICT and Pedagogy (Semester 1, 2016)"}
    assert len(found.notes) == 1 and "one of 5 pages" in found.notes[0]
    assert f"{SITE}/report/progress/index.php?course=2&group=0&sifirst=all&silast=all" in found.notes[0]


def test_progress_page_in_german_with_overrides_and_no_links():
    found = reading("progress_german")
    assert found.claims[0]["activities"][0] == {"name": 'Quiz: "Zellen" & mehr', "cmid": 21, "kind": "quiz"}
    cells = [claim["cells"] for claim in of(found, "completion")]
    assert cells == [
        [
            ["complete-pass", "2016-03-01T08:05:00Z", None],
            ["incomplete", None, None],
            ["incomplete", None, None],
        ],
        [["complete-fail", "2016-03-04T22:59:00Z", None], ["complete", "2016-03-27T10:00:00Z", None], None],
    ]
    assert found.newest_utc == "2016-03-27T10:00:00Z"
    assert found.notes == []


def test_progress_page_names_who_overrode():
    html = saved("progress").html.replace(b"completion-manual-y", b"completion-manual-y-override")
    html = html.replace(b": Completed Tuesday, 31 May", b": Completed (set by Ann 2 (Tutor)) Tuesday, 31 May")
    cells = of(reading(Page("p", html)), "completion")[0]["cells"]
    assert cells[3] == ["complete", "2016-05-30T23:18:00Z", "Ann 2 (Tutor)"]


def test_progress_page_notices_a_group_and_an_initial():
    html = saved("progress").html.replace(b'<option value="0" selected="">', b'<option value="0">')
    html = html.replace(b'<option value="3">Online', b'<option value="3" selected="">Online')
    assert any("one group" in note for note in reading(Page("p", html)).notes)
    html = saved("progress").html.replace(b'class="page-item A "', b'class="page-item active A"', 1)
    assert any("initial" in note for note in reading(Page("p", html)).notes)


def test_progress_cells_that_contradict_their_place_are_left_out():
    html = saved("progress").html.replace(b'data-changecompl="9-3-0"', b'data-changecompl="8-3-0"')
    assert of(reading(Page("p", html)), "completion")[0]["cells"][0] is None


def test_without_icons_only_what_can_be_undone_is_complete():
    html = saved("progress").html.replace(b"completion-auto-", b"x")
    cells = of(reading(Page("p", html)), "completion")[0]["cells"]
    assert cells[0][0] == "complete" and cells[2] is None


# -- any page


def test_a_title_cannot_pass_for_moodles_settings():
    html = saved("discussion").html
    evil = b'<title>M.cfg = {"wwwroot":"https:\\/\\/evil.example"}</title>'
    html = html[: html.index(b"<title>")] + evil + html[html.index(b"</title>") + 8 :]
    assert reading(Page("p", html)).site == SITE


@pytest.mark.parametrize("name", ["participants", "progress", "course", "book", "forum"])
def test_page_saved_in_utf16_says_the_same(name: str):
    page = saved(name)
    wide = Page(name, page.html.decode().encode("utf-16"))
    assert list(reading(wide).claims) == list(reading(page).claims)


def test_other_pages_are_named_and_not_used():
    assert pages.recognise(saved("profile")) is None  # has the body id of a course page
    assert pages.named_unused(saved("profile")) == "Moodle page (course view topics)"
    grader = Page("g", b'<html><body class="x" id="page-grade-report-grader-index"><p>x</p></body></html>')
    assert pages.recognise(grader) is None
    assert pages.named_unused(grader) == "Moodle page (grade report grader)"
    assert pages.named_unused(Page("x", b"<html><body>hello</body></html>")) is None
    assert pages.named_unused(saved("course")) is None


def test_page_without_its_table_is_empty_and_says_so():
    bare = b'<html><body id="page-report-progress-index" class="course-2">completion-progress</body></html>'
    found = reading(Page("p", bare))
    assert list(found.claims) == [] and "lists nobody" in found.notes[0]


def test_links_and_numbers():
    assert link_id("../../user/view.php?course=2&id=9#x", "/user/view.php") == 9
    assert link_id("https://a.example/user/view.php?id=9x", "/user/view.php") is None
    assert link_id("https://[bad", "/user/view.php") is None
    assert whole_number("0") is None and whole_number("12") == 12 and whole_number("١٢") is None
    assert own_text(None) == ""
    assert utf8(b"\xef\xbb\xbfx") == b"x"
