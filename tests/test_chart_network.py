"""The network of who replies to, or links to, whom: marks, links, names and where they lead."""

from __future__ import annotations

import random
from urllib.parse import parse_qs, urlsplit

import pytest
import vl_convert
from lxml import etree

from loaders import chart_network, network_look, network_places
from loaders.chart_rows import Asked
from tests import made_up_posts
from tests.test_queries import QUERIES, ask, opened

CHART = {"mark": "network", "from": "fullname", "to": "replies_to", "weight": "replies"}
LINK = "{http://www.w3.org/1999/xlink}href"
SVG = "{http://www.w3.org/2000/svg}"


def row(person: int, to_person: int, weight: float = 1, **more) -> dict:
    known = {"fullname": f"Student {person}", "replies_to": f"Student {to_person}", "replies": weight, "course": 2}
    return {**known, "person": person, "to_person": to_person, **more}


def specification(chart: dict, rows: list[dict], page=chart_network.student_page) -> dict:
    return chart_network.draw(Asked(chart, rows), page).spec


def svg(rows: list[dict], page=chart_network.student_page) -> str:
    spec = specification(CHART, rows, page)
    return network_look.local(vl_convert.vega_to_svg(spec, allowed_base_urls=[]))


def links(drawn: str) -> list:
    return list(etree.fromstring(drawn.encode()).iter(f"{SVG}a"))


def labels(drawn: str) -> list[str]:
    return [link.find(f"{SVG}g").get("aria-label") for link in links(drawn)]


def drawn_links(spec: dict) -> list[dict]:
    return next(data["values"] for data in spec["data"] if data["name"] == "links")


def many(people: int, pairs: int) -> list[dict]:
    """As many links, the same each time; a few of the people get most of them."""
    chance = random.Random(5)
    rows = {}
    while len(rows) < pairs:
        one, other = chance.randrange(people), int(people * chance.random() ** 2)
        if one != other:
            rows[one, other] = row(one + 1, other + 1, chance.randrange(1, 9))
    return list(rows.values())


def test_the_same_rows_are_the_same_picture():
    rows = many(40, 90)
    assert svg(rows) == svg(list(rows))


def test_two_of_one_name_are_two():
    drawn = svg([row(1, 2, 3, fullname="Sam Lee"), row(3, 2, fullname="Sam Lee")])
    assert labels(drawn) == [
        "Student 2: gets 4 replies, gives 0",
        "Sam Lee: gets 0 replies, gives 3",
        "Sam Lee: gets 0 replies, gives 1",
    ]
    assert len({link.get(LINK) for link in links(drawn)}) == 3


def test_every_mark_leads_to_its_student_here():
    drawn = svg([row(1, 2), row(2, 3), row(1, 3)])
    for link in links(drawn):
        address = urlsplit(link.get(LINK))
        assert (address.scheme, address.netloc, address.path) == ("", "", "/-/student")
        assert parse_qs(address.query)["course"] == ["2"]
    assert {parse_qs(urlsplit(link.get(LINK)).query)["person"][0] for link in links(drawn)} == {"1", "2", "3"}


def test_nothing_leads_out_even_when_nobody_makes_it_local():
    spec = specification(CHART, [row(1, 2)])
    drawn = vl_convert.vega_to_svg(spec, allowed_base_urls=[])
    assert {urlsplit(link.get(LINK)).netloc for link in links(drawn)} == {"coursette.invalid"}


def test_pages_under_a_path():
    spec = specification(CHART, [row(1, 2)])
    drawn = network_look.local(vl_convert.vega_to_svg(spec, allowed_base_urls=[]), "/coursette")
    assert all(link.get(LINK).startswith("/coursette/-/student?") for link in links(drawn))


def test_rows_without_keys_are_joined_by_name_and_lead_nowhere():
    drawn = svg([{"fullname": "Ann", "replies_to": "Bob", "replies": 1}])
    assert not links(drawn) and ">Ann<" in drawn and ">Bob<" in drawn


@pytest.mark.parametrize("hostile", ["<b>Bo</b>", "</svg><script>alert(1)</script>", "\" onload='x' &amp; \x00\x0b"])
def test_names_are_no_markup(hostile):
    drawn = svg([row(1, 2, fullname=hostile), row(2, 1, replies_to=hostile)])
    tree = etree.fromstring(drawn.encode())
    assert {element.tag.removeprefix(SVG) for element in tree.iter()} <= {"svg", "g", "path", "text", "a"}
    assert not [key for element in tree.iter() for key in element.attrib if key.startswith("on")]
    shown = " ".join(hostile.replace("\x00\x0b", "").split())
    assert shown in [text.text for text in tree.iter(f"{SVG}text")]


def test_only_names_of_the_stylesheet_are_colours():
    tree = etree.fromstring(svg([row(1, 2, role="staff", replies_to_role="student"), row(2, 3)]).encode())
    colours = {element.get(key) for element in tree.iter() for key in ("fill", "stroke") if element.get(key)}
    assert colours - {"none"} == {"var(--ink)", "var(--soft)", "var(--heat-3)", "var(--paper)"}


def test_staff_are_told_by_shape_and_word():
    rows = [row(1, 2, role="staff", replies_to_role="student"), row(2, 1, role="student", replies_to_role="staff")]
    spec = specification(CHART, rows)
    marks = {mark["title"].partition(":")[0]: mark["shape"] for mark in spec["data"][0]["values"]}
    assert marks == {"Student 1, staff": "square", "Student 2": "circle"}


def test_the_strongest_links_of_too_many_are_drawn_and_their_number_is_said():
    rows = many(120, 500)
    drawing = chart_network.draw(Asked(CHART, rows))
    assert len(drawn_links(drawing.spec)) == chart_network.MOST
    assert drawing.remarks == ["The 400 strongest of 500 links are drawn; the table has all."]
    weights = sorted((row["replies"] for row in rows), reverse=True)[: chart_network.MOST]
    people, kept = chart_network.drawn(Asked(CHART, rows), chart_network.student_page)
    assert [link.weight for link in kept] == weights
    assert all(person.coming or person.going for person in people.values())


def test_who_is_named_in_words():
    rows = [row(1, 2, 4), row(3, 2), row(2, 1, 2), row(4, None, None), row(5, 5)]
    drawing = chart_network.draw(Asked(CHART, rows))
    assert drawing.words == (
        "Network: 3 people, 3 lines; the thick end replies to the thin end."
        " Most replies to Student 2 (5) and Student 1 (2); most by Student 1 (4). Nobody replies to Student 3."
    )
    assert drawing.remarks == ["Without any link, so not drawn: Student 4 and Student 5."]
    assert drawing.is_linked


@pytest.mark.parametrize("rows", [[], [row(1, 1)], [row(1, 2, None)], [row(1, 2, float("nan"))], [{"note": "none"}]])
def test_nobody_joined_is_no_picture(rows):
    assert chart_network.draw(Asked(CHART, rows)) is None


def test_thicker_by_weight_and_no_thicker_than_that():
    one, four = network_look.thick([1, 4])
    assert four == pytest.approx(2 * one)
    assert max(network_look.thick([1, 10_000])) == network_look.THICKEST


def test_names_lie_on_no_circle_and_no_other_name():
    points = [(20.0 + 30 * place, 40.0 + 7 * (place % 3)) for place in range(20)]
    frame = (0, 0, 640, 90)
    found = network_places.names_of(points, [5.0] * 20, ["Somebody Long"] * 20, frame, 12)
    assert 5 < len(found) < 20
    wide = network_places.length("Somebody Long", 12)
    boxes = [
        (x - {"left": 0, "right": wide, "center": wide / 2}[align], y)
        for x, y, align in (found[place] for place in sorted(found))
    ]
    for place, (x, y) in enumerate(boxes):
        assert x >= 0 and x + wide <= 640
        assert all(abs(y - at_y) > 10 or not x - 5 < at_x < x + wide + 5 for at_x, at_y in points)
        assert all(abs(y - other_y) > 12 or abs(x - other_x) >= wide for other_x, other_y in boxes[place + 1 :])


def test_everybody_stands_inside_the_frame_apart_from_others():
    pairs = [(link["person"] - 1, link["to_person"] - 1) for link in many(60, 120)]
    points = network_places.stand([6.0] * 60, pairs, (10, 30, 850, 500))
    assert all(10 <= x <= 850 and 30 <= y <= 500 for x, y in points)
    nearest = min(abs(complex(*one) - complex(*other)) for place, one in enumerate(points) for other in points[:place])
    assert nearest > 10


@pytest.mark.parametrize("name", ["replies_between", "blog_links_between"])
def test_answers_of_the_questions_are_drawn(tmp_path, name):
    rows = ask(opened(made_up_posts.small(tmp_path / "moodle.db")), name)
    drawing = chart_network.draw(Asked(QUERIES[name]["chart"], rows))
    drawn = network_look.local(vl_convert.vega_to_svg(drawing.spec, allowed_base_urls=[]))
    assert len(links(drawn)) == len({row[key] for row in rows for key in ("person", "to_person")})
