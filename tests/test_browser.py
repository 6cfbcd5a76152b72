"""The browser and the little web server that browser tests rely on."""

import pytest
from browser import ADVICE, NoBrowser, Site, candidates, launch
from playwright.sync_api import Browser, Page


def test_a_page_is_served_and_shown(page: Page, site: Site):
    site["/user/view.php?id=5"] = "<title>Zoë</title>"
    site["/user/view.php"] = "<title>anybody</title>"
    page.goto(site.url + "/user/view.php?id=5")
    assert page.title() == "Zoë"
    page.goto(site.url + "/user/view.php?id=6")
    assert page.title() == "anybody"
    assert site.asked == ["/user/view.php?id=5", "/user/view.php?id=6"]


def test_a_folder_is_served(page: Page, site: Site, tmp_path):
    (tmp_path / "script.js").write_text("document.title = 'it ran'")
    (tmp_path / "index.html").write_text("<script src=script.js></script>")
    page.goto(site.folder(tmp_path) + "/index.html")
    assert page.title() == "it ran"
    assert page.goto(site.url + "/nothing").status == 404


def test_headers_reach_the_browser(page: Page, site: Site):
    site["/"] = "<script>document.title = 'it ran'</script>"
    site.headers["Content-Security-Policy"] = "script-src 'none'"
    page.goto(site.url)
    assert page.title() == ""


async def test_async_tests_run_beside_browser_tests():
    """Comes after the browser tests in this file, but conftest.py runs it before them."""


def test_a_named_browser_that_is_none_is_one_sentence(browser: Browser, monkeypatch):
    monkeypatch.setenv("COURSETTE_BROWSER", "/no/such/browser")
    assert list(candidates("own")) == ["/no/such/browser"]
    with pytest.raises(NoBrowser, match="install one") as told:
        launch(browser.browser_type)
    assert str(told.value).startswith(ADVICE)
    assert "\n" not in str(told.value)
