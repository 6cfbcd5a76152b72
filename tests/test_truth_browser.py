"""The numbers on the made-up course's own pages are those of the database of the Moodle that made it.

fixtures/truth_course2.json was counted by SQL in that Moodle's database (reading events of students, before 2026);
the pages and the log are what the same Moodle showed and exported, see demo/README.md.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import Site, no_loop
from desk import LEGEND, USAGE, Desk, on_a_desk, settled
from playwright.sync_api import Page

from loaders import demo, made_up_moodle

TRUTH = json.loads((Path(__file__).parent / "fixtures" / "truth_course2.json").read_text("utf-8"))
NOUN = {"chapter": "chapters", "discussion": "discussions"}
MARKS = "marks => marks.map(mark => [mark.dataset.part ?? mark.dataset.activity ?? '', mark.textContent])"
NOTHING = {"clicks": 0, "students": 0}  # no line in the log, no row in the truth


def in_their_place(site: Site) -> None:
    """The saved pages, as if the Moodle were here."""
    home = f"127.0.0.1:{made_up_moodle.PORT}"  # also in JSON, where slashes are escaped
    for path, name in made_up_moodle.PAGES.items():
        site[path] = made_up_moodle.page(name).decode().replace(home, site.url.removeprefix("http://"))


@pytest.fixture(scope="module")
def demo_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("demo")

    def built(path: Path, site: str) -> Path:
        with no_loop():  # the demo's blogs are read by a loop of its own
            return demo.build(site, path)

    with on_a_desk(folder, make=built) as made:
        made.site.pages.clear()
        in_their_place(made.site)
        yield made


def choose_the_semester(page: Page) -> None:
    """Weeks 1 to the last that starts before 2017: in 2026 the course was backed up and looked at once more."""
    legend = page.locator(LEGEND)
    weeks = legend.get_by_label("to week").locator("option").evaluate_all("all => all.map(o => [o.value, o.text])")
    last = max(int(value) for value, words in weeks if words.endswith(" 16"))
    assert last >= 15
    legend.get_by_label("from week").select_option("1")
    settled(page)
    legend.get_by_label("to week").select_option(str(last))
    settled(page)


def truth_of(about: str) -> dict[str, int]:
    kind, _, number = about.rpartition(":")
    return TRUTH[NOUN.get(kind, "activities")].get(number, NOTHING)


@pytest.mark.parametrize(
    ("path", "about", "at_least"),
    [
        ("/course/view.php?id=2", "", 40),
        ("/mod/book/view.php?id=7", "chapter:", 4),
        ("/mod/forum/view.php?id=4", "discussion:", 20),
    ],
    ids=["course", "book", "forum"],
)
def test_numbers_are_those_of_moodles_own_database(page: Page, demo_desk: Desk, path: str, about: str, at_least: int):
    demo_desk.ready(page, path)
    choose_the_semester(page)
    compared = set()
    for metric in ("clicks", "students"):
        page.locator(LEGEND).get_by_role("button", name=metric, exact=True).click()
        marks = [(key, text) for key, text in page.locator(USAGE).evaluate_all(MARKS) if key.startswith(about)]
        for key, text in marks:
            if text != "not logged":  # a label, a link to elsewhere
                assert text == str(truth_of(key)[metric]), f"{metric} of {key}"
                compared.add(key)
    assert len(compared) >= at_least


def test_every_activity_chapter_and_discussion_of_the_truth_agrees(page: Page, demo_desk: Desk):
    """Also those that no saved page shows: what the page asked for holds them all."""
    with page.expect_response("**/-/usage.json*") as first:
        demo_desk.ready(page)
    assert first.value.ok
    with page.expect_response("**/-/usage.json*to_week=*") as waited:
        choose_the_semester(page)
    answer = waited.value.json()
    for cmid, wanted in TRUTH["activities"].items():
        found = answer["activities"][cmid]
        assert {key: found[key] for key in NOTHING} == wanted, cmid
    for kind, noun in NOUN.items():
        for number, wanted in TRUTH[noun].items():
            assert answer["parts"].get(f"{kind}:{number}", NOTHING) == wanted, (kind, number)
