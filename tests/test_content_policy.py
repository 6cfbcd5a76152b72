"""What the content policy of each kind of answer says, and which scripts it lets run."""

from __future__ import annotations

import re

import httpx
import pytest

from loaders import web
from tests import made_up
from tests.visit import get, instance

INLINE = re.compile(r"<(script|style)\b([^>]*)>")
CHARTED = ["/moodle/people", "/moodle/weeks?course=2", "/moodle?sql=select+1"]
PLAIN = ["/moodle", "/moodle/people/1", "/nothing", "/moodle/nothing", "/-/metadata", "/-/allow-debug", "/-/patterns"]
OWN = ["/", "/-/student?course=2&user=5", "/-/account", "/-/bookmarklet", "/-/student?course=2&user=77"]
NO_PAGES = ["/moodle/people.json", "/moodle/people.csv", "/-/health", "/-/static/table.js", "/favicon.ico"]


@pytest.fixture
def datasette(tmp_path):
    return instance(made_up.small(tmp_path / "moodle.db"))


def policy(answer: httpx.Response) -> dict[str, list[str]]:
    """What each directive allows."""
    (said,) = answer.headers.get_list("content-security-policy")
    return {name: sources for name, *sources in (part.split() for part in said.split(";"))}


def nonce(answer: httpx.Response) -> str:
    (found,) = [source for source in policy(answer)["script-src"] if source.startswith("'nonce-")]
    return found.removeprefix("'nonce-").removesuffix("'")


@pytest.mark.parametrize("path", [*CHARTED, *PLAIN])
async def test_all_that_stands_in_a_template_has_the_nonce(datasette, path):
    answer = await get(datasette, path)
    tags = [attributes for _, attributes in INLINE.findall(answer.text) if " src=" not in attributes]
    assert tags and all(f'nonce="{nonce(answer)}"' in attributes for attributes in tags)
    assert nonce(answer) != nonce(await get(datasette, path)), "guessing the next one is no use"


@pytest.mark.parametrize("path", [*CHARTED, *PLAIN])
async def test_nothing_comes_from_elsewhere(datasette, path):
    said = policy(await get(datasette, path))
    assert said["default-src"] == said["base-uri"] == said["frame-ancestors"] == ["'none'"]
    assert said["connect-src"] == said["font-src"] == said["form-action"] == ["'self'"]
    assert "'unsafe-inline'" not in said["script-src"] + said["style-src"]
    for sources in said.values():
        assert not [source for source in sources if not source.startswith("'") and source != "data:"]


async def test_compiling_is_for_pages_with_a_chart_and_so_is_its_script(datasette):
    for paths, has_chart in ((CHARTED, True), (PLAIN, False)):
        for path in paths:
            answer = await get(datasette, path)
            assert ("'unsafe-eval'" in policy(answer)["script-src"]) is has_chart, path
            assert (re.search(r"<script src=[^>]*datasette_vega", answer.text) is not None) is has_chart, path


@pytest.mark.parametrize("path", [*OWN, *NO_PAGES])
async def test_our_own_pages_and_what_is_no_page_run_nothing(datasette, path):
    assert (await get(datasette, path)).headers["content-security-policy"] == web.STRICT


async def test_a_refusal_has_a_policy_too(datasette):
    for headers in ({}, {"Host": "evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = await get(datasette, "/moodle", None, headers=headers)
        assert answer.status_code in (400, 403) and answer.headers["content-security-policy"] == web.STRICT


async def test_what_comes_from_data_and_descriptions_gets_no_nonce(datasette):
    script = "<script>alert(1)</script>"
    datasette._metadata_local["databases"]["moodle"]["description_html"] = script
    answer = await get(datasette, "/moodle")
    assert script in answer.text, "as it was written, without a nonce"
    del datasette._metadata_local["databases"]["moodle"]["description_html"]
    for path in ("/moodle/people", f"/moodle?sql=select+'{script}'", "/moodle/people?_search=" + script):
        answer = await get(datasette, path)
        assert "alert(1)" in answer.text and not re.search(r"<script[^>]*>alert", answer.text), path


async def test_a_template_outside_of_an_answer_lets_nothing_run(datasette):
    await datasette.invoke_startup()
    template = datasette.jinja_env.from_string("<script>x()</script><style >b</style><script defer src='/x'></script>")
    made = await template.render_async()
    assert made == '<script nonce="">x()</script><style nonce="" >b</style><script defer src=\'/x\'></script>'
