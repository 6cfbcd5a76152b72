"""The legend in a real browser, in front of a real server: every control does what it says."""

from __future__ import annotations

import re

import pytest
from desk import DETAILS, LEGEND, STUDENTS, USAGE, Desk, asked, desk, hold, number_of, numbers, on_a_desk, settled
from playwright.sync_api import Browser, Page, expect

__all__ = ["desk"]

OTHER_COURSE = "/course/view.php?id=3"
NOT_LOADED = "not loaded"
# What the tab keeps is an hour old.
OLD = """Object.keys(sessionStorage).filter(key => key.includes("usage ")).forEach((key) => {
    const kept = JSON.parse(sessionStorage.getItem(key));
    sessionStorage.setItem(key, JSON.stringify({...kept, at: kept.at - 3600000}));
})"""


@pytest.fixture
def legend(page: Page, desk: Desk):
    """The legend of the course page, with its numbers."""
    return desk.ready(page).locator(LEGEND)


def press(page: Page, words: str) -> None:
    page.locator(LEGEND).get_by_role("button", name=words, exact=True).click()


def tick(page: Page, words: str, on: bool = True) -> None:
    page.locator(LEGEND).get_by_label(words, exact=True).set_checked(on)


def pick(page: Page, label: str, value: str) -> None:
    page.locator(LEGEND).get_by_label(label, exact=True).select_option(value)
    settled(page)


def people_on(page: Page) -> list[str]:
    return page.locator(DETAILS).evaluate_all("marks => marks.map(mark => mark.dataset.user)")


# ---- Numbers ----
# News, Quiz 1, the reading, the book, its two chapters, and an activity that is newer than the data.
@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("students", ["3", "3", "0", "1", "1", "0"]),
        ("%", ["43%", "43%", "0%", "14%", "14%", "0%"]),
        ("clicks", ["4", "3", "0", "1", "1", "0"]),
        ("per student", ["1.3", "1", "0", "1", "1", "0"]),
        ("done", ["29%", "14%", "0%", "not tracked", "not tracked", "not tracked"]),
    ],
)
def test_each_metric_shows_its_number(page: Page, legend, words: str, wanted: list[str]):
    press(page, words)
    assert numbers(page) == [*wanted, NOT_LOADED]
    pressed = legend.locator("[data-metric][aria-pressed=true]")
    assert pressed.all_inner_texts() == [words]
    title = number_of(page, "News").get_attribute("title")
    assert title.startswith(f"{wanted[0]}. 3 of {STUDENTS} students opened it, 4 clicks; 2 completed it")
    assert number_of(page, "News").get_attribute("aria-label") == title
    chapter = number_of(page, "What is TPACK?").get_attribute("aria-label")
    assert chapter.endswith(f"1 of {STUDENTS} students opened it, 1 click: What is TPACK?") or words == "done"


def test_colours_can_be_left_and_the_number_stays(page: Page, legend):
    assert page.locator(f"{USAGE}[data-step='0']").count() == 2
    assert legend.locator(".coursette-ramp span").count() > 1
    tick(page, "colours", False)
    assert numbers(page)[0] == "3"
    assert page.locator(f"{USAGE}[data-step=plain]").count() == 6
    assert legend.locator(".coursette-ramp span").count() == 0
    paper = page.locator(USAGE).evaluate_all("marks => marks.map(mark => getComputedStyle(mark).backgroundColor)")
    assert set(paper) == {"rgba(0, 0, 0, 0)"}


def test_the_ramp_has_only_steps_that_can_be(page: Page, legend):
    assert legend.locator(".coursette-ramp span").all_inner_texts() == ["0", "1", "2-3", "4-5", "6+"]
    pick(page, "to week", "1")
    press(page, "clicks")  # 4 and 1: no four quarters
    words = legend.locator(".coursette-ramp span").all_inner_texts()
    assert len(set(words)) == len(words)
    shown = set(page.locator(f"{USAGE}[data-step]").evaluate_all("marks => marks.map(mark => mark.dataset.step)"))
    steps = legend.locator(".coursette-ramp span").evaluate_all("all => all.map(each => each.dataset.step)")
    assert shown - {"none"} <= set(steps)


def test_nobody_is_never_said_of_somebody_nor_everybody_of_fewer(page: Page, desk: Desk):
    """One of 300 is not 0 %, and 299 of 300 are not 100 %: `nobody` and `all` are what a teacher acts on."""

    def many(route) -> None:
        answer = route.fetch().json()
        answer["students"] = 300
        answer["activities"]["10"] |= {"students": 1, "completed": 299}
        route.fulfill(json=answer, headers={"Access-Control-Allow-Origin": "*"})

    page.route("**/-/usage.json*", many)
    desk.ready(page)
    press(page, "%")
    assert number_of(page, "News").inner_text() == "1%"
    press(page, "done")
    assert number_of(page, "News").inner_text() == "99%"


# ---- Filters ----
def choose_groups(page: Page, *names: str) -> None:
    page.locator(f"{LEGEND} summary").click()
    for name in names:
        page.locator(LEGEND).get_by_label(re.compile(f"^ ?{name}")).check()
    settled(page)


def test_groups_any_of_and_all_of(page: Page, legend):
    asks = asked(page)
    choose_groups(page, "Online")
    assert numbers(page)[:4] == ["2", "2", "0", "1"]
    assert not legend.get_by_label("together").is_visible(), "one group needs no and, no or"
    choose_groups(page)
    choose_groups(page, "Toowoomba")
    assert numbers(page)[:4] == ["3", "2", "0", "1"]
    assert legend.locator("summary").inner_text() == "Groups: Online or Toowoomba"
    assert "3 students" in legend.locator(".coursette-soft").inner_text()
    pick(page, "together", "all")
    assert numbers(page)[:4] == ["1", "1", "0", "0"]
    assert legend.locator("summary").inner_text() == "Groups: Online and Toowoomba"
    assert asks[-1]["together"] == "all"
    for name in ("Online", "Toowoomba"):
        page.locator(LEGEND).get_by_label(re.compile(name)).uncheck()
    settled(page)
    assert numbers(page)[:4] == ["3", "3", "0", "1"]
    assert legend.locator("summary").inner_text() == "Groups: all"


def test_a_group_without_an_id_and_with_markup_in_its_name(page: Page, legend):
    choose_groups(page, "A")
    assert legend.locator("summary").inner_text() == 'Groups: A "quoted" & <i>group</i>'
    assert numbers(page)[:4] == ["0", "1", "0", "0"]
    assert page.locator(f"{LEGEND} i").count() == 0


def test_a_chosen_group_that_is_no_longer_there_is_no_dead_end(page: Page, desk: Desk, legend):
    choose_groups(page, "Online")
    page.evaluate("""Object.entries(sessionStorage).filter(([key]) => key.includes("choices")).forEach(([key, text]) =>
        sessionStorage.setItem(key, text.replace('"7"', '"Gone"')))""")
    desk.open(page)
    trouble = page.locator(f"{LEGEND} .coursette-trouble")
    expect(trouble).to_contain_text("Gone")
    trouble.get_by_role("button", name="All groups").click()
    settled(page)
    assert numbers(page)[0] == "3"
    expect(trouble.locator("p")).to_have_count(0)


def test_weeks_from_and_to(page: Page, legend):
    weeks = legend.get_by_label("from week").locator("option").all_inner_texts()
    assert weeks == ["first", "1 · Week 1 · 29 Feb 16", "2 · Week 2 · 7 Mar 16", "3 · Week 3 · 14 Mar 16"]
    pick(page, "to week", "1")
    assert numbers(page)[:5] == ["3", "1", "0", "0", "0"]
    pick(page, "from week", "2")
    assert legend.get_by_label("from week").input_value() == "1", "from the second to the first is put in order"
    assert legend.get_by_label("to week").input_value() == "2"
    pick(page, "to week", "")
    pick(page, "from week", "2")
    assert numbers(page)[:5] == ["0", "2", "0", "1", "1"]


def test_one_student_whose_names_are_asked_for_on_focus_only(page: Page, legend):
    asks = asked(page)
    select = legend.get_by_label("One student")
    select.press("Shift")
    expect(select.locator("option")).to_have_count(STUDENTS + 1)
    select.blur()
    select.press("Shift")
    assert [ask["path"] for ask in asks] == ["/-/people.json"]
    assert "Marguerite Holloway" not in select.inner_text(), "no teacher among the students"
    pick(page, "One student", "student=5")
    assert asks[-1]["student"] == "5"
    assert legend.locator(".coursette-soft").inner_text().startswith("1 student · ")
    press(page, "clicks")
    assert numbers(page)[:5] == ["2", "1", "0", "1", "1"]
    value = select.locator("option", has_text="Nia New").get_attribute("value")
    assert value == "person=5", "somebody whose Moodle id no file told"
    pick(page, "One student", value)
    assert asks[-1]["person"] == "5" and "student" not in asks[-1]
    assert numbers(page)[:5] == ["0", "0", "0", "0", "0"]
    pick(page, "One student", "")
    assert numbers(page)[:2] == ["4", "3"]


def test_a_chosen_student_is_named_on_the_next_page_too(page: Page, desk: Desk, legend):
    legend.get_by_label("One student").press("Shift")
    expect(legend.locator("option[value='student=5']")).to_be_attached()
    pick(page, "One student", "student=5")
    kept = page.evaluate("JSON.stringify(sessionStorage)")
    assert "usage course=2&site" in kept and "&student=5" not in kept, "no answer about one is kept"
    desk.ready(page)
    assert numbers(page)[0] == "1"
    expect(page.locator(f"{LEGEND} select[aria-label='One student']")).to_have_value("student=5")
    number_of(page, "News").click()
    expect(page.locator("#coursette-list p").first).to_contain_text("only Zoë Müller")


@pytest.mark.parametrize("words", ["students", "%", "clicks", "per student", "done"])
def test_only_what_nobody_opened(page: Page, legend, words: str):
    press(page, words)
    tick(page, "only what nobody opened")
    seen = page.locator(f"{USAGE}:visible").evaluate_all(
        "marks => marks.map(m => m.previousElementSibling.textContent)"
    )
    assert seen == ["Reading nobody opens", "Unread"]
    tick(page, "only what nobody opened", False)
    assert len(numbers(page)) == 7


def test_staff_and_oneself_have_no_details_unless_wanted(page: Page, legend):
    assert people_on(page) == ["5", "18"]
    tick(page, "[details] of staff too")
    assert people_on(page) == ["5", "18", "4"], "never oneself"
    tick(page, "[details] of staff too", False)
    assert people_on(page) == ["5", "18"]


# ---- Hide, off, refresh ----
def test_hide_and_show(page: Page, desk: Desk, legend):
    tall = legend.bounding_box()["height"]
    press(page, "hide")
    assert legend.get_by_role("button", name="show").get_attribute("aria-expanded") == "false"
    assert legend.bounding_box()["height"] < tall / 2
    assert numbers(page)[0] == "3", "the numbers stay"
    desk.ready(page)
    assert legend.get_by_role("button", name="show").is_visible(), "and it is remembered"
    press(page, "show")
    assert legend.bounding_box()["height"] == tall


def test_off_and_on_in_this_course_and_this_tab_only(page: Page, desk: Desk, legend):
    tall = legend.bounding_box()["height"]
    press(page, "off")
    assert page.locator(f"{USAGE}, {DETAILS}").count() == 0
    assert legend.bounding_box()["height"] < tall / 3
    assert legend.get_by_role("button").all_inner_texts() == ["on"]
    asks = asked(page)
    page.evaluate(OLD)
    desk.open(page, script=desk.by_itself)
    expect(legend.get_by_role("button", name="on", exact=True)).to_be_visible()
    page.wait_for_timeout(300)
    assert page.locator(f"{USAGE}, {DETAILS}").count() == 0
    assert asks == [], "off asks for nothing"
    desk.ready(page, OTHER_COURSE, desk.by_itself)
    assert people_on(page), "another course is not off"
    tab = page.context.new_page()
    desk.ready(tab, script=desk.by_itself)
    assert numbers(tab)[0] == "3", "another tab is not off"
    desk.open(page, script=desk.by_itself)
    press(page, "on")
    settled(page)
    assert numbers(page)[0] == "3"


def test_on_asks_where_nothing_was_asked_yet(page: Page, desk: Desk, legend):
    press(page, "off")
    page.evaluate(
        "Object.keys(sessionStorage).filter(key => /usage/.test(key)).forEach(key => sessionStorage.removeItem(key))"
    )
    desk.open(page, script=desk.by_itself)
    press(page, "on")
    settled(page)
    assert numbers(page)[0] == "3"


def test_refresh_asks_again(page: Page, legend):
    asks = asked(page)
    press(page, "refresh")
    settled(page)
    assert [ask["path"] for ask in asks] == ["/-/usage.json"]


# ---- What is remembered, and how often the server is asked ----
def test_choices_are_remembered_for_the_course_and_the_tab(page: Page, desk: Desk, legend):
    press(page, "clicks")
    tick(page, "colours", False)
    choose_groups(page, "Online", "Toowoomba")
    pick(page, "together", "all")
    pick(page, "from week", "1")
    pick(page, "to week", "2")
    tick(page, "[details] of staff too")
    tick(page, "only what nobody opened")

    def chosen(of: Page) -> list:
        fields = of.locator(f"{LEGEND} :is(select, input)")
        values = fields.evaluate_all("all => all.map(each => each.type === 'checkbox' ? each.checked : each.value)")
        return [*values, of.locator(f"{LEGEND} [aria-pressed=true]").inner_text()]

    here = chosen(page)
    assert here.count(True) == 4 and here[-1] == "clicks"
    desk.ready(page)
    assert chosen(page) == here
    tab = desk.ready(page.context.new_page())
    assert chosen(tab)[-1] == "students" and chosen(tab).count(True) == 1  # colours
    desk.ready(page, OTHER_COURSE)
    assert chosen(page)[-1] == "students"


def test_one_request_for_each_course_and_filter(page: Page, desk: Desk):
    asks = asked(page)
    desk.ready(page)
    for words in ("clicks", "%", "done", "students"):
        press(page, words)
    page.evaluate("document.querySelector('ul').append(document.querySelector('li').cloneNode(true))")
    expect(page.locator(USAGE)).to_have_count(8)
    desk.ready(page)
    assert len(asks) == 1
    pick(page, "to week", "1")
    pick(page, "to week", "")
    pick(page, "to week", "1")
    desk.ready(page)
    assert [ask.get("to_week") for ask in asks] == [None, "1"]
    desk.ready(page, OTHER_COURSE)
    desk.ready(page, OTHER_COURSE)
    assert [ask["course"] for ask in asks] == ["2", "2", "3"]


def test_what_the_tab_keeps_is_shown_at_once_while_a_newer_answer_is_slow(page: Page, desk: Desk, legend):
    page.evaluate(OLD)
    held = hold(page)
    desk.open(page)
    assert numbers(page)[0] == "3", "in the same moment"
    expect(page.locator(f"{LEGEND}[aria-busy=true]")).to_be_attached()
    assert "data up to" in legend.inner_text()
    held.pop().continue_()
    settled(page)
    assert numbers(page)[0] == "3"


def test_an_answer_that_is_no_longer_wanted_is_not_shown(page: Page, desk: Desk, legend):
    held = hold(page)
    legend.get_by_label("to week").select_option("1")
    legend.get_by_label("to week").select_option("2")
    page.wait_for_timeout(200)
    first, second = held
    second.continue_()
    settled(page)
    wanted = numbers(page)
    first.continue_()
    page.wait_for_timeout(300)
    assert numbers(page) == wanted == ["3", "3", "0", "0", "0", "0", NOT_LOADED]


# ---- How fresh ----
def test_the_time_of_the_data_is_told_in_the_courses_zone(browser: Browser, desk: Desk):
    context = browser.new_context(locale="en-US", timezone_id="America/New_York")
    page = context.new_page()
    desk.ready(page)
    said = page.locator(f"{LEGEND} .coursette-soft").inner_text()
    assert said == f"{STUDENTS} students · data up to 16 Mar 2016, 10:00 · asked by this page"
    page.clock.set_fixed_time("2016-03-18T00:00:00Z")
    desk.ready(page)
    said = page.locator(f"{LEGEND} .coursette-soft").inner_text()
    assert said.startswith(f"{STUDENTS} students · data up to Wed 10:00")
    desk.ready(page, OTHER_COURSE)
    assert page.locator(f"{LEGEND} .coursette-soft").inner_text() == "No log of this course is loaded yet."
    context.close()


# ---- By keyboard ----
FOCUSED = """() => {
    const at = document.activeElement, look = getComputedStyle(at);
    return [at.closest("#coursette-legend, .coursette-usage, .coursette-details") ? at.tagName : null,
        at.ariaLabel || at.labels?.[0]?.textContent.trim() || at.textContent.trim(),
        look.outlineStyle !== "none" && parseFloat(look.outlineWidth) >= 1];
}"""


def test_everything_is_reached_by_tab_and_seen_there(page: Page, legend):
    choose_groups(page, "Online", "Toowoomba")
    page.evaluate("document.activeElement.blur(); getSelection().removeAllRanges()")
    page.locator("h1").click()
    seen = []
    for _ in range(60):
        page.keyboard.press("Tab")
        tag, name, outlined = page.evaluate(FOCUSED)
        if tag:
            assert outlined, name
            assert name, "a name for who cannot see it"
            seen.append(name)
    wanted = ["refresh", "hide", "off", "students", "%", "clicks", "per student", "done", "from week", "to week"]
    wanted += ["Groups: Online or Toowoomba", "Online (2)", "Toowoomba (2)", "together", "One student", "colours"]
    wanted += ["only what nobody opened", "[details] of staff too", "details of Zoë Müller"]
    assert [name for name in wanted if name not in seen] == []
    assert len([name for name in seen if "students opened it" in name]) >= 6


def test_it_is_used_by_keyboard_alone(page: Page, legend):
    def at(name: str, role: str = "button"):
        legend.get_by_role(role, name=name, exact=True).focus()

    at("clicks")
    page.keyboard.press("Enter")
    assert numbers(page)[0] == "4"
    assert page.evaluate("document.activeElement.textContent") == "clicks", "where one was"
    page.locator(f"{LEGEND} summary").focus()
    page.keyboard.press("Enter")
    legend.get_by_label(re.compile("Online")).focus()
    page.keyboard.press("Space")
    settled(page)
    assert numbers(page)[0] == "3"
    legend.get_by_label("to week").focus()
    page.keyboard.press("ArrowDown")
    settled(page)
    assert numbers(page)[1] == "1"
    at("only what nobody opened", "checkbox")
    page.keyboard.press("Space")
    assert "0" in numbers(page) and "3" not in numbers(page)
    at("hide")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    at("off")
    page.keyboard.press("Space")
    assert page.locator(USAGE).count() == 0
    page.keyboard.press("Space")
    settled(page)
    assert page.locator(USAGE).count() == 7


# ---- Other pages ----
def put_again(desk: Desk, path: str, old: str, new: str) -> str:
    text = desk.site.pages["/course/view.php?id=2"]
    assert old in text
    desk.site[path] = text.replace(old, new)
    return path


LUMINANCE = """mark => {
    const {color, backgroundColor} = getComputedStyle(mark);
    const lit = (text) => text.match(/[\\d.]+/g).slice(0, 3).map(each => each / 255)
        .map(each => each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4)
        .reduce((sum, each, at) => sum + each * [0.2126, 0.7152, 0.0722][at], 0);
    const clear = backgroundColor === "rgba(0, 0, 0, 0)";
    const [one, other] = [lit(color), lit(clear ? getComputedStyle(document.body).backgroundColor : backgroundColor)];
    return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
}"""


@pytest.mark.parametrize("heat", [True, False])
def test_dark_pages(page: Page, desk: Desk, heat: bool):
    dark = "<style>body { background: #111; color: #eee } a { color: rgb(125, 179, 240) }</style></head>"
    desk.ready(page, put_again(desk, "/dark", "</head>", dark))
    assert page.evaluate("document.documentElement.hasAttribute('data-coursette-dark')")
    tick(page, "colours", heat)
    legend = page.locator(LEGEND)
    assert legend.evaluate("it => getComputedStyle(it).backgroundColor") == "rgb(21, 24, 28)"
    for mark in page.locator(f"{USAGE}, {DETAILS}").all():
        assert mark.evaluate(LUMINANCE) >= 4.5, mark.inner_text()
    for piece in page.locator(f"{LEGEND} :is(button, summary, .coursette-ramp span)").all():
        assert piece.evaluate(LUMINANCE.replace("document.body", "document.querySelector('#coursette-legend')")) >= 4.5


def test_a_page_in_a_language_from_right_to_left(page: Page, desk: Desk):
    desk.ready(page, put_again(desk, "/rtl", '<html lang="en">', '<html lang="ar" dir="rtl">'))
    assert numbers(page)[0] == "3"
    legend = page.locator(LEGEND).bounding_box()
    assert legend["x"] >= 0 and legend["x"] + legend["width"] <= page.viewport_size["width"]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for mark in page.locator(f"li > :is({USAGE}, {DETAILS})").all():
        gap = mark.evaluate(
            "m => m.previousElementSibling.getBoundingClientRect().left - m.getBoundingClientRect().right"
        )
        assert gap >= 3, "the mark stands to the left of its link, with a gap"


# ---- Leaving no trace ----
SHEETS = "document.adoptedStyleSheets.length"


def test_the_second_click_leaves_the_page_as_it_was(page: Page, desk: Desk):
    page.goto(f"{desk.site.url}/course/view.php?id=2")
    before, sheets = page.content(), page.evaluate(SHEETS)
    page.evaluate(desk.bookmark)
    settled(page)
    choose_groups(page, "Online")
    number_of(page, "News").click()
    expect(page.locator("#coursette-list h2")).to_be_visible()
    page.evaluate(desk.bookmark)
    page.locator("#coursette-note").click()
    assert page.content() == before
    assert page.evaluate(SHEETS) == sheets
    desk.ready(page)
    assert page.locator(USAGE).count() == 7


def test_the_second_click_while_numbers_are_on_their_way(page: Page, desk: Desk):
    page.goto(f"{desk.site.url}/course/view.php?id=2")
    before = page.content()
    held = hold(page)
    page.evaluate(desk.bookmark)
    page.wait_for_timeout(200)
    page.evaluate(desk.bookmark)
    page.locator("#coursette-note").click()
    held.pop().continue_()
    page.wait_for_timeout(500)
    assert page.content() == before


def test_the_server_is_gone_and_what_was_known_stays(page: Page, tmp_path):
    with on_a_desk(tmp_path) as own:
        own.ready(page)
        page.evaluate(OLD)
        own.stop()
        own.open(page)
        expect(page.locator(f"{LEGEND} .coursette-trouble p")).to_contain_text("Coursette does not answer at")
        assert numbers(page)[0] == "3"
        assert "data up to" in page.locator(LEGEND).inner_text()
