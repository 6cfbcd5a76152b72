"""The page of a question over HTTP: its form, what it remembers, how fresh it is, and how many rows there are."""

from __future__ import annotations

import csv
import io
import re
import sqlite3
from urllib.parse import quote, urlencode

import pytest
from selectolax.lexbor import LexborHTMLParser as HTMLParser

from loaders import asked, remembering, steps
from tests import catalogue, made_up
from tests.made_up import MARKUP
from tests.visit import COLLEAGUE, TEACHER, get, instance, recorded

DATABASES = {name: {"queries": steps.questions(known)} for name, known in catalogue.DATABASES.items()}
QUESTIONS = [(database, name) for database, known in DATABASES.items() for name in known["queries"]]
HOSTILE = ["<b>x</b>", "\" onfocus='alert(1)' autofocus x=\"", "'; drop table people; --"]
LARGE_SQL = "select events.id as n from events order by n limit 1234"


@pytest.fixture
def datasette(tmp_path):
    return instance(made_up.small(tmp_path / "moodle.db"))


def with_question(datasette, name: str, **query) -> None:
    """Another question in metadata.yml."""
    datasette._metadata_local["databases"]["moodle"]["queries"][name] = {"params": ["course"], **query}


async def page_of(datasette, path: str, status: int = 200, actor: dict = TEACHER) -> HTMLParser:
    answer = await get(datasette, path, actor)
    assert answer.status_code == status, (path, answer.headers.get("location"))
    return HTMLParser(answer.text)


@pytest.mark.parametrize("database, name", QUESTIONS, ids=[name for _, name in QUESTIONS])
async def test_every_question_has_a_form_that_says_what_it_asks(datasette, database, name):
    page = await page_of(datasette, f"/{database}/{name}")
    query = DATABASES[database]["queries"][name]
    assert page.css_first("h1").text() == query["title"]
    form = page.css_first("form.ask")
    shown = form.css("select, input:not([type=hidden]):not([type=submit])")
    labels = {label.attributes["for"]: label.text() for label in form.css("label")}
    for field in shown:
        assert labels[field.attributes["id"]] and field.attributes["autocomplete"] == "off"
        described = (field.attributes.get("aria-describedby") or "").split()
        assert all(form.css_first(f"#{each}") for each in described)
    assert set(labels) == {field.attributes["id"] for field in shown}
    assert {field.attributes["name"] for field in shown} <= set(query["params"])
    empty = [select.css_first("option[value='']").text() for select in form.css("select")]
    assert all(empty) and "not chosen" not in empty, "what it means to leave it is said in words: see hints"


@pytest.mark.parametrize("database, name", QUESTIONS, ids=[name for _, name in QUESTIONS])
async def test_whatever_is_asked_comes_back_as_text(datasette, database, name):
    query = DATABASES[database]["queries"][name]
    numbers = asked.numbers(query["sql"])
    for value in HOSTILE:
        given = dict.fromkeys([name for name in query["params"] if name not in numbers], value)
        page = await page_of(datasette, f"/{database}/{name}?{urlencode(given)}")
        assert not page.css("[onfocus], [autofocus]") and "<b>x</b>" not in page.html
        fields = page.css("form.ask :is(input, option[selected])")
        assert [field.attributes["value"] for field in fields].count(value) == len(given)
    for parameter in numbers:
        page = await page_of(datasette, f"/{database}/{name}?{urlencode({parameter: HOSTILE[0]})}", status=400)
        fields = page.css("form.ask :is(input, option[selected])")
        assert HOSTILE[0] in [field.attributes["value"] for field in fields], "to be put right"


@pytest.mark.parametrize("form", ["", ".json", ".csv"])
async def test_text_for_a_number_is_one_clear_sentence(datasette, form):
    answer = await get(datasette, f"/moodle/away{form}?course=2&days=abc")
    sentence = "“Days away” takes a whole number, not “abc”; leave it empty if you do not mind."
    assert answer.status_code == 400
    if form == ".json":
        assert answer.json() == {"ok": False, "error": sentence, "status": 400}
    else:
        assert sentence in answer.text
    if not form:
        page = HTMLParser(answer.text)
        field = page.css_first("[name=days]")
        assert field.attributes["value"] == "abc" and field.attributes["aria-invalid"] == "true"
        assert page.css_first("h2").text() == "No answer yet" and not page.css("table")
    assert (await get(datasette, f"/moodle/away{form}?course=2&days=10")).status_code == 200


@pytest.mark.parametrize("form", ["", ".json", ".csv"])
async def test_weeks_the_wrong_way_round_are_refused_beside_the_field(datasette, form):
    answer = await get(datasette, f"/moodle/resource_usage{form}?course=2&from_week=3&to_week=2")
    sentence = "“To week” is before “From week”: choose 3 or later, or leave one of them empty."
    assert answer.status_code == 400
    assert sentence == answer.json()["error"] if form == ".json" else sentence in answer.text
    if not form:
        field = HTMLParser(answer.text).css_first("select[name=to_week]").attributes
        assert field["aria-invalid"] == "true" and field["aria-describedby"] == "ask-to_week-wrong"


async def test_one_sentence_stands_above_the_form_and_how_it_counts_below(datasette):
    page = HTMLParser((await get(datasette, "/moodle/away?course=2")).text)
    said = [each.text() for each in page.css(".metadata-description, form.ask label, details.how p")]
    whole = DATABASES["moodle"]["queries"]["away"]["description"].strip()
    assert whole.startswith(said[0]) and said[0].count(". ") == 0 and whole.endswith(said[-1])
    assert " ".join((said[0], said[-1])) == " ".join(whole.split())


@pytest.mark.parametrize("form", [".json", ".csv"])
@pytest.mark.parametrize("given, meant", [("days=+", ""), ("days=%093", "days=3"), ("group=Online+", "group=Online")])
async def test_blanks_around_a_value_change_nothing(datasette, form, given, meant):
    path = f"/moodle/away{form}?{'_shape=array&' * (form == '.json')}course=2"
    padded, plain = (await get(datasette, f"{path}&{given}")).text, (await get(datasette, f"{path}&{meant}")).text
    assert padded == plain and len(plain) > 100


async def test_numbers_are_asked_for_as_numbers(datasette):
    page = await page_of(datasette, "/moodle/away?course=2")
    days = page.css_first("[name=days]").attributes
    assert (days["type"], days["step"], days["min"], days["inputmode"]) == ("number", "1", "0", "numeric")
    assert page.css_first("#" + days["aria-describedby"]).text() == "14 if left out"
    pct = (await page_of(datasette, "/moodle/behind?course=2")).css_first("[name=pct]").attributes
    assert (pct["step"], pct["min"], pct["max"], pct["inputmode"]) == ("any", "0", "100", "decimal")
    weeks = (
        (await page_of(datasette, "/moodle/busiest?course=3&from_week=4.5")).css_first("[name=from_week]").attributes
    )
    assert (weeks["type"], weeks["value"], weeks["step"]) == ("number", "4.5", "any"), "no weeks to choose from"


async def test_students_are_searched_by_name(datasette):
    page = await page_of(datasette, "/moodle/student_profile?course=2")
    field = page.css_first("[name=student]").attributes
    options = [option.attributes for option in page.css(f"datalist#{field['list']} option")]
    assert [(option["value"], option.get("label")) for option in options] == [
        ("Al Away", None), ("18", "Sam Lee (18)"), ("19", "Sam Lee (19)"), ("Zoë Müller", None), ("Nia New", None),
        (MARKUP, None),
    ]  # fmt: skip
    for option in options:
        answer = await page_of(datasette, "/moodle/student_profile?course=2&student=" + quote(option["value"]))
        assert len(answer.css("tbody .col-fullname")) == 1
    page = await page_of(datasette, "/moodle/student_profile?course=2&student=18")
    assert page.css_first("#ask-student-said").text() == "Sam Lee (18)"


async def test_a_name_of_several_leads_to_each_of_them(datasette):
    page = await page_of(datasette, "/moodle/before_due?course=2&activity=11&student=lee")
    assert page.css_first(".no-answer").text() == (
        "Several people have a name that begins with “lee”: Sam Lee (18), Sam Lee (19)."
    )
    links = page.css(".meant a")
    assert [link.text() for link in links] == ["Sam Lee (18)", "Sam Lee (19)"]
    answer = await page_of(datasette, "/moodle/before_due" + links[1].attributes["href"])
    assert len(answer.css("tbody .col-fullname")) == 1 and not answer.css(".meant")
    page = await page_of(datasette, "/moodle/student_profile?course=2&student=m%C3%BCller")
    assert page.css_first("tbody .col-fullname").text() == "Zoë Müller"


async def test_whoever_may_see_one_question_only_is_told_no_names_to_choose_from(datasette):
    metadata = datasette._metadata_local
    metadata["allow"] = metadata["allow_sql"] = {"id": "teacher"}
    metadata["databases"]["moodle"]["queries"]["before_due"]["allow"] = {"id": ["teacher", "colleague"]}
    page = await page_of(datasette, "/moodle/before_due?course=2&activity=11&student=Nia", actor=COLLEAGUE)
    assert page.css_first("[name=student]") and not page.css("datalist")
    assert (await get(datasette, "/moodle/away?days=abc", COLLEAGUE)).status_code == 403


async def test_names_to_choose_from_are_recorded_as_a_list(datasette):
    with_question(datasette, "nothing_of", sql="select 1 as one where :student != ''", params=["course", "student"])
    await page_of(datasette, "/moodle/nothing_of?course=2")
    await page_of(datasette, "/moodle/nothing_of?course=2&student=Nia")
    page = await page_of(datasette, "/moodle/student_profile?course=2&person=x", status=400)
    assert not page.css("datalist"), "an answer that is none is not recorded, so it names nobody"
    with sqlite3.connect(recorded(datasette)) as db:
        assert db.execute("select what, person from look_ups").fetchall() == [("nothing_of", None), ("nothing_of", "5")]


# ---- Remembered ----
async def location(datasette, path: str, actor: dict = TEACHER) -> str | None:
    answer = await get(datasette, path, actor)
    assert answer.status_code == (302 if "location" in answer.headers else 200)
    return answer.headers.get("location")


async def test_what_was_chosen_comes_back_in_the_next_question(datasette):
    assert await location(datasette, "/moodle/weeks?course=2") is None, "nothing chosen yet"
    await page_of(datasette, "/moodle/opened_not_completed?course=2&activity=11&group=7")
    filled = "/moodle/opened_not_completed?course=2&site=&activity=11&group=7&_earlier=activity,group"
    assert await location(datasette, "/moodle/opened_not_completed?course=2&site=") == filled
    bare = "/moodle/opened_not_completed"
    assert await location(datasette, bare) == f"{bare}?activity=11&group=7&_earlier=activity,group"
    page = await page_of(datasette, filled)
    said = page.css_first(".fresh")
    assert "Remembered for your next question: Activity, Group" in said.text()
    afresh = said.css_first("a").attributes["href"]
    assert await location(datasette, afresh) is None, "every field is there, so nothing is filled in"
    assert await location(datasette, "/moodle/opened_not_completed?course=2") is None, "and all is forgotten"
    assert "Remembered" not in (await page_of(datasette, "/moodle/weeks?course=2")).text()


async def test_an_empty_field_forgets_and_others_stay(datasette):
    await page_of(datasette, "/moodle/resource_usage?course=2&group=7&from_week=2&to_week=3")
    await page_of(datasette, "/moodle/resource_usage?course=2&group=&from_week=2&to_week=3")
    assert await location(datasette, "/moodle/busiest?course=2") == (
        "/moodle/busiest?course=2&from_week=2&to_week=3&_earlier=from_week,to_week"
    )
    assert await location(datasette, "/moodle/weeks?course=2") is None


async def test_only_what_is_offered_comes_back(datasette):
    await page_of(datasette, "/moodle/never_opened?course=2&activity=12&group=")
    assert await location(datasette, "/moodle/before_due?course=2") is None, "it is not due"
    assert await location(datasette, "/moodle/chapters?course=2") is None, "it is no book"
    found = "/moodle/not_completed?course=2"
    assert await location(datasette, found) == f"{found}&activity=12&_earlier=activity"
    assert await location(datasette, "/moodle/not_completed?course=3") is None, "it has other activities"


async def test_an_activity_is_not_carried_to_where_empty_asks_about_the_whole_course(datasette):
    await page_of(datasette, "/moodle/never_opened?course=2&activity=11")
    for name in ("completed_unseen", "offerings"):
        assert await location(datasette, f"/moodle/{name}?course=2") is None, name
    await page_of(datasette, "/moodle/never_opened?course=2&activity=10")
    for name in ("readers_only", "discussions_read"):
        assert await location(datasette, f"/moodle/{name}?course=2") is None, name


async def test_the_answer_says_what_was_chosen_earlier_and_how_to_take_it_away(datasette):
    await page_of(datasette, "/moodle/resource_usage?course=2&group=7&from_week=2")
    page = await page_of(datasette, await location(datasette, "/moodle/weeks?course=2"))
    said = page.css_first("h2 + .earlier")
    assert said.text() == "Only Online, chosen earlier · everybody"
    href = said.css_first("a").attributes["href"]
    page = await page_of(datasette, f"/moodle/weeks{href}")
    assert not page.css(".earlier") and not page.css("[name=group] option[value='7'][selected]")
    assert await location(datasette, "/moodle/weeks?course=2") is None, "it is forgotten"
    page = await page_of(datasette, await location(datasette, "/moodle/busiest?course=2"))
    assert page.css_first(".earlier").text() == "Only from Week 2, chosen earlier · the first"
    page = await page_of(datasette, "/moodle/weeks?course=2&group=7&_earlier=x,<b>,site")
    assert not page.css(".earlier"), "only what the question takes"


async def test_what_had_no_answer_is_not_remembered(datasette):
    for question in (
        "never_opened?course=2&activity=10&group=7",  # nobody
        "never_opened?course=2&group=Offline",  # a note
        "behind?course=2&group=7&pct=500",  # refused
    ):
        await get(datasette, f"/moodle/{question}")
        assert await location(datasette, "/moodle/never_opened?course=2") is None, question
    await page_of(datasette, "/moodle/weeks?course=2&group=7")
    nobody = "/moodle/never_opened?course=2&activity=10&group=7"
    assert "Answer: nobody" in (await page_of(datasette, nobody)).text()
    assert "group=7&_earlier=group" in await location(datasette, "/moodle/never_opened?course=2"), "it had one before"


async def test_the_course_comes_back_where_there_are_several(datasette):
    await page_of(datasette, "/moodle/nobody_opened?course=3&site=")
    assert await location(datasette, "/moodle/weeks?_show_sql=1") == "/moodle/weeks?_show_sql=1&course=3&site="
    assert await location(datasette, "/moodle/weeks?course=2") is None


async def test_nothing_is_remembered_for_another_session_or_in_a_cookie(datasette):
    answer = await get(datasette, "/moodle/never_opened?course=2&activity=11")
    assert answer.status_code == 200 and set(answer.cookies) <= {"ds_csrftoken"}
    assert await location(datasette, "/moodle/never_opened?course=2", {"id": "another", "owner": True}) is None
    assert await location(datasette, "/moodle/never_opened?course=2") is not None
    for form in ("json", "csv"):
        assert (await get(datasette, f"/moodle/never_opened.{form}?course=2")).status_code == 200


async def test_a_student_comes_back_only_where_questions_are_about_one(datasette):
    more = {"heading": "One student", "sql": "select :student as asked", "params": ["course", "student"]}
    with_question(datasette, "one", **more)
    with_question(datasette, "other", **more)
    await page_of(datasette, "/moodle/one?course=2&student=Nia+New")
    assert (
        await location(datasette, "/moodle/other?course=2") == "/moodle/other?course=2&student=Nia+New&_earlier=student"
    )
    assert await location(datasette, "/moodle/student_profile?course=2") is None


def test_sessions_are_forgotten(monkeypatch):
    monkeypatch.setattr(remembering, "MOST", 2)
    memory = remembering.Memory()
    for session in "abc":
        memory.of(session).take("moodle", 1, {"group": session})
    assert [memory.of(session).of("moodle", 1) for session in "cab"] == [{"group": "c"}, {}, {}]
    memory.of("c").take("moodle", 1, {"group": "c"})
    monkeypatch.setattr(remembering, "IDLE_S", 0)
    assert memory.of("c").of("moodle", 1) == {}


# ---- How fresh, how many ----
async def test_missing_data_is_told_from_nobody(tmp_path):
    path = made_up.small(tmp_path / "moodle.db")
    datasette = instance(path)
    page = await page_of(datasette, "/moodle/behind?course=2")
    assert "course log 16 March 2016, 10:00" in (await page_of(datasette, "/moodle/weeks?course=2")).text()
    assert "Not loaded" not in page.text()
    with sqlite3.connect(path) as db:
        db.execute("delete from completions")
    page = await page_of(datasette, "/moodle/behind?course=2")
    assert "Not loaded, though this question reads it: completion report." in re.sub(r"\s+", " ", page.text())


async def test_an_empty_answer_says_what_is_not_loaded(datasette):
    with_question(datasette, "empty", sql="select grade from grades where :course = ''")
    page = await page_of(datasette, "/moodle/empty?course=2")
    assert page.css_first(".zero-results").text() == "No row fits, but grades are not loaded: this may be missing data."


@pytest.mark.parametrize("most, said", [(10_000, "1,234 rows"), (1100, "1,234 rows")])
async def test_a_page_shows_the_first_rows_and_says_how_many_there_are(tmp_path, most, said):
    datasette = instance(made_up.large(tmp_path / "moodle.db", students=5, activities=2, events=2000))
    datasette.max_returned_rows = most
    with_question(datasette, "many", sql=LARGE_SQL)
    page = await page_of(datasette, "/moodle/many?course=2")
    assert page.css_first("h2").text() == f"Answer: {said}" and len(page.css("tbody tr")) == 1000
    assert page.css_first(".shown").text() == "The first 1,000 are shown here; the CSV has all."
    whole = await get(datasette, page.css_first(".shown a").attributes["href"])
    assert len(list(csv.DictReader(io.StringIO(whole.text)))) == 1234


async def test_where_counting_takes_too_long_it_says_more_than(datasette):
    endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select i, :course as course from n"
    with_question(datasette, "endless", sql=endless)
    page = await page_of(datasette, "/moodle/endless?course=2")
    assert page.css_first("h2").text() == "Answer: more than 10,000 rows" and len(page.css("tbody tr")) == 1000


async def test_where_nothing_is_answered_nobody_is_named(datasette):
    for name in ("before_due", "student_profile"):
        answer = await get(datasette, f"/moodle/{name}?course=2&student=" + "[" * 1500)
        assert answer.status_code == 200 or "Zoë" not in answer.text, name
