"""Finding a student by a part of what a teacher remembers."""

from __future__ import annotations

import pytest
from selectolax.lexbor import LexborHTMLParser as HTMLParser

from tests import made_up
from tests.visit import get, instance


@pytest.fixture
def datasette(tmp_path):
    return instance(made_up.small(tmp_path / "moodle.db"))


@pytest.mark.parametrize("words", ["ZOË", "müller zoë", "001012345", "zoe@student"])
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
