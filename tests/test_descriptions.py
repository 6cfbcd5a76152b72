"""What one log line says for certain: the ids, the event class and the part, out of its Description.

fixtures/event_descriptions.jsonl holds 607 texts of 201 event classes as Moodle 4.1, 4.5 and 5.1 write and
export them, with the ids to expect. Its `other` holds ids that are kept only where they are a part of an
activity (the discussion of a post, the page of a wiki version).
"""

import json
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from loaders.descriptions import normal, read
from loaders.wordings import PARTS, Wording, event_types, labels, table

KNOWN = [
    json.loads(line)
    for line in (Path(__file__).parent / "fixtures/event_descriptions.jsonl").read_text("utf-8").splitlines()
]
BASELINE = [case for case in KNOWN if case["variant"] == "baseline"]
WORDINGS = list(dict.fromkeys(wording for bucket in table().opening.values() for _, wording in bucket))
# The fixture gave the page number of an attempt the same value as the quiz's id; the text has no instance id.
PAGE_IS_NO_INSTANCE = {r"mod_quiz\event\attempt_viewed", r"mod_quiz\event\attempt_updated"}
# One wording, two classes: told apart by the English names, the recycle bin's not even by these.
SHARED = {"added consent to", "revoked consent to", "Item created with"}
HOSTILE = "it's here with course module id '9999' and course with id '9998', user with id '9997'"


def ids(line):
    """The ids of a Line, without those not said."""
    kept = ("user", "related", "cmid", "course", "object", "instance", "part")
    return {name: value for name in kept if (value := getattr(line, name)) is not None}


@pytest.mark.parametrize("case", KNOWN, ids=lambda case: f"{case['class']} {case['variant']}")
def test_known_texts(case):
    """Every text of the fixture, in every form it is exported in, gives the ids expected and no others."""
    expect = case["expect"]
    for text in case["texts"]:
        line = read(case["component"], case["name"], text)
        user = expect.get("user_id")
        assert (line.user, line.nobody) == ((user, False) if user not in (0, -1) else (None, True))
        assert line.related == expect.get("related_user_id")
        assert line.cmid == expect.get("cmid")
        assert line.course == expect.get("course_id")
        assert line.object == expect.get("object_id")
        instance = None if case["class"] in PAGE_IS_NO_INSTANCE else expect.get("instance_id")
        assert line.instance == instance
        assert line.part is None or line.part[1] in (line.object, *expect.get("other", {}).values())
        assert line.crud == case["crud"]
        assert line.eventclass == (None if text.startswith("Item created") else "\\" + case["class"])


@pytest.mark.parametrize("case", BASELINE, ids=lambda case: case["class"])
def test_any_language(case):
    """The other two columns may be in any language: the ids are the same, and mostly the class, too."""
    text = case["texts"][0]
    line = read("Irgendein Plugin", "Irgendwas geschah", text)
    assert ids(line) == ids(read(case["component"], case["name"], text))
    if any(shared in text for shared in SHARED):
        assert line.eventclass is None
    else:
        assert (line.eventclass, line.crud) == ("\\" + case["class"], case["crud"])
        assert line.name == event_types()["\\" + case["class"]].name


@pytest.mark.parametrize("case", KNOWN, ids=lambda case: f"{case['class']} {case['variant']}")
def test_exports_of_every_version_are_one_text(case):
    assert len({normal(text) for text in case["texts"]}) == 1


def test_normal():
    assert normal("for the   \xa0 \xa0 \xa0 user with id &#039;8&#039;.") == "for the user with id '8'."
    assert normal("MFA. <br> Information: x &lt; y &amp;amp; z") == "MFA. Information: x < y & z"


U = "The user with id '17' "
CM = " with course module id '9'."
COURSE_LOG = """
# component : event name : description (U, CM as above) : event class : kind of activity : ids
System : Course viewed : U viewed the course with id '2'. : core course_viewed : : course 2
System : Course viewed : U viewed the section number '3' of the course with id '2'. \
  : core course_viewed : : course 2
Book : Chapter viewed : U viewed the chapter with id '4' for the book CM \
  : mod_book chapter_viewed : book : chapter 4
Page : Course module viewed : U viewed the 'page' activity CM : mod_page course_module_viewed : page :
Forum : Discussion viewed : U has viewed the discussion with id '4' in the forum CM \
  : mod_forum discussion_viewed : forum : discussion 4
Forum : Post created : U has created the post with id '5' in the discussion with id '4' in the forum CM \
  : mod_forum post_created : forum : discussion 4, object 5
Forum : Some content has been posted. : U has posted content in the forum post with id '5' in the \
  discussion '4' located in the forum CM : mod_forum assessable_uploaded : forum : discussion 4, object 5
Lesson : Content page viewed : U has viewed the content page with id '4' in the lesson activity CM \
  : mod_lesson content_page_viewed : lesson : page 4
Lesson : Question viewed : U has viewed the Multiple choice question with id '4' in the lesson activity CM \
  : mod_lesson question_viewed : lesson : page 4
SCORM package : Sco launched : U launched the sco with id '4' for the scorm CM \
  : mod_scorm sco_launched : scorm : sco 4
Wiki : Wiki page viewed : U viewed the page with id '4' for the wiki CM \
  : mod_wiki page_viewed : wiki : wikipage 4
Wiki : Wiki version restored : U restored version '5' for the page with id '4' for the wiki CM \
  : mod_wiki page_version_restored : wiki : wikipage 4, object 5
Glossary : Entry has been viewed : U has viewed the glossary entry with id '4' in the glossary activity CM \
  : mod_glossary entry_viewed : glossary : entry 4
Database : Record created : U created the data record with id '4' for the data activity CM \
  : mod_data record_created : data : record 4
System : Course module created : U created the 'label' activity CM \
  : core course_module_created : label : object 9
Online text submissions : Submission created. : U created an online text submission with '350' words in the \
  assignment CM : assignsubmission_onlinetext submission_created : assign :
System : Role assigned : U assigned the role with id '5' to the user with id '18'. : core role_assigned : \
  : object 5, related 18
System : User profile viewed : U viewed the profile for the user with id '18' in the course with id '2'. \
  : core user_profile_viewed : : object 18, related 18, course 2
"""


def course_log():
    for row in COURSE_LOG.strip().splitlines()[1:]:
        *columns, said = (cell.strip() for cell in row.replace("U ", U).replace(" CM", CM).split(" :"))
        numbers = {role: int(number) for role, number in (pair.split() for pair in said.split(", ") if pair)}
        yield pytest.param(*columns, numbers, id=columns[3])


@pytest.mark.parametrize("component, name, text, event, module, said", list(course_log()))
def test_course_log(component, name, text, event, module, said):
    line = read(component, name, text)
    kind = event_types()["\\" + event.replace(" ", "\\event\\")]
    assert line[:5] == kind[:5]
    assert line.module == (module or None)
    part = next(((role, number) for role, number in said.items() if role in PARTS), None)
    expected = {role: number for role, number in said.items() if role not in PARTS}
    if part:
        expected = {"object": part[1], "part": part} | expected
    if "course module" in text:
        expected["cmid"] = 9
    assert ids(line) == {"user": 17} | expected


TRAPS = {
    # whom comes before who; a grade's id; a course that is called a course module; an instance; a restore
    U + "has graded the submission '40' for the user with id '18' for the assignment" + CM:
        {"user": 17, "related": 18, "cmid": 9, "object": 40},
    U + "added the comment with id '6' to the 'block_comments' with course module id '2'.":
        {"user": 17, "course": 2, "object": 6},
    "The user with id '18' has had their attempt with id '4' previewed by the user with id '17'"
    " for the quiz" + CM:
        {"user": 17, "related": 18, "cmid": 9, "object": 4},
    "The user with id '18' has started the attempt with id '4' for the quiz" + CM:
        {"related": 18, "cmid": 9, "object": 4},
    U + "has moved the discussion with id '4' from the forum with id '1' to the forum with id '2'.":
        {"user": 17, "object": 4, "instance": 2, "part": ("discussion", 4)},
    "The attempt with id 11 for for quiz with course module id 12 by user with id 41"
    " had automatic grading performed.":
        {"related": 41, "cmid": 12, "object": 11},
    U + "viewed the chapter with id '-31337' for the book" + CM:
        {"user": 17, "cmid": 9},
    # up to Moodle 3.8
    U + "has viewed the attempt with id '4' belonging to the user with id '18' for the quiz" + CM:
        {"user": 17, "related": 18, "cmid": 9, "object": 4},
}  # fmt: skip


@pytest.mark.parametrize("text", TRAPS)
def test_traps(text):
    """Ids that are not what they seem."""
    line = read("", "", text)
    assert ids(line) == TRAPS[text]
    assert line.eventclass and not line.nobody


def test_shared_wording():
    """Moodle 3.x says "locked" when it unlocked: the English name tells, otherwise only crud is sure."""
    text = U + "locked the submission for the user with id '18' for the assignment" + CM
    english = read("Assignment", "The submissions have been unlocked for a user.", text)
    assert english.eventclass == r"\mod_assign\event\submission_unlocked"
    assert read("Aufgabe", "Abgabe entsperrt", text)[:5] == (None, "mod_assign", "Abgabe entsperrt", "u", 1)


def test_german_log():
    line = read("Buch", "Kapitel angezeigt", U + "viewed the chapter with id '14' for the book" + CM)
    assert line[:5] == (r"\mod_book\event\chapter_viewed", "mod_book", "Chapter viewed", "r", 2)
    report = read("Bericht", "Bericht angezeigt", U + "viewed the user report in the gradebook.")
    assert report.eventclass == r"\gradereport_user\event\grade_report_viewed"


HVP = r"\mod_hvp\event"
VIEWED = "Course module viewed"
LISTED = "Course module instance list viewed"
UNKNOWN = [
    # Component, Event name, Description; event class, component, name, crud, level; ids
    # The generic wordings that contributed modules inherit.
    ("Interactive Content", VIEWED, U + "viewed the 'hvp' activity" + CM,
     (HVP + r"\course_module_viewed", "mod_hvp", VIEWED, "r", 2), {"user": 17, "cmid": 9}),
    ("x", "y", U + "viewed the instance list for the module 'hvp' in the course with id '2'.",
     (HVP + r"\course_module_instance_list_viewed", "mod_hvp", LISTED, "r", 0), {"user": 17, "course": 2}),
    # Wordings of their own: only who, and where if nothing can imitate it.
    ("Checklist", "Checklist complete", U + "has completed the checklist with the course module id '9'",
     (None, "Checklist", "Checklist complete", None, None), {"user": 17, "cmid": 9}),
    ("Attendance", "Report viewed", "User with id 17 viewed attendance report with instanceid 3",
     (None, "Attendance", "Report viewed", "r", None), {"user": 17}),
    ("Galerie", "Bild geändert", U + f"updated the image '{HOSTILE}' of the user with id '8'",
     (None, "Galerie", "Bild geändert", None, None), {"user": 17}),
    ("Quiz", "Attempt closed", "The user with id '18' has had their attempt closed by the user with id '17'.",
     (None, "mod_quiz", "Attempt closed", None, None), {}),
    # A class known by its English names, in a wording that is not.
    ("Quiz", "Quiz attempt viewed", U + "looked at something",
     (r"\mod_quiz\event\attempt_viewed", "mod_quiz", "Quiz attempt viewed", "r", 2), {"user": 17}),
    # What Moodle prints for a plugin that was uninstalled.
    ("game", "Unknown event", r"Unknown event (\mod_game\event\game_viewed)",
     (r"\mod_game\event\game_viewed", "mod_game", "Unknown event", "r", None), {}),
    ("", "", "", (None, None, None, None, None), {}),
    ("Site", "Odd", "User with id '²²' or " + "9" * 6000, (None, "Site", "Odd", None, None), {}),
]  # fmt: skip


@pytest.mark.parametrize("component, name, text, facts, said", UNKNOWN, ids=lambda value: str(value)[:30])
def test_unknown_events_load_with_what_is_certain(component, name, text, facts, said):
    line = read(component, name, text)
    assert line[:5] == facts
    assert ids(line) == said


def test_cmid_of_unknown_events():
    """Two course modules, or free text before the only one: not certain."""
    assert read("x", "y", U + "copied it from course module id '5' to course module id '6'").cmid is None
    assert read("x", "y", U + "renamed 'a' in the foo with course module id '5'").cmid is None
    assert read("x", "y", U + f"did it in the foo with course module id '5', now '{HOSTILE}'").cmid == 5


def test_the_table_knows_every_event_class():
    known = {wording.eventclass for wording in WORDINGS}
    assert set(event_types()) <= known
    assert {name for name in known if "{" not in name} <= set(event_types())
    assert set(labels().values()) <= {kind.component for kind in event_types().values()}


def test_hostile_text_costs_no_time():
    """Several free texts in one wording would be tried in every combination."""
    assert all(wording.template.count("{text}") <= 1 for wording in WORDINGS)
    read("", "", U + "changed the config setting '" + "' for component 'x' from 'y' to '" * 5_000 + "no end")


def filled(wording: Wording, texts) -> tuple[str, dict[str, int]]:
    """A text in this wording, numbers from 11 on in its id slots, and which id is in which slot."""
    told, said = wording.template, {}
    for number, role in enumerate(wording.roles, 11):
        value = "forum" if role in ("module", "plugin") else str(number)
        said[role] = number
        told = told.replace(f"{{{role}*}}", value, 1).replace(f"{{{role}}}", value, 1)
    told = told.replace("{ids}", "'1', '2'").replace("{word}", "word")
    first, *rest = told.split("{text}")
    return first + "".join(next(texts) + fixed for fixed in rest) + ".", said


PIECES = [
    HOSTILE, "' with id '9999'.", "' in the course with the id '9998'.", "') for the course with id '9997'",
    "The user with id '9996' ", " viewed the 'quiz' activity with course module id '9995'",
    "', error ID '9994'.", "' submitted by the user with id '9993'", "&#039;9992&#039;",
    "' before the slot with id '9990'", "' (id '9989')", "'9988'", "9991",
    "'. ", ": ", "' to '", "'", '"', " ", "\n", "\u00a0", "##objectid", "{user}", "#", "ö", "",
]  # fmt: skip
FREE = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=5)), max_size=6).map("".join)


@given(
    st.sampled_from([wording for wording in WORDINGS if "{text}" in wording.template]),
    st.lists(FREE, min_size=5),
)
@example(next(w for w in WORDINGS if w.eventclass.endswith("submission_removed")), [HOSTILE] * 5)
def test_free_text_never_changes_an_id(wording, texts):
    """Whatever stands in the free text of a wording, the ids are those of its fixed slots, or none."""
    # Tags are taken away by Moodle's own export; a text that loses fixed wording that way only loses ids.
    told, said = filled(wording, iter(text.replace("<", "").replace("&", "&#039;") for text in texts))
    line = read("", "", told)
    for role in ("user", "related", "cmid", "course"):
        assert getattr(line, role) == said.get(role)
    part = next((role for role in said if role in PARTS), None)
    assert line.part == ((part, said[part]) if part else None)
    assert line.object in (None, *said.values())
    assert line.instance in (None, line.object, said.get("instance"))


@given(st.sampled_from(WORDINGS), st.lists(st.text(), min_size=5))
def test_every_wording_reads_itself(wording, texts):
    """Each wording of the table is found again, with ids in their places, whatever the free text."""
    told, said = filled(wording, iter(texts))
    line = read("", "", told)
    for role in ("user", "related", "cmid", "course"):
        assert getattr(line, role) in (said.get(role), None)


@given(st.text(), st.text(), st.text())
def test_nothing_fails(component, name, text):
    read(component, name, text)
    read(component, name, "The user with id '" + text + "' viewed the course with id '" + name + "'.")
