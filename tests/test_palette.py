"""The five colours of a number, on light and on dark pages: parsed from the script, not copied from it.

Contrast is WCAG's; lightness and hue are CIELAB's; distances are CIEDE76 (a difference of 2.3 is just seen); eyes
without one kind of cone are simulated after Machado, Oliveira and Fernandes (2009), severity 1, in linear light.
"""

from __future__ import annotations

import json
import math
import re
from itertools import pairwise
from pathlib import Path

import pytest

SCRIPT = (Path(__file__).parent.parent / "plugins" / "coursette.user.js").read_text("utf-8")
Triple = tuple[float, float, float]

JUST_SEEN = 2.3
EYES = {
    "all cones": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopia": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}
TO_XYZ = ((0.4124564, 0.3575761, 0.1804375), (0.2126729, 0.7151522, 0.0721750), (0.0193339, 0.1191920, 0.9503041))
WHITE = (0.95047, 1.0, 1.08883)


def palette(name: str) -> list[tuple[str, str]]:
    """(paper, ink) of each step."""
    steps = json.loads(re.search(rf"const {name} = (\[.*?\]);", SCRIPT)[1])
    return [tuple(step.split()) for step in steps]


def times(matrix: tuple[Triple, Triple, Triple], vector: Triple) -> Triple:
    return tuple(sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix)


def linear(colour: str) -> Triple:
    """Linear light of "#rrggbb"."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    return tuple(c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)


def lab(light: Triple) -> Triple:
    """CIELAB of linear light."""

    def f(t: float) -> float:
        return t ** (1 / 3) if t > (6 / 29) ** 3 else t / (3 * (6 / 29) ** 2) + 4 / 29

    x, y, z = (f(value / white) for value, white in zip(times(TO_XYZ, light), WHITE, strict=True))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def seen(colour: str, eyes: str) -> Triple:
    """CIELAB of a colour as such eyes see it."""
    light = times(EYES[eyes], linear(colour))
    return lab(tuple(min(max(value, 0), 1) for value in light))


def contrast(one: str, other: str) -> float:
    low, high = sorted(times(TO_XYZ, linear(colour))[1] for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


both = pytest.mark.parametrize("name", ["LIGHT", "DARK"])


def test_the_measures_measure():
    assert contrast("#000000", "#ffffff") == pytest.approx(21, abs=0.01)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert lab(linear("#ffffff")) == pytest.approx((100, 0, 0), abs=0.01)
    assert lab(linear("#ff0000")) == pytest.approx((53.24, 80.09, 67.20), abs=0.05)
    red, green = (seen(colour, "deuteranopia") for colour in ("#a05000", "#607000"))
    assert math.dist(red, green) < math.dist(lab(linear("#a05000")), lab(linear("#607000"))) / 2


@both
def test_the_number_can_be_read_on_every_step(name: str):
    assert len(palette(name)) == 5
    for paper, ink in palette(name):
        assert contrast(paper, ink) >= 4.5, (paper, ink)


@both
@pytest.mark.parametrize("eyes", EYES)
def test_lightness_goes_one_way(name: str, eyes: str):
    lightness = [seen(paper, eyes)[0] for paper, _ in palette(name)]
    steps = [later - earlier for earlier, later in pairwise(lightness)]
    assert all(step < 0 for step in steps) if name == "LIGHT" else all(step > 0 for step in steps)
    assert min(map(abs, steps)) > 4, steps


@both
def test_one_hue(name: str):
    hues = []
    for paper, _ in palette(name):
        _, a, b = lab(linear(paper))
        if math.hypot(a, b) > 5:  # a grey has none
            hues.append(math.degrees(math.atan2(b, a)) % 360)
    assert len(hues) >= 3
    assert max(hues) - min(hues) < 30, hues


@both
@pytest.mark.parametrize("eyes", EYES)
def test_neighbours_differ_for_all_eyes(name: str, eyes: str):
    colours = [seen(paper, eyes) for paper, _ in palette(name)]
    apart = [math.dist(one, other) for one, other in pairwise(colours)]
    assert min(apart) > 2.5 * JUST_SEEN, apart


@both
def test_the_first_step_has_an_edge_where_its_paper_is_the_pages(name: str):
    """Step 0 hardly differs from the page, so its edge says that it is a mark: 3:1, as of anything to be used."""
    soft = re.findall(r"--coursette-soft: (#\w{6})", SCRIPT)[0 if name == "LIGHT" else 1]
    page = "#ffffff" if name == "LIGHT" else "#15181c"
    assert 'data-step="0"] { border-color: var(--coursette-soft)' in SCRIPT
    assert contrast(soft, page) >= 3


@pytest.mark.parametrize(("at", "paper"), [(0, "#ffffff"), (1, "#15181c")])
@pytest.mark.parametrize("word", ["ink", "soft", "accent", "warn"])
def test_words_of_legend_and_list_can_be_read(word: str, at: int, paper: str):
    assert contrast(re.findall(rf"--coursette-{word}: (#\w{{3,6}})", SCRIPT)[at], paper) >= 4.5
