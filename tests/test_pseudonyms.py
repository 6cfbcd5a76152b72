"""Names are hidden with one button, on every page and until they are shown again with another."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest

from loaders import accounts, noted, notes
from tests import planted
from tests.made_up import ZOE
from tests.planted import IN, OUT
from tests.visit import TEACHER, cookies, get, instance, recorded

ON = "coursette_pseudonyms"


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return planted.database(tmp_path_factory.mktemp("planted") / "moodle.db")


@pytest.fixture
def datasette(path, tmp_path):
    return instance(path, private=tmp_path)


class Browser:
    """Somebody signed in, whose browser keeps the cookies it is given."""

    def __init__(self, datasette, actor: dict = TEACHER):
        self.datasette, self.jar = datasette, cookies(datasette, actor)

    async def get(self, path: str):
        return self.keep(await self.datasette.client.get(path, cookies=self.jar))

    async def press(self, on: str, back: str = "/", **more):
        token = (await self.get("/")).cookies.get("ds_csrftoken") or self.jar.get("ds_csrftoken")
        form = {"on": on, "back": back, "csrftoken": token, **more}
        return self.keep(await self.datasette.client.post("/-/pseudonyms", data=form, cookies=self.jar))

    def keep(self, answer):
        for name, value in answer.cookies.items():
            self.jar[name] = value
        for said in answer.headers.get_list("set-cookie"):
            if "Max-Age=0" in said:
                self.jar.pop(said.partition("=")[0], None)
        return answer


async def test_the_button_hides_names_and_the_other_shows_them_again(datasette):
    teacher = Browser(datasette)
    assert IN in (await teacher.get("/moodle/people")).text
    answer = await teacher.press("1", "/moodle/people?_sort=id")
    assert (answer.status_code, answer.headers["location"]) == (303, "/moodle/people?_sort=id")
    hidden = (await teacher.get("/moodle/people")).text
    assert "Student " in hidden and IN not in hidden and OUT not in hidden
    await teacher.press("0")
    assert IN in (await teacher.get("/moodle/people")).text


async def test_the_choice_outlives_the_browser_and_no_script_reads_it(datasette):
    (said,) = [
        said for said in (await Browser(datasette).press("1")).headers.get_list("set-cookie") if said.startswith(ON)
    ]
    assert {"HttpOnly", "Max-Age=1209600", "SameSite=lax"} <= set(said.split("; "))


PAGES = ["/", "/moodle", "/moodle/people", "/moodle/people/1", "/moodle/student_profile?course=2", "/-/course?course=2",
         "/-/completion?course=2", f"/-/student?course=2&person={ZOE}", "/-/find?q=quiz", "/-/account",
         "/-/bookmarklet", "/moodle?sql=select+1", "/moodle/nothing"]  # fmt: skip
REFUSED = ["/-/student?course=2&user=5", "/audit"]  # no form can be made there, but the way home leads to one


@pytest.mark.parametrize("page", [*PAGES, *REFUSED])
async def test_a_banner_on_every_page_says_so_and_ends_it(datasette, page):
    teacher = Browser(datasette)
    shown = await teacher.get(page)
    assert "Names are hidden" not in shown.text
    teacher.jar[ON] = "on"
    text = (await teacher.get(page)).text
    assert "Names are hidden" in text and "Hide names" not in text
    assert ("Show names again" in text) == (page not in REFUSED)


async def test_whatever_the_cookie_says_it_hides(datasette):
    for value in ("on", "0", "", "x" * 300):
        teacher = Browser(datasette)
        teacher.jar[ON] = value
        assert "Innerly" not in (await teacher.get("/moodle/people.json?_shape=array")).text


async def test_nobody_is_looked_up_by_their_moodle_id(datasette):
    teacher = Browser(datasette)
    teacher.jar[ON] = "on"
    for page in ("/-/student?course=2&user=5", "/-/student.json?student=5", "/-/student.csv?user=%205", "/-/access.json"
                 "?course=2&activity=10&student=5", "/-/usage.json?course=2&student=5"):  # fmt: skip
        answer = await teacher.get(page)
        assert answer.status_code == 403 and "nobody is looked up by their Moodle id" in answer.text, page
    own = await teacher.get(f"/-/student?course=2&person={ZOE}")
    assert own.status_code == 200 and "user/view.php" not in own.text and "mailto:" not in own.text


async def test_notes_nudges_and_the_record_are_put_away(datasette, path, tmp_path):
    folder = accounts.private_folder([path], tmp_path)
    who = {**dict.fromkeys(noted.IDS), "site": planted.SITE, "moodle_id": 5, "course": "2", "fullname": "Zoë Müller"}
    notes.use(notes.file(folder), notes.add_note, who, "she called")
    teacher = Browser(datasette)
    await teacher.get(f"/-/student?course=2&person={ZOE}")
    recorded(datasette)
    teacher.jar[ON] = "on"
    for page in ("/-/nudges", "/-/nudges.csv", "/audit", "/audit/look_ups.json", "/audit.json?sql=select+1"):
        assert (await teacher.get(page)).status_code == 403, page
    page = (await teacher.get(f"/-/student?course=2&person={ZOE}")).text
    assert "she called" not in page and "you opened this student" not in page and "last looked" not in page
    assert "Who has looked at whom" not in (await teacher.get("/")).text


async def test_what_was_typed_before_does_not_come_back(datasette):
    teacher = Browser(datasette)
    await teacher.get("/moodle/student_in_section?course=2&student=Innerlypeople_fullname_1")
    before = await teacher.get("/moodle/student_in_section")
    assert "Innerlypeople" in str(before.headers.get("location")), "it is remembered"
    await teacher.press("1")
    after = await teacher.get("/moodle/student_in_section")
    assert "Innerly" not in after.text + str(after.headers.get("location"))


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example", "/\\evil.example", "x", "/-/nudges",
                                  "/-/student?course=2&user=5", "/a\r\nSet-Cookie: x=1"])  # fmt: skip
async def test_it_leads_back_to_pages_of_ours_only(datasette, back):
    answer = await Browser(datasette).press("1", back)
    assert answer.headers["location"] == "/" and "x=1" not in str(answer.headers)


async def test_only_a_form_of_ours_switches(datasette):
    teacher = Browser(datasette)
    assert (await teacher.get("/-/pseudonyms")).status_code == 405
    assert (await teacher.press("0", csrftoken="forged")).status_code == 403
    stranger = await datasette.client.post("/-/pseudonyms", data={"on": "1"})
    assert stranger.status_code == 403


async def test_pseudonyms_stay_the_same_from_page_to_page_and_start_to_start(datasette, path, tmp_path):
    async def names(of) -> list[str]:
        teacher = Browser(of)
        teacher.jar[ON] = "on"
        answer = await teacher.get("/moodle.json?_shape=array&sql=" + quote("select fullname from people order by id"))
        return [row["fullname"] for row in answer.json()]

    first = await names(datasette)
    assert first == await names(instance(path, private=tmp_path)) and len(set(first)) == len(first)
    other = await names(instance(path, private=tmp_path / "other"))
    assert first != other, "another instance has another secret"


async def test_no_browser_keeps_a_page_with_names_to_show_it_again(datasette):
    for page in ("/moodle/people", "/moodle/people.json", "/moodle/people/1", "/moodle/student_profile?course=2", "/"):
        assert (await get(datasette, page)).headers["cache-control"] == "private, no-store", page


async def test_others_see_names_meanwhile(datasette):
    hiding = Browser(datasette)
    hiding.jar[ON] = "on"
    assert not re.search(IN, (await hiding.get("/moodle/people")).text)
    assert re.search(IN, (await get(datasette, "/moodle/people")).text)
