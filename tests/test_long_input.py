"""Long and nasty input is read in one go: each of these once took from seconds to minutes."""

from __future__ import annotations

import pytest

from loaders import descriptions, names
from loaders.saved_page import LONGEST_LINK, SavedPage, body_id
from loaders.tables import Page


def page(html: str) -> SavedPage:
    return SavedPage(Page("page.html", html.encode()))


def test_many_unfinished_bodies_before_the_real_one():
    real = b'<body class="path-mod" id="page-mod-forum-view">'
    assert body_id(b"<body " * 50_000) == ""
    assert body_id(b"<body " * 50_000 + real) == "page-mod-forum-view"


def test_a_very_long_link_tells_no_site():
    long = "https://x.org" + "/course/a" * 30_000
    assert page(f'<a href="{long}">x</a>').site is None
    assert page(f'<a href="{long}">x</a><a href="https://y.org/course/view.php?id=2">y</a>').site == "https://y.org"
    padded = "https://z.org/course/view.php?" + "a" * (LONGEST_LINK - 30)
    assert page(f'<a href="{padded}">z</a>').site == "https://z.org"


@pytest.mark.parametrize("address", ["javascript:alert(1)", "data:text/html,x", "", "ftp://x.org"])
def test_a_page_whose_address_is_no_web_address_is_of_no_site(address):
    assert page(f'<script>M.cfg = {{"wwwroot": "{address}"}};</script>').site is None


@pytest.mark.parametrize("read", [names.clean, descriptions.normal])
def test_entities_are_decoded_three_times_and_no_more(read):
    assert read("A &amp;amp;amp; B") == "A & B"
    many = 200_000
    assert read("A &" + "amp;" * many + " B") == "A &" + "amp;" * (many - names.ROUNDS) + " B"
