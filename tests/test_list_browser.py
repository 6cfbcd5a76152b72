"""Who has and who has not, in a real browser and from a real server, opened by a click on a number."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from desk import (
    DETAILS,
    FORMULA_NAME,
    LEGEND,
    LIST,
    STUDENTS,
    Desk,
    asked,
    desk,
    hold,
    number_of,
    on_a_desk,
    settled,
)
from playwright.sync_api import Locator, Page, expect

from loaders import tokens
from tests.made_up import MARKUP

__all__ = ["desk"]

NAMES = "[...document.querySelectorAll('#coursette-list tbody th')].map(th => th.firstChild.textContent)"
HAVE = ["Sam Lee", "Zoë Müller", MARKUP]
HAVE_NOT = ["Al Away", FORMULA_NAME, "Sam Lee", "Nia New"]


@pytest.fixture
def listed(page: Page, desk: Desk) -> Locator:
    """The list of a forum that three have opened and four have not."""
    desk.ready(page)
    return show(page, "News")


def show(page: Page, activity: str) -> Locator:
    number_of(page, activity).click()
    dialog = page.locator(LIST)
    expect(dialog.locator("h2")).to_be_visible()
    return dialog


def press(dialog: Locator, words: str) -> None:
    dialog.get_by_role("button", name=words, exact=True).click()


def names(page: Page) -> list[str]:
    return page.evaluate(NAMES)


def column(dialog: Locator, number: int) -> list[str]:
    return dialog.locator(f"tbody tr > :nth-child({number})").all_inner_texts()


def counts(dialog: Locator) -> list[int]:
    """How many have, and how many have not."""
    return [int(tab.inner_text().split()[0]) for tab in dialog.locator("[aria-pressed]").all()]


# ---- Who ----
def test_who_has_not_and_who_has(page: Page, listed: Locator):
    assert listed.locator("h2").inner_text() == "News & <i>chat</i>"
    assert counts(listed) == [3, 4]
    assert listed.locator("[aria-pressed=true]").inner_text() == "4 not opened it"
    assert sorted(names(page)) == sorted(HAVE_NOT)
    press(listed, "3 opened it")
    assert sorted(names(page)) == sorted(HAVE)
    assert listed.locator("[aria-pressed=true]").inner_text() == "3 opened it"
    assert page.evaluate("document.activeElement.textContent") == "3 opened it"
    row = listed.locator("tbody tr", has_text="Zoë").locator("td").all_inner_texts()
    assert row == ["zoe@student.example.edu", "2", "1 Mar 2016, 20:00", "15 Mar 2016, 21:00"]


def test_names_with_markup_are_shown_as_text(page: Page, listed: Locator):
    alerts: list[str] = []
    page.on("dialog", lambda dialog: alerts.append(dialog.message))
    press(listed, "3 opened it")
    assert MARKUP in names(page)
    assert listed.locator("b, script, i").count() == 0
    label = listed.locator("tr", has_text="Bo").locator(DETAILS).get_attribute("aria-label")
    assert label == f"details of {MARKUP}"
    press(listed, "Write to them")
    assert listed.locator("b, script, i").count() == 0
    assert alerts == []


def choose_filters(page: Page, filters: dict) -> None:
    legend = page.locator(LEGEND)
    if filters.get("groups"):
        legend.locator("summary").click()
    for group in filters.get("groups", []):
        legend.get_by_label(group).check()
    for label in ("together", "from week", "to week"):
        if label in filters:
            legend.get_by_label(label, exact=True).select_option(filters[label])
    if "student" in filters:
        legend.get_by_label("One student").press("Shift")
        legend.get_by_label("One student").select_option(filters["student"])
    settled(page)


@pytest.mark.parametrize(
    ("filters", "question", "has", "has_not", "words"),
    [
        ({}, {}, 3, 4, "groups: all, all weeks"),
        ({"groups": ["Online"]}, {"group": "7"}, 2, 0, "groups: Online, all weeks"),
        ({"groups": ["Online", "Toowoomba"]}, {"together": "any"}, 3, 0, "groups: Online or Toowoomba, all weeks"),
        (
            {"groups": ["Online", "Toowoomba"], "together": "all", "to week": "1"},
            {"together": "all", "to_week": "1"},
            1,
            0,
            "groups: Online and Toowoomba, weeks first to 1",
        ),
        ({"from week": "2"}, {"from_week": "2"}, 0, 7, "groups: all, weeks 2 to last"),
        ({"student": "student=5"}, {"student": "5"}, 1, 0, "groups: all, all weeks, only Zoë Müller"),
        ({"student": "person=5"}, {"person": "5"}, 0, 1, "groups: all, all weeks, only Nia New"),
    ],
)
def test_the_list_is_of_what_was_chosen(
    page: Page, desk: Desk, filters: dict, question: dict, has: int, has_not: int, words: str
):
    desk.ready(page)
    choose_filters(page, filters)
    asks = asked(page)
    mark = number_of(page, "News")
    expect(mark).to_have_text(str(has))
    dialog = show(page, "News")
    assert asks[-1]["path"] == "/-/access.json" and question.items() <= asks[-1].items()
    assert counts(dialog) == [has, has_not]
    freshness = page.locator(f"{LEGEND} .coursette-soft").inner_text()
    assert int(freshness.split()[0]) == has + has_not, "they add up to the denominator"
    said = dialog.locator("p.coursette-soft").inner_text()
    assert said == f"{words} · data up to 16 Mar 2016, 10:00"


def test_of_a_chapter(page: Page, desk: Desk):
    desk.ready(page)
    asks = asked(page)
    dialog = show(page, "What is TPACK?")
    assert asks[-1]["part"] == "chapter:7" and "activity" not in asks[-1]
    assert dialog.locator("h2").inner_text() == "What is <TPACK>?"
    assert counts(dialog) == [1, STUDENTS - 1]


def test_what_is_not_loaded_has_no_list(page: Page, desk: Desk):
    desk.ready(page)
    asks = asked(page)
    number_of(page, "Newer than the data").click()
    page.wait_for_timeout(200)
    assert asks == [] and page.locator(LIST).count() == 0


# ---- Sorting ----
@pytest.mark.parametrize("which", ["3 opened it", "4 not opened it"])
def test_every_column_sorts_both_ways_and_says_so(page: Page, listed: Locator, which: str):
    press(listed, which)
    headings = listed.locator("thead th").all_inner_texts()
    assert [heading.split()[0] for heading in headings] == ["Name", "E-mail", "Clicks", "Last", "Last"]
    texts = {"not loaded": "", "never": ""}
    for at, words in enumerate(["Name", "E-mail", "Clicks", "Last opened", "Last seen"]):
        seen = {}
        for _ in range(2):
            press(listed.locator("thead"), words)
            states = listed.locator("thead th").evaluate_all("all => all.map(each => each.ariaSort)")
            assert states.count("none") == 4 and states[at] in ("ascending", "descending")
            assert page.evaluate("document.activeElement.closest('th')?.cellIndex") == at, "the focus stays"
            seen[states[at]] = [texts.get(each, each) for each in (column(listed, at + 1) if at else names(page))]
        assert set(seen) == {"ascending", "descending"}, words
        assert seen["ascending"] == seen["descending"][::-1] or len(set(seen["ascending"])) < len(seen["ascending"])
        if words == "Clicks":
            assert seen["ascending"] == sorted(seen["ascending"], key=int)
        if words == "E-mail":
            assert seen["ascending"] == sorted(seen["ascending"])
        if words == "Name":
            assert seen["ascending"] != seen["descending"]


def test_by_clicks_and_by_time(page: Page, listed: Locator):
    press(listed, "3 opened it")
    press(listed.locator("thead"), "Clicks")
    assert column(listed, 3) == ["1", "1", "2"]
    press(listed.locator("thead"), "Clicks")
    assert column(listed, 3) == ["2", "1", "1"]
    press(listed.locator("thead"), "Last seen")
    press(listed.locator("thead"), "Last seen")
    assert names(page)[0] == "Zoë Müller"


def test_the_heading_name_sorts_what_it_shows(page: Page, listed: Locator):
    """At first by last name, as the class list; and each click turns it round."""
    first = names(page)
    assert first == HAVE_NOT
    press(listed.locator("thead"), "Name")
    assert names(page) == first[::-1]
    press(listed.locator("thead"), "Name")
    assert names(page) == first


# ---- Copying ----
def clipboard(page: Page) -> str:
    return page.evaluate("navigator.clipboard.readText()")


def status(dialog: Locator) -> Locator:
    return dialog.locator("[role=status]")


def test_copy_addresses_and_names(page: Page, listed: Locator):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    press(listed, "Copy addresses")
    expect(status(listed)).to_have_text("Copied. Left out, without an address: Al Away.")
    wanted = ["+form@student.example.edu", "sam2@student.example.edu", "nia@student.example.edu"]
    assert clipboard(page) == ", ".join(wanted)
    press(listed, "Copy names")
    expect(status(listed)).to_have_text("Copied.")
    assert clipboard(page).splitlines() == HAVE_NOT
    press(listed, "3 opened it")
    press(listed, "Copy addresses")
    expect(status(listed)).to_have_text("Copied.")
    assert clipboard(page) == "sam1@student.example.edu, zoe@student.example.edu, bo@student.example.edu"


@pytest.mark.parametrize("broken", ["undefined", "{ writeText: async () => { throw new Error('forbidden') } }"])
def test_copy_where_there_is_no_clipboard(page: Page, desk: Desk, broken: str):
    page.add_init_script("document.addEventListener('copy', () => { window.copied = String(getSelection()) })")
    page.add_init_script("document.addEventListener('copy', ({target}) => { window.copied = target.value })")
    desk.ready(page)
    page.evaluate(f"Object.defineProperty(navigator, 'clipboard', {{ value: {broken}, configurable: true }})")
    dialog = show(page, "News")
    press(dialog, "Copy names")
    expect(status(dialog)).to_have_text("Copied.")
    assert page.evaluate("window.copied").splitlines() == HAVE_NOT
    assert dialog.locator("textarea").count() == 0
    assert page.evaluate("document.activeElement.textContent") == "Copy names"


def test_copy_that_is_refused_does_not_say_copied(page: Page, desk: Desk):
    desk.ready(page)
    page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    page.evaluate("document.execCommand = () => false")
    dialog = show(page, "News")
    press(dialog, "Copy names")
    expect(status(dialog)).to_have_text("Your browser let nothing be copied.")


def test_nothing_to_copy(page: Page, desk: Desk):
    desk.ready(page)
    dialog = show(page, "Reading nobody opens")
    press(dialog, "0 opened it")
    expect(dialog.locator("p", has_text="Nobody.")).to_be_visible()
    press(dialog, "Copy addresses")
    expect(status(dialog)).to_have_text("Nothing to copy.")


# ---- CSV ----
def download(page: Page, dialog: Locator, folder: Path) -> tuple[str, bytes]:
    with page.expect_download() as waited:
        press(dialog, "CSV")
    waited.value.save_as(folder / "list.csv")
    return waited.value.suggested_filename, (folder / "list.csv").read_bytes()


def test_csv(page: Page, listed: Locator, tmp_path: Path):
    name, content = download(page, listed, tmp_path)
    assert name.endswith(".csv") and "not opened it" in name
    assert content.startswith(b"\xef\xbb\xbf") and content.count(b"\r\n") == 5
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert list(rows[0])[:5] == ["id", "fullname", "firstname", "email", "clicks"]
    assert [row["fullname"] for row in rows] == ["Al Away", f"'{FORMULA_NAME}", "Sam Lee", "Nia New"]
    formula = rows[1]
    assert formula["firstname"] == "'=1+1" and formula["email"] == "'+form@student.example.edu"
    assert formula["id"] == "22"
    assert rows[0]["email"] == "" and rows[3]["id"] == ""
    press(listed, "3 opened it")
    press(listed.locator("thead"), "Clicks")
    press(listed.locator("thead"), "Clicks")
    name, content = download(page, listed, tmp_path)
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert rows[0]["fullname"] == "Zoë Müller", "as sorted"
    assert MARKUP in [row["fullname"] for row in rows], "quotes come back as they were"
    assert rows[0]["last_utc"] == "2016-03-01T10:00:00Z"


# ---- Letters ----
def test_a_letter_for_each(page: Page, listed: Locator):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    press(listed, "Write to them")
    assert listed.locator("h2").inner_text() == "Write to 3"
    letters = listed.get_by_label("One letter for each").input_value().split("\n\n----------\n\n")
    assert [letter.splitlines()[0] for letter in letters] == [
        "To: +form@student.example.edu",
        "To: sam2@student.example.edu",
        "To: nia@student.example.edu",
    ]
    assert "Dear Sam,\n\nI see that you have not opened “News & <i>chat</i>” yet." in letters[1]
    assert "{" not in "".join(letters)
    said = listed.locator("p.coursette-soft").inner_text()
    assert "nothing is sent from here" in said and "without an address: Al Away." in said
    box = listed.get_by_label("The letter", exact=True)
    assert page.evaluate("document.activeElement.ariaLabel") == "The letter"
    box.fill("{first name}: {activity}, $& and $1, once more {first name}")
    letters = listed.get_by_label("One letter for each").input_value()
    assert "\n\nNia: News & <i>chat</i>, $& and $1, once more Nia" in letters
    press(listed, "Copy the letters")
    expect(status(listed)).to_have_text("Copied.")
    assert clipboard(page) == letters
    press(listed, "Back")
    assert counts(listed) == [3, 4]
    press(listed, "3 opened it")
    press(listed, "Write to them")
    assert "thank you for looking at “{activity}”" in listed.get_by_label("The letter", exact=True).input_value()
    assert "Dear Bo,\n\nthank you for looking at “News" in listed.get_by_label("One letter for each").input_value()


# ---- [details] ----
def test_details_of_everybody_in_the_list_open_their_page(page: Page, desk: Desk, listed: Locator):
    desk.sign_in(page)
    for which, wanted in (("4 not opened it", HAVE_NOT), ("3 opened it", HAVE)):
        press(listed, which)
        for name in wanted:
            mark = listed.locator("tbody tr", has_text=name).locator(DETAILS)
            with page.expect_popup() as opened:
                mark.click()
            expect(opened.value.locator("h1")).to_contain_text(name)
            opened.value.close()
    nobody = listed.locator("tbody tr", has_text="Nia New")
    assert nobody.count() == 0
    press(listed, "4 not opened it")
    nia = parse_qs(urlsplit(nobody.locator(DETAILS).get_attribute("href")).query)
    assert nia["person"] == ["5"] and "user" not in nia and nia["course"] == ["2"]


# ---- By keyboard, for everybody ----
def test_escape_closes_and_the_focus_returns_to_the_number(page: Page, desk: Desk):
    desk.ready(page)
    number_of(page, "Quiz 1").focus()
    page.keyboard.press("Enter")
    dialog = page.locator(LIST)
    expect(dialog.locator("table")).to_be_visible()
    assert page.evaluate("!!document.activeElement.closest('#coursette-list')")
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    assert page.evaluate("document.activeElement.previousElementSibling.textContent") == "Quiz 1"
    page.keyboard.press("Space")
    expect(dialog.locator("table")).to_be_visible()
    press(dialog, "Write to them")
    press(dialog, "Back")
    press(dialog, "Close")
    expect(dialog).to_have_count(0)
    assert page.evaluate("document.activeElement.previousElementSibling.textContent") == "Quiz 1"


def test_closed_while_it_asks(page: Page, desk: Desk):
    desk.ready(page)
    held = hold(page, "**/-/access.json*")
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    number_of(page, "News").click()
    expect(page.locator(LIST)).to_contain_text("Asking")
    page.keyboard.press("Escape")
    number_of(page, "Quiz 1").click()
    page.wait_for_timeout(200)
    first, second = held
    second.continue_()
    expect(page.locator(f"{LIST} h2")).to_have_text("Quiz 1")
    first.continue_()
    page.wait_for_timeout(300)
    press(page.locator(LIST), "3 opened it")
    assert page.locator(f"{LIST} h2").inner_text() == "Quiz 1", "the late answer is of another list"
    assert errors == []


@pytest.mark.parametrize("dark", [False, True])
def test_nothing_in_it_is_in_the_way_of_a_screen_reader(page: Page, desk: Desk, dark: bool):
    style = "<style>body { background: #111; color: #eee } a { color: rgb(125, 179, 240) }</style></head>"
    desk.site["/list"] = desk.site.pages["/course/view.php?id=2"].replace("</head>", style if dark else "</head>")
    desk.ready(page, "/list")
    dialog = show(page, "News")
    for step in (None, "Write to them"):
        if step:
            press(dialog, step)
        found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
        grave = [each for each in found if each["impact"] in {"serious", "critical"}]
        ours = [node["html"] for each in grave for node in each["nodes"] if "coursette" in " ".join(node["target"])]
        assert ours == []


# ---- When it goes wrong ----
def test_the_server_is_gone(page: Page, tmp_path: Path):
    with on_a_desk(tmp_path) as own:
        own.ready(page)
        own.stop()
        number_of(page, "News").click()
        said = page.locator(f"{LIST} [role=alert]")
        expect(said).to_contain_text(f"Coursette does not answer at {own.server}. Is it running (coursette serve)?")
        page.keyboard.press("Escape")
        expect(page.locator(LIST)).to_have_count(0)


def test_the_token_is_revoked(page: Page, tmp_path: Path):
    with on_a_desk(tmp_path) as own:
        own.ready(page)
        for record in tokens.records(tmp_path / "private"):
            tokens.revoke(tmp_path / "private", record["user"], record["id"])
        number_of(page, "News").click()
        expect(page.locator(f"{LIST} [role=alert]")).to_contain_text("This token was revoked.")
        press(page.locator(LIST), "Close")
        assert page.evaluate("document.activeElement.previousElementSibling.textContent") == "News"
