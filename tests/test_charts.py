"""Ready charts: from rows to a drawing, whatever is in the rows."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import threading
import time
from itertools import pairwise
from pathlib import Path

import pytest
from lxml import etree

from loaders import chart_process, charts, house
from loaders.chart_rows import Asked, number, said, short

HOSTILE = [
    "<b>x</b>", '"quoted" & \'so\'', "</svg><script>alert(1)</script>", "a.b[0]['c']\\", "javascript:alert(1)",
    'x" onload="alert(1)', "{{ csrftoken() }}", "datum.value", "https://evil.example/x.png",
    "null\x00\x0b\ud800byte", "عنوان 🎉",
]  # fmt: skip
BAR = {"mark": "bar", "x": "n", "y": "name", "words": {"n": "students"}}
LINE = {"mark": "line", "x": "week", "y": "n", "words": {"week": "teaching week"}}
HEAT = {"mark": "heat", "x": "hour", "y": "day", "value": "n"}
DOT = {"mark": "dot", "x": "n", "y": "m"}


def figure(chart: dict, rows: list[dict], is_cut: bool = False) -> charts.Figure | None:
    """The figure of these rows, as a page has it; never the sentence that it failed."""
    columns = list(rows[0]) if rows else []
    found = asyncio.run(charts.figure(chart, columns, [tuple(row.values()) for row in rows], is_cut))
    assert found is None or found.svg or found.words == charts.TOO_LITTLE, found
    return found if found and found.svg else None


def texts(found: charts.Figure) -> list[str]:
    """What a reader reads in the drawing."""
    svg = etree.fromstring(found.svg)
    assert svg.tag == "{http://www.w3.org/2000/svg}svg"
    return [node.text for node in svg.iter("{*}text") if node.text]


def bars(count: int) -> list[dict]:
    return [{"name": f"Quiz {at}", "n": at} for at in range(count)]


def test_bars_have_their_names_and_numbers_beside_them():
    found = figure(BAR, [{"name": "Quiz", "n": 1200}, {"name": "Wiki", "n": 0}, {"name": "Book", "n": None}])
    assert sorted(texts(found)) == ["0", "1,200", "Quiz", "Students", "Wiki"]
    assert found.words == "Bars: students by name. Highest: Quiz (1,200); lowest: Wiki (0)."
    assert found.remarks == ["1 without a number is not drawn."]


def test_the_first_of_many_are_drawn_and_it_is_said():
    found = figure(BAR, bars(130))
    assert "Quiz 39" in texts(found) and "Quiz 40" not in texts(found)
    assert found.remarks == ["The first 40 of 130 bars are drawn; the table has all."]
    assert figure(BAR, bars(130), is_cut=True).remarks == [
        "The first 40 of more than 130 bars are drawn; the table has more."
    ]


def test_bars_of_weeks_stand_and_of_shares_reach_a_hundred():
    found = figure(
        {"mark": "bar", "x": "starts_on", "y": "n"},
        [{"starts_on": f"2016-03-{7 * at:02}", "n": at} for at in (1, 2, 3)],
    )
    assert {"7 Mar", "14 Mar", "21 Mar"} <= set(texts(found))
    share = charts.drawing_of(Asked({"mark": "bar", "x": "pct", "y": "name"}, [{"pct": 1, "name": "a"}] * 2))
    full = charts.drawing_of(Asked({"mark": "bar", "x": "done_pct", "y": "name"}, [{"done_pct": 1, "name": "a"}] * 2))
    ends = [each.spec["layer"][0]["encoding"]["x"]["scale"]["domain"][1] for each in (share, full)]
    assert ends[0] < 2 and ends[1] > 100


def test_names_that_are_kept_in_order_by_a_number_lose_it():
    rows = [{"label": "01 7 habits", "n": 1}, {"label": "02 Quiz", "n": 2}]
    found = figure({"mark": "bar", "x": "n", "y": "label"}, rows)
    assert {"7 habits", "Quiz"} <= set(texts(found))
    days = figure(HEAT, [{"hour": 0, "day": "1 Monday", "n": 5}, {"hour": 2, "day": "2 Tuesday", "n": 6}])
    assert {"Monday", "Tuesday", "5", "6", "0", "1", "2"} <= set(texts(days))
    assert "Highest: Tuesday, hour 2 (6)" in days.words


def test_a_gap_is_no_nought():
    rows = [{"week": week, "n": n} for week, n in ((1, 5), (2, None), (3, 7), (4, 8), (6, 0))]
    spec = charts.drawing_of(Asked(LINE, rows)).spec
    line = next(layer for layer in spec["layer"] if layer["mark"].get("type") == "line")
    assert [(point["place"], point["value"], point["start"]) for point in line["data"]["values"]] == [
        (0, 5, 0), (2, 7, 2), (3, 8, 2), (5, 0, 5),
    ], "no stroke from 1 to 3, and none to 6, as week 5 is not there"  # fmt: skip
    assert "lowest: week 6 (0)" in figure(LINE, rows).words


def test_a_break_is_called_one_and_a_lone_week_is_left_out():
    rows = [{"week": week, "n": 10, "is_break": week == 2 or None} for week in (1, 2, 2.5, 3, 560)]
    found = figure(LINE, rows)
    assert texts(found).count("break") == 2 and "560" not in texts(found)
    assert found.remarks == ["Not drawn: week 560, far from all others."]


def test_series_are_told_apart_without_colour():
    chart = {**LINE, "series": "offering"}
    rows = [
        {"week": week, "n": n + week, "offering": name} for name, n in (("2015", 5), ("2016", 6)) for week in (1, 2, 3)
    ]
    found = figure(chart, rows)
    assert {"2015", "2016"} <= set(texts(found)), "at the ends of their lines"
    drawn = re.findall(r"<path[^>]*stroke-dasharray=\"([^\"]+)\"", found.svg)
    assert len(set(drawn)) == 2
    assert "2015: Highest" in found.words and "2016: Highest" in found.words
    many = figure(chart, [{**row, "offering": f"{row['offering']}{letter}"} for row in rows for letter in "abcd"])
    assert any("the first 6 of 8" in remark for remark in many.remarks)


def test_numbers_in_cells_have_the_colour_that_is_read_on_them():
    found = figure(HEAT, [{"hour": hour, "day": "a", "n": n} for hour, n in enumerate((0, 1, 40, 60, 100, None))])
    spec = charts.drawing_of(
        Asked(HEAT, [{"hour": h, "day": "a", "n": n} for h, n in enumerate((0, 1, 40, 60, 100))])
    ).spec
    assert [cell["heat"] for cell in spec["data"]["values"]] == [0, 1, 2, 3, 4]
    for step in (2, 3, 4):
        assert f"var(--heat-{step})" in found.svg and f"var(--on-{step})" in found.svg
    assert texts(found).count("0") == 2, "an hour and a number; what is not known has no cell"


def test_dots_have_their_middle_and_shares_the_line_where_both_are_the_same():
    found = figure(
        DOT, [{"n": at, "m": at * 2, "fullname": "Ann"} for at in range(5)] + [{"n": 1, "m": None, "fullname": "Bo"}]
    )
    assert {"middle: 2", "middle: 4"} <= set(texts(found)) and "Ann" not in texts(found)
    assert found.remarks == ["1 without both numbers is not drawn."]
    chart = {"mark": "dot", "x": "here_pct", "y": "there_pct"}
    shares = figure(chart, [{"here_pct": 10 * at, "there_pct": 90, "name": f"Quiz {at}"} for at in range(5)])
    assert "Quiz 0" in texts(shares) and not any("middle" in text for text in texts(shares))


@pytest.mark.parametrize("chart", [BAR, LINE, HEAT, DOT, {**LINE, "series": "name"}, {**HEAT, "y": "name"}])
def test_too_little_is_no_chart(chart):
    assert figure(chart, []) is None
    assert figure(chart, [{"note": "no log is loaded"}]) is None
    assert figure(chart, [{"name": "a", "n": None, "m": None, "week": 1, "hour": 1, "day": "a"}] * 3) is None
    assert figure(chart, [{"name": "a", "n": "text", "m": "text", "week": 1, "hour": 1, "day": "a"}] * 3) is None


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize(
    "chart", [BAR, {**LINE, "series": "name"}, {**HEAT, "y": "name"}, {"mark": "dot", "x": "n_pct", "y": "m_pct"}]
)
def test_whatever_a_name_holds_is_drawn_as_text(chart, hostile):
    rows = [
        {"name": hostile + str(at % 2), "week": at, "hour": at, "n": at + 1, "n_pct": at + 1, "m_pct": 2}
        for at in range(4)
    ]
    found = figure(chart, rows)
    svg = etree.fromstring(found.svg)
    assert {etree.QName(node).localname for node in svg.iter()} <= {
        "svg",
        "g",
        "path",
        "rect",
        "text",
        "line",
        "defs",
        "clipPath",
    }
    assert not [name for node in svg.iter() for name in node.attrib if name.startswith("on") or "href" in name]
    assert any(text.startswith(" ".join(hostile.split("\x00")[0].split())[:20]) for text in texts(found))


@pytest.mark.parametrize("column", ["a.b", "a[0]", "it's", 'say "x"', "<b>", "datum.value", "a\\b"])
def test_whatever_a_column_is_called(column):
    found = figure({"mark": "bar", "x": column, "y": "name"}, [{"name": "a", column: 7}, {"name": "b", column: 8}])
    assert {"7", "8", "a", "b"} <= set(texts(found))
    assert f"Bars: {column} by name." in found.words


@pytest.mark.parametrize("chart", [BAR, LINE, HEAT, DOT])
def test_nothing_is_loaded_and_no_colour_is_fixed(chart):
    rows = [{"name": str(at), "day": "a", "hour": at, "week": at, "n": at, "m": at} for at in range(9)]
    found = figure(chart, rows)
    assert not re.search(r"url\((?!#)|href|<style|style=", found.svg)
    colours = set(re.findall(r'(?:fill|stroke)="([^"]+)"', found.svg)) - {"none", "transparent"}
    assert colours and all(re.fullmatch(r"var\(--[a-z0-9-]+\)", colour) for colour in colours), colours
    css = (house.root() / "plugins" / "coursette.css").read_text(encoding="utf-8")
    assert all(f"{colour[4:-1]}:" in css for colour in colours)
    assert found == figure(chart, rows), "the same each time"


def test_data_by_address_is_refused():
    with pytest.raises(ValueError, match=r"(?i)url"):
        charts.svg({"data": {"url": "http://127.0.0.1:9/x.csv"}, "mark": "point"})


def test_no_address_is_asked(tmp_path):
    import http.server

    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_error(404)

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        for spec in ({"data": {"url": f"{address}/x.csv"}, "mark": "point"},
                     {"data": {"values": [{}]}, "mark": {"type": "image", "url": f"{address}/x.png"}}):  # fmt: skip
            with pytest.raises(ValueError):
                charts.svg(spec)
        server.shutdown()
    assert asked == []


def test_what_cannot_be_drawn_is_one_sentence(monkeypatch, caplog):
    monkeypatch.setattr(chart_process, "COMMAND", [sys.executable, "-c", 'print(\'{"error": "no library"}\')'])
    monkeypatch.setattr(charts, "DRAWER", chart_process.Drawer())
    found = asyncio.run(charts.figure(BAR, ["name", "n"], [("secret name", 1), ("b", 2)], False))
    assert (found.svg, found.words) == ("", charts.FAILED)
    assert "secret" not in caplog.text
    charts.DRAWER.close()
    charts.warm()
    assert "Charts cannot be drawn here" in caplog.text


def test_a_process_that_stopped_or_hangs_is_started_again(monkeypatch):
    drawer = chart_process.Drawer()
    assert "<svg" in drawer.svg(charts.TRIED)
    drawer._process.kill()
    drawer._process.wait()
    assert not drawer.is_running() and "<svg" in drawer.svg(charts.TRIED)
    monkeypatch.setattr(chart_process, "PATIENCE_S", 0)
    with pytest.raises(ValueError, match="stopped"):
        drawer.svg(charts.TRIED)
    monkeypatch.undo()
    assert "<svg" in drawer.svg(charts.TRIED)
    drawer.close()
    assert not drawer.is_running()


def test_the_process_ends_with_its_server():
    code = "from loaders import charts; charts.warm(); print(charts.DRAWER._process.pid, flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code], cwd=house.root(), stdin=-1, stdout=-1, text=True) as server:
        drawing = int(server.stdout.readline())
        os.kill(drawing, 0)
        server.kill()
    for _ in range(200):
        if not is_alive(drawing):
            return
        time.sleep(0.05)
    pytest.fail("the process that draws charts is still there")


def is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
        return Path(f"/proc/{process}/stat").read_text().split()[2] != "Z"
    except OSError:
        return False


LARGE = {
    "heat": (HEAT, ["day", "hour", "n"], [(f"Quiz {at % 40}", at % 24, at) for at in range(960)]),
    "network": (
        {"mark": "network", "from": "fullname", "to": "to_fullname", "weight": "n"},
        ["fullname", "person", "to_fullname", "to_person", "n"],
        [(f"Student {at}", at, f"Student {at * 7 % 300}", at * 7 % 300, at + 1) for at in range(300)],
    ),
}


@pytest.mark.parametrize("chart, columns, rows", LARGE.values(), ids=LARGE)
def test_others_are_served_while_one_is_drawn(chart, columns, rows):
    async def beats() -> list[float]:
        drawing = asyncio.create_task(charts.figure(chart, columns, rows, False))
        found = []
        while not drawing.done():
            found.append(time.perf_counter())
            await asyncio.sleep(0.001)
        assert drawing.result().svg
        return found

    charts.warm()
    found = asyncio.run(beats())
    assert len(found) > 10
    assert max(later - sooner for sooner, later in pairwise(found)) < 0.5 * (found[-1] - found[0])


@pytest.mark.parametrize(
    "value, long, brief",
    [(0, "0", "0"), (1234.5, "1,234", "1.2k"), (0.25, "0.25", "0.2"), (-3, "−3", "−3"), (999_999, "999,999", "1M")],
)
def test_numbers_are_said_shortly(value, long, brief):
    assert (said(value), short(value)) == (long, brief)


@pytest.mark.parametrize("value", [None, "7", True, float("nan"), float("inf"), b"7"])
def test_what_is_no_number(value):
    assert number(value) is None


NAMESAKES = [
    {"fullname": "Sam Lee", "person": 2, "week": 1, "posts": 5},
    {"fullname": "Sam Lee", "person": 3, "week": 1, "posts": 1},
    {"fullname": "Sam Lee", "person": 3, "week": 2, "posts": 4},
]
POSTS = {"mark": "heat", "x": "week", "y": "fullname", "value": "posts"}


def test_two_people_of_one_name_are_two_rows_and_no_number_hides_another():
    found = figure(POSTS, NAMESAKES)
    assert texts(found).count("Sam Lee") == 2 and {"5", "1", "4"} <= set(texts(found))


def test_who_has_something_in_a_far_week_only_keeps_a_row():
    rows = [*NAMESAKES, {"fullname": "Al", "person": 4, "week": 560, "posts": 7}]
    found = figure(POSTS, rows)
    assert "Al" in texts(found) and "7" not in texts(found)
    assert found.remarks == ["Not drawn: week 560, far from all others."]
