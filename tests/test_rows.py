"""Rows as people read them: words above columns, an order by any of them, long text that opens."""

from __future__ import annotations

import pytest
from selectolax.lexbor import LexborHTMLParser as HTMLParser

from tests import made_up
from tests.visit import get, instance

USAGE = "/moodle/resource_usage?course=2"
MIXED = "select column1 as n, 'x' as other from (values (10), (null), (9), ('b'), ('A'), ('')) order by rowid"


@pytest.fixture
def datasette(tmp_path):
    return instance(made_up.small(tmp_path / "moodle.db"))


async def page(datasette, path: str) -> HTMLParser:
    answer = await get(datasette, path)
    assert answer.status_code == 200
    return HTMLParser(answer.text)


def column(html: HTMLParser, name: str) -> list[str]:
    return [cell.text().strip() for cell in html.css(f"tbody .col-{name}")]


async def test_columns_have_words_and_keep_their_names_for_csv(datasette):
    html = await page(datasette, USAGE)
    heads = {head.attributes["title"]: head.text() for head in html.css("thead th")}
    assert heads["students_pct"] == "students %" and heads["clicks_per_student"] == "clicks per student"
    assert heads["last_used_local"] == "last used"
    csv = (await get(datasette, USAGE.replace("?", ".csv?"))).text.split("\r\n")[0]
    assert "students_pct" in csv and set(heads) <= set(csv.split(","))


async def test_an_answer_sorts_by_its_heads_numbers_highest_first(datasette):
    html = await page(datasette, USAGE)
    link = html.css_first("thead th.col-clicks a").attributes["href"]
    assert link == "?course=2&_by=-clicks#answer"
    html = await page(datasette, USAGE + "&_by=-clicks")
    found = column(html, "clicks")
    known = [int(text) for text in found if text]
    assert known == sorted(known, reverse=True) and len(set(known)) > 1
    assert not any(found[len(known) :]), "empty ones come last"
    assert html.css_first("thead th.col-clicks").attributes["aria-sort"] == "descending"
    assert html.css_first("thead th.col-clicks a").attributes["href"] == "?course=2&_by=clicks#answer"
    names = column(await page(datasette, USAGE + "&_by=name"), "name")
    assert names == sorted(names, key=str.casefold)


async def test_no_column_of_that_name_changes_nothing(datasette):
    plain = column(await page(datasette, USAGE), "name")
    assert column(await page(datasette, USAGE + "&_by=<b>"), "name") == plain


async def test_numbers_come_before_texts_and_empty_last(datasette):
    datasette._metadata_local["databases"]["moodle"]["queries"]["mixed"] = {"sql": MIXED, "params": ["course"]}
    path = "/moodle/mixed?course=2"
    assert column(await page(datasette, path + "&_by=n"), "n") == ["9", "10", "A", "b", "", ""]
    assert column(await page(datasette, path + "&_by=-n"), "n") == ["b", "A", "10", "9", "", ""]


async def test_shares_stand_in_the_colours_of_the_heat(datasette):
    html = await page(datasette, USAGE)
    for chip in html.css("td.col-students_pct .heat"):
        assert ("h0" in chip.attributes["class"]) is (float(chip.text()) < 1)


async def test_long_text_opens_and_markup_in_it_is_text(datasette):
    words = "<b>bold</b> " * 40
    html = await page(datasette, f"/moodle?sql=select+'{words}'+as+said,'2016-03-15T11:00:00Z'+as+at_utc")
    cell = html.css_first("td.col-said details.long")
    assert cell.text(deep=True).endswith(words.strip()[-20:] + " ") and html.css_first("td b") is None
    assert len(cell.css_first("summary").text()) < 170
    assert column(html, "at_utc") == ["2016-03-15 11:00:00"]


async def test_descriptions_of_columns_fold_and_stand_at_their_heads(datasette):
    html = await page(datasette, "/moodle/people")
    assert html.css_first("details.columns:not([open]) dl.column-descriptions dt") is not None
    assert html.css_first("thead th.col-email").attributes["title"]
