"""Notes, nudges and marks over HTTP: the forms, who may use them, and that what was written is shown nowhere else."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from datasette.app import Datasette
from datasette.database import Database
from selectolax.lexbor import LexborHTMLParser as HTMLParser

from loaders import accounts, notes, tokens, web
from tests import made_up
from tests.doors import GRANTED
from tests.test_headers import routes
from tests.visit import COLLEAGUE, TEACHER, cookies, get, instance, recorded

PAGE = "/-/student?course=2&user=5"
FORMS = "/-/notes?course=2&person=1&db=moodle"
SECRET = 'Zoë is <b>worried</b> & says "quokka"'
WORD = "quokka"
ZONE = "Australia/Brisbane"


@pytest.fixture
def datasette(tmp_path) -> Datasette:
    """The colleague has an account, and metadata.yml gives one question (as in test_doors)."""
    path = made_up.small(tmp_path / "moodle.db")
    folder = accounts.private_folder([path])
    owner = accounts.make_owner(folder, "teacher")
    rows = [owner, {**owner, "name": "colleague", "owner": False}]
    (folder / "accounts.json").write_text(json.dumps(rows), encoding="utf-8")
    datasette = instance(path)
    metadata = datasette._metadata_local
    metadata["databases"]["moodle"]["queries"][GRANTED]["allow"] = {"id": ["teacher", "colleague"]}
    return datasette


@pytest.fixture
def bearing(tmp_path, datasette) -> dict[str, str]:
    folder = tmp_path / "private"
    record = tokens.make(folder, "teacher", [{"site": made_up.SITE, "course": 2}], right="refresh")
    return {"Authorization": f"Bearer {tokens.text(folder, record)}"}


async def send(
    datasette: Datasette, form: dict, actor: dict | None = TEACHER, to: str = FORMS, headers: dict | None = None
) -> httpx.Response:
    """The answer to a form, sent as a browser does that opened the student's page just before."""
    page = await get(datasette, PAGE, actor)
    token = page.cookies.get("ds_csrftoken", "")
    sent = {**cookies(datasette, actor), "ds_csrftoken": token}
    return await datasette.client.post(to, data={**form, "csrftoken": token}, cookies=sent, headers=headers)


def kept(datasette: Datasette, sql: str = "select text from notes order by id") -> list:
    path = notes.file(web.private(datasette))
    if not path.exists():
        return []
    with closing(notes.opened(path)) as conn:
        return [row[0] for row in conn.execute(sql)]


def block(page: httpx.Response) -> HTMLParser:
    return HTMLParser(page.text).css_first("#notes")


def looks(datasette: Datasette) -> list[tuple]:
    with sqlite3.connect(recorded(datasette)) as db:
        return db.execute("select what, course, student, person, about from look_ups order by id").fetchall()


# ---- What the forms do ----


async def test_a_note_is_added_changed_and_deleted(datasette):
    answer = await send(datasette, {"do": "add", "text": SECRET})
    assert answer.status_code == 303
    assert answer.headers["location"] == "/-/student?course=2&person=1&db=moodle#details"
    page = block(await get(datasette, answer.headers["location"].partition("#")[0]))
    assert page.css_first(".written").text() == SECRET and page.css_first(".written b") is None
    assert page.css_first("textarea").text().lstrip("\n") == SECRET
    assert "Only on this computer, never shared." in page.text()
    assert (await send(datasette, {"do": "change", "note": "1", "text": "calmer\r\nnow"})).status_code == 303
    assert kept(datasette) == ["calmer\nnow"]
    assert (await send(datasette, {"do": "delete", "note": "1"})).status_code == 303
    assert kept(datasette) == []


async def test_deleting_takes_two_steps_and_no_script(datasette):
    await send(datasette, {"do": "add", "text": SECRET})
    page = block(await get(datasette, PAGE))
    (form,) = [form for form in page.css("form") if form.css_first("[value=delete]")]
    assert form.parent.tag == "details" and "open" not in form.parent.attributes
    assert not page.css("script, [onclick]")


async def test_every_field_has_a_label_and_every_id_is_there_once(datasette):
    await send(datasette, {"do": "add", "text": SECRET})
    await send(datasette, {"do": "add", "text": "second"})
    await send(datasette, {"do": "nudge", "how": "phone"})
    whole = HTMLParser((await get(datasette, PAGE)).text)
    page = whole.css_first("#notes")
    fields = page.css("textarea, input:not([type=hidden]):not([type=checkbox])")
    assert len(fields) == 6
    for field in fields:
        assert page.css_first(f'label[for="{field.attributes["id"]}"]') is not None
    ids = [node.attributes["id"] for node in whole.css("[id]")]
    assert sorted(set(ids)) == sorted(ids)
    names = [summary.text() for summary in page.css("summary")]
    assert sorted(set(names)) == sorted(names), "each says what it opens"


async def test_a_nudge_now_and_on_a_day(datasette):
    assert (await send(datasette, {"do": "nudge", "how": "phone", "about": "<quiz>", "day": ""})).status_code == 303
    await send(datasette, {"do": "nudge", "how": "", "about": "", "day": "2026-03-20"})
    assert kept(datasette, "select nudged_utc from nudges where not has_time") == ["2026-03-20T02:00:00Z"]
    page = block(await get(datasette, PAGE))
    assert [" ".join(row.text().split()).split(" Delete")[0] for row in page.css(".nudges > li")] == [
        page.css_first(".nudges time").text() + " · phone · <quiz>",
        "Friday 20 March 2026",
    ]
    await send(datasette, {"do": "unnudge", "nudge": "1"})
    assert kept(datasette, "select id from nudges") == [2]


async def test_a_mark_and_back_to_where_it_was_made(datasette):
    answer = await send(datasette, {"do": "mark", "about": "unseen:42", "at": "completion"})
    assert answer.headers["location"].endswith("#completion")
    assert kept(datasette, "select about from marks") == ["unseen:42"]
    await send(datasette, {"do": "unmark", "about": "unseen:42", "at": "completion"})
    assert kept(datasette, "select about from marks") == []


async def test_beside_a_finding_stands_a_button_and_then_since_when_it_is_fine(tmp_path, datasette):
    with closing(sqlite3.connect(tmp_path / "moodle.db")) as db, db:
        db.execute(
            "update completions set state = 'complete', completed_utc = '2016-03-05T02:00:00Z'"
            " where person_id = 1 and activity_id = 3"
        )
    form = HTMLParser((await get(datasette, PAGE)).text).css_first(".mark-it")
    about = form.css_first("[name=about]").attributes["value"]
    assert (about, form.css_first("button").text()) == ("unseen:12", "Looked at, it is fine")
    answer = await send(
        datasette, {"do": "mark", "about": about, "at": form.css_first("[name=at]").attributes["value"]}
    )
    assert answer.headers["location"].endswith("#completion")
    form = HTMLParser((await get(datasette, PAGE)).text).css_first(".mark-it")
    assert form.css_first("button").text() == "Undo" and "fine" in form.text()


@pytest.mark.parametrize("at", ["//evil.example", "x\r\nSet-Cookie: a=b", "https://evil.example", "<b>", "a" * 50])
async def test_no_form_leads_anywhere_else(datasette, at):
    answer = await send(datasette, {"do": "nudge", "at": at, "back": "https://evil.example", "next": "//evil.example"})
    assert answer.headers["location"] == "/-/student?course=2&person=1&db=moodle#details"
    assert "a=b" not in str(answer.headers)


@pytest.mark.parametrize(
    ("to", "form", "status", "sentence"),
    [
        (FORMS, {"do": "add", "text": "  "}, 400, "write something first"),
        (FORMS, {"do": "add", "text": "x" * 10_001}, 400, "at most 10,000 characters"),
        (FORMS, {"do": "change", "note": "77", "text": "x"}, 400, "not there any more"),
        (FORMS, {"do": "delete", "note": "9" * 30}, 400, "not there any more"),
        (FORMS, {"do": "delete", "note": "1 or 1=1"}, 400, "not there any more"),
        (FORMS, {"do": "unnudge"}, 400, "not there any more"),
        (FORMS, {"do": "nudge", "day": "soon"}, 400, "That is no day"),
        (FORMS, {"do": "nudge", "day": "2999-01-01"}, 400, "still to come"),
        (FORMS, {"do": "mark", "about": "<script>"}, 400, "no such finding"),
        (FORMS, {"do": "drop"}, 400, "asks for nothing"),
        (FORMS, {}, 400, "asks for nothing"),
        ("/-/notes?course=2&person=777", {"do": "add", "text": "x"}, 404, "not known any more"),
        ("/-/notes?course=2", {"do": "add", "text": "x"}, 404, "not known any more"),
        ("/-/notes?course=77&person=1", {"do": "add", "text": "x"}, 404, "No course"),
    ],
)
async def test_an_odd_form_ends_in_a_sentence(datasette, to, form, status, sentence):
    answer = await send(datasette, form, to=to)
    assert answer.status_code == status and sentence in answer.text
    assert "Traceback" not in answer.text and kept(datasette) == []


async def test_the_longest_note_there_may_be_comes_through(datasette):
    await send(datasette, {"do": "add", "text": "€\r\n" * 5000})
    assert len(kept(datasette)[0]) == 9_999, "without the last line end"


async def test_a_file_that_is_none_is_said_and_the_page_is_whole(datasette):
    notes.file(web.private(datasette)).write_bytes(b"no database at all, but long enough to be taken for one" * 20)
    page = await get(datasette, PAGE)
    assert page.status_code == 200 and "Müller" in page.text
    assert "private/notes.db damaged" in block(page).text() and not block(page).css("form")
    answer = await send(datasette, {"do": "add", "text": SECRET})
    assert answer.status_code == 503 and WORD not in answer.text


# ---- Who may ----


async def test_nobody_but_the_owner_in_a_session_writes(datasette, bearing):
    await send(datasette, {"do": "add", "text": SECRET})
    evil = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
    callers = [
        (None, {}),
        (COLLEAGUE, {}),
        (None, bearing),
        (TEACHER, bearing),
        (TEACHER, {**evil, "Sec-Fetch-Mode": "cors"}),
        (TEACHER, {**evil, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}),
        (None, {**evil, **bearing}),
    ]
    for who, headers in callers:
        for form in ({"do": "add", "text": "forged"}, {"do": "delete", "note": "1"}, {"do": "nudge"}):
            answer = await send(datasette, form, who, headers=headers)
            assert answer.status_code in (400, 403) and WORD not in answer.text, (who, headers)
    assert kept(datasette) == [SECRET] and kept(datasette, "select id from nudges") == []


async def test_a_form_without_datasettes_token_is_refused(datasette):
    for given in ({}, {"csrftoken": "x"}):
        answer = await datasette.client.post(
            FORMS, data={"do": "add", "text": "forged", **given}, cookies=cookies(datasette, TEACHER)
        )
        assert answer.status_code == 403
    assert kept(datasette) == []


async def test_a_colleague_who_may_see_the_page_sees_no_notes_and_no_forms(datasette):
    await send(datasette, {"do": "add", "text": SECRET})
    datasette._metadata_local["allow"] = {"id": ["teacher", "colleague"]}
    page = await get(datasette, PAGE, COLLEAGUE)
    assert page.status_code == 200 and "Müller" in page.text
    assert block(page) is None and WORD not in page.text and "/-/notes" not in page.text
    assert (await get(datasette, "/-/nudges", COLLEAGUE)).status_code == 403
    assert "/-/nudges" not in (await get(datasette, "/", COLLEAGUE)).text


ASKED = "?course=2&user=5&activity=10&student=5&person=1"
MORE = [
    "/-/find?q=quokka", "/moodle?sql=select+*+from+notes", "/moodle.json?sql=select+*+from+notes.notes",
    "/_memory.json?sql=select+*+from+notes", "/notes", "/notes.json", "/notes/notes.json", "/notes.db",
    "/private/notes.db", "/audit/who_looked_at.csv",
    "/audit/look_ups.json?_shape=array", "/audit.json?sql=select+*+from+look_ups",
    "/-/databases.json", "/moodle.db", "/audit.db", "/moodle/people_fts_data.json",
]  # fmt: skip


async def test_what_was_written_is_on_the_owners_student_page_and_nowhere_else(datasette, bearing):
    await send(datasette, {"do": "add", "text": SECRET})
    await send(datasette, {"do": "nudge", "how": WORD, "about": WORD})
    await send(datasette, {"do": "mark", "about": f"unseen:{WORD}"})
    shown = set()
    callers = [(COLLEAGUE, {}), (TEACHER, {}), (None, bearing)]
    for path in [*(path + ASKED for path in routes(datasette)), *MORE]:
        for who, headers in callers:
            answer = await get(datasette, path, who, headers=headers)
            # Said back is what was asked for, here the word itself: only the note has these words.
            if "worried" in answer.text or (WORD in answer.text and WORD not in path):
                shown.add((path.partition("?")[0], (who or {}).get("id"), bool(headers)))
            assert "notes" not in datasette.databases
    assert shown == {
        ("/-/student", "teacher", False),
        ("/-/nudges", "teacher", False),
        ("/-/nudges.csv", "teacher", False),
    }
    assert "worried" not in (await get(datasette, "/-/nudges")).text
    private = web.private(datasette)
    others = [file for file in private.parent.rglob("*") if file.is_file() and not file.name.startswith("notes.db")]
    assert len(others) > 3 and not [file for file in others if WORD.encode() in file.read_bytes()]


async def test_no_other_name_and_no_copy_of_the_file_is_served(tmp_path, datasette):
    await send(datasette, {"do": "add", "text": SECRET})
    copy = tmp_path / "copy.db"
    copy.write_bytes(notes.file(web.private(datasette)).read_bytes())
    (tmp_path / "linked.db").symlink_to(notes.file(web.private(datasette)))
    with closing(notes.opened(tmp_path / "notes.db")):
        files = [tmp_path / name for name in ("moodle.db", "notes.db", "copy.db", "linked.db")]
    again = instance(*files)
    again.crossdb = True  # as `datasette --crossdb` has it: whoever may write SQL reaches every database there is
    again.add_database(Database(again, is_memory=True), name="_memory")
    assert (await get(again, "/copy.json")).status_code == 404
    assert set(again.databases) <= {"moodle", "_memory", "_internal"}
    answer = await get(again, "/_memory.json?sql=select+*+from+pragma_database_list&_shape=array")
    attached = {row["name"] for row in answer.json()}
    assert "moodle" in attached and attached <= {"main", "moodle"}


# ---- What is recorded ----


async def test_writing_is_recorded_without_a_word_of_it(datasette):
    await send(datasette, {"do": "add", "text": SECRET})
    await send(datasette, {"do": "mark", "about": "unseen:42"})
    assert [row for row in looks(datasette) if row[0] != "student"] == [("notes", "2", "5", "1", None)] * 2
    await send(datasette, {"do": "add", "text": " "})
    await get(datasette, "/-/notes")
    await get(datasette, "/-/nudges")
    await get(datasette, "/-/nudges.csv")
    assert [row[0] for row in looks(datasette) if row[0] != "student"] == ["notes", "notes", "nudges", "nudges"]
    told = await get(datasette, "/audit/looked_at.json?course=2&_shape=array")
    pages = [row for row in looks(datasette) if row[0] == "student"]
    assert told.json()[0]["look_ups"] == len(pages), "writing a note is no look-up besides that of the page"


# ---- Whom did I nudge? ----


def table(page: httpx.Response) -> list[list[str]]:
    rows = HTMLParser(page.text).css("tbody tr")
    return [[" ".join(cell.text(separator=" ").split()) for cell in row.css("th, td")] for row in rows]


@pytest.fixture
def nudged(datasette) -> Datasette:
    """Zoë on a day of week 2, with a note; Sam after the log's end; Marguerite, of the staff; somebody who is gone."""
    path = notes.file(web.private(datasette))
    here = {"site": made_up.SITE, "course": "2", "course_name": "EDC3100"}
    bare = dict.fromkeys(("email", "idnumber", "name", "fullname", "moodle_id"))
    zoe, sam, staff = ({**bare, **here, "moodle_id": number} for number in (5, 18, 3))
    gone = {**bare, **here, "email": "gone@x.edu", "fullname": "=Gone <i>Girl</i>"}
    notes.use(path, notes.add_note, zoe, SECRET)
    now = datetime(2016, 3, 17, 2, tzinfo=UTC)
    for who, day in ((zoe, "2016-03-07"), (staff, "2016-03-08"), (gone, "2016-03-09"), (zoe, "2016-03-15")):
        notes.use(path, notes.add_nudge, who, "e-mail", "quiz", day, ZONE, now)
    notes.use(path, notes.add_nudge, sam, "", "", "", ZONE, now)
    return datasette


async def test_whom_i_nudged_and_whether_they_came_back(nudged):
    page = await get(nudged, "/-/nudges")
    assert page.status_code == 200 and "<i>Girl" not in page.text and WORD not in page.text
    rows = table(page)
    assert [row[0] for row in rows] == [
        "Sam Lee EDC3100", "Zoë Müller EDC3100", "=Gone <i>Girl</i> EDC3100", "Marguerite Holloway EDC3100",
        "Zoë Müller EDC3100",
    ]  # fmt: skip
    assert rows[0][3] == "the log that is loaded ends before this"
    assert rows[1][1:7] == ["Tuesday 15 March 2016", "e-mail: quiz", "1", "1", "0 so far", "none so far"]
    assert rows[2][3] == "in no course that is loaded"
    assert rows[3][3] == "clicks are counted for students only"
    assert rows[4][3:7] == ["3", "0", "1", "2016-03-08"] and rows[4][8] == "1"
    (link,) = {a.attributes["href"] for a in HTMLParser(page.text).css("tbody a") if a.text() == "Zoë Müller"}
    assert link == "/-/student?course=2&person=1&db=moodle#details"


async def test_the_same_as_csv_without_formulas(nudged):
    answer = await get(nudged, "/-/nudges.csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["remark"] for row in rows][:2] == [
        "the log that is loaded ends before this", "so far: the log ends within these days",
    ]  # fmt: skip
    assert rows[2]["student"] == "'=Gone <i>Girl</i>"
    assert (rows[4]["moodle_id"], rows[4]["clicks_7_days_before"], rows[4]["clicks_that_day"]) == ("5", "3", "0")
    assert (rows[4]["clicks_7_days_after"], rows[4]["back_on"], rows[4]["notes"]) == ("1", "2016-03-08", "1")
    assert rows[0]["clicks_7_days_after"] == "", "not known is no 0"


async def test_without_a_nudge_it_says_how_to_note_one_and_the_home_page_leads_there(datasette):
    home = HTMLParser((await get(datasette, "/")).text)
    assert home.css_first('a[href="/-/nudges"]').text() == "Whom did I nudge, and did they come back?"
    assert "Nudged today" in (await get(datasette, "/-/nudges")).text


async def test_many_nudges_are_quick_and_those_left_out_are_counted(datasette):
    path = notes.file(web.private(datasette))
    zoe = {"site": made_up.SITE, "moodle_id": 5, "course": "2", "course_name": "EDC3100"}
    zoe = {**dict.fromkeys(("email", "idnumber", "name", "fullname")), **zoe}

    def fill(conn):
        for number in range(150):
            day = datetime(2016, 3, 1, tzinfo=UTC) + timedelta(days=number % 10)
            notes.add_nudge(conn, zoe, f"{number}", day=str(day.date()), now=datetime(2016, 4, 1, tzinfo=UTC))

    await asyncio.to_thread(notes.use, path, fill)
    page = await get(datasette, "/-/nudges")
    assert len(table(page)) == 100 and re.search(r"50 older\s+ones are", page.text)
    assert len((await get(datasette, "/-/nudges.csv")).text.splitlines()) == 151
