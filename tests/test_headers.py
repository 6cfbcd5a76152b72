"""What every answer carries, on every route that there really is, however it is asked."""

from __future__ import annotations

import re
from re import _parser as parser

import httpx
import pytest

from tests import made_up
from tests.visit import COLLEAGUE, TEACHER, cookies, get, instance

# What the parts of our routes that have a name may be; anything else is made up from the pattern.
SAMPLES = {
    "database": ["moodle", "nothing"],
    "table": ["people", "weeks"],
    "pks": ["1"],
    "format": ["json", "csv"],
    "path": ["app.css", "nothing.css", "main.08f5d3d8.js", "../../metadata.yml"],
    "rest": [""],
    "key": ["5a5a5a"],
    "name": ["coursette"],
}
STATIC = re.compile(r"/favicon\.ico|/-/(static|static-plugins)/.*|/-/(coursette|datasette)\.css")


def examples(pattern: re.Pattern) -> list[str]:
    """Paths that a route takes."""
    names = {number: name for name, number in pattern.groupindex.items()}
    found = made_of(parser.parse(pattern.pattern), names)
    return sorted({path for path in found if pattern.match(path)})


def made_of(parts, names: dict[int, str]) -> list[str]:
    """Texts that fit a parsed pattern: each choice once, what may repeat or lack with and without."""
    texts = [""]
    for kind, value in parts:
        texts = [before + after for before in texts for after in piece(str(kind), value, names)]
    return texts


def piece(kind: str, value, names: dict[int, str]) -> list[str]:
    """Texts that fit one part of a pattern."""
    if kind == "LITERAL":
        return [chr(value)]
    if kind == "SUBPATTERN":
        return SAMPLES.get(names.get(value[0])) or made_of(value[3], names)
    if kind == "BRANCH":
        return [text for branch in value[1] for text in made_of(branch, names)]
    if kind in ("MAX_REPEAT", "MIN_REPEAT"):
        least, most, inside = value
        return [text * times for times in {least, min(max(least, 1), most)} for text in made_of(inside, names)]
    return [""] if kind == "AT" else ["."]


def routes(datasette) -> list[str]:
    """A path or more for each route of Datasette and of all plugins."""
    paths = {pattern.pattern: examples(pattern) for pattern, _ in datasette._routes()}
    assert all(paths.values()), [pattern for pattern, found in paths.items() if not found]
    return sorted({path for found in paths.values() for path in found})


def check(answer: httpx.Response, path: str) -> None:
    """Every protection that an answer must carry, once."""
    headers = answer.headers
    once = {name for name, _ in headers.raw if len(headers.get_list(name.decode())) > 1} - {b"set-cookie"}
    where = (str(answer.request.method), path, answer.status_code)
    assert not once, where
    assert headers["x-content-type-options"] == "nosniff", where
    assert headers["referrer-policy"] == "no-referrer", where
    assert headers["x-frame-options"] == "DENY", where
    assert "frame-ancestors 'none'" in headers["content-security-policy"], where
    assert headers["cross-origin-resource-policy"] == "same-origin", where
    tied = path in ("/-/student", "/-/notes", "/-/window", "/-/learn")  # to the Moodle page that opened them
    assert headers.get("cross-origin-opener-policy", "") == "same-origin" or tied, where
    assert "no-store" in headers["cache-control"] or STATIC.fullmatch(path) or path.endswith(".js"), where
    assert "access-control-allow-origin" not in headers, where


@pytest.fixture
def datasette(tmp_path):
    return instance(made_up.small(tmp_path / "moodle.db"))


def test_the_list_of_routes_is_really_theirs(datasette):
    found = routes(datasette)
    expected = {"/", "/-/login", "/-/student", "/-/usage.json", "/-/metadata", "/-/metadata.json", "/moodle/people/1"}
    assert expected <= set(found) and "/-/static-plugins/datasette_vega/main.08f5d3d8.js" in found


@pytest.mark.parametrize("who", [TEACHER, COLLEAGUE, None])
async def test_every_route_protects_its_answers(datasette, who):
    for path in routes(datasette):
        check(await get(datasette, path, who), path)


@pytest.mark.parametrize("method", ["HEAD", "POST", "OPTIONS", "PUT", "TRACE"])
async def test_whatever_the_method(datasette, method):
    for path in routes(datasette):
        check(await datasette.client.request(method, path, cookies=cookies(datasette, TEACHER)), path)


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
async def test_refusals_too(datasette, headers):
    for path in routes(datasette):
        answer = await get(datasette, path, headers=headers)
        assert answer.status_code in (400, 403)
        check(answer, path)


@pytest.mark.parametrize(
    "path", ["/moodle/people/", "/moodle%2Fpeople", "/moodle?sql=select+nonsense", "/moodle/people?_sort=x", "/a/b/c/d"]
)
async def test_redirects_and_mistakes_too(datasette, path):
    answer = await get(datasette, path)
    assert answer.status_code >= 300
    check(answer, path.partition("?")[0])


async def test_what_goes_wrong_inside_too(datasette, monkeypatch):
    async def broken(*args, **kwargs):
        raise RuntimeError("Zoë Müller")

    monkeypatch.setattr(type(datasette.databases["moodle"]), "execute", broken)
    for path in ("/moodle/people", "/moodle/people.json", "/moodle/people/1"):
        answer = await get(datasette, path)
        assert answer.status_code == 500
        check(answer, path)
