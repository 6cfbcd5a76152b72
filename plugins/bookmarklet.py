"""The install page `/-/bookmarklet` and the page script, as a bookmarklet and as a userscript.

Both are the one file beside this one, `coursette.user.js`, with its last line filled in: where this server is, which
Moodles it knows, whether somebody clicked (a bookmarklet may speak, a userscript is silent), and a token to ask with.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote, urlsplit

from datasette import hookimpl
from datasette.app import Datasette
from datasette.utils.asgi import Request, Response

from loaders import __version__, tokens, web

USERSCRIPT = "/-/coursette.user.js"
SCRIPT = Path(__file__).with_name("coursette.user.js")
END_OF_METADATA = "// ==/UserScript==\n"
SETTINGS = re.compile(r"\}\)\(\{.*\}\);.*\n\Z")
COMMENT_LINE = re.compile(r"\s*(//.*|/\*\*.*\*/)\s*")
COMMENT = re.compile(r" // .*")  # at the end of a line; nothing else in the script has these four characters
KEPT_IN_ADDRESS = "".join(map(chr, range(0x20, 0x7F))).replace("%", "").replace("#", "")

COURSES = """
select courses.moodle_id as course, coalesce(courses.shortname, courses.fullname, '') as name, sites.url as site
from sites
left join courses on courses.site_id = sites.id and courses.moodle_id is not null
order by courses.id
"""
# Nothing else gets into a script's metadata: what stands there decides on which pages it runs.
ADDRESS = re.compile(r"https?://[\w.-]+(:\d+)?(/[\w.~%-]+)*", re.ASCII)
BELOW_THE_SITE = re.compile(
    r"[?#]|/(?:course|mod|user|my|login|grade|report|admin|blog|message|calendar)(?:/|\Z)|/index\.php"
)


def site_of(address: str) -> str | None:
    """The Moodle that an address typed or pasted by a teacher belongs to, without its last slash.

    `https://moodle.example.edu/lms/course/view.php?id=2` is of `https://moodle.example.edu/lms`; None if it
    is no address of a web site.
    """
    site = BELOW_THE_SITE.split(address.strip())[0].rstrip("/")
    return site if is_known_form(site) else None


def is_known_form(site: str) -> bool:
    """Whether an address may stand in a script and in a token."""
    return bool(ADDRESS.fullmatch(site)) and tokens.is_site(site)


async def known_courses(datasette: Datasette, actor: dict | None) -> list[dict]:
    """The courses this visitor may see, `site` (None: not known), `course` and `name`; `course` None: a bare site."""
    found = []
    for name in await web.databases(datasette, actor):
        rows = (await datasette.get_database(name).execute(COURSES)).rows
        found += [{**dict(row), "site": (row["site"] or "").rstrip("/") or None} for row in rows]
    return [row for row in found if row["site"] is None or is_known_form(row["site"])]


# ---- The script's text ----


def with_settings(
    source: str, server: str, sites: list[str], clicked: bool, token: str = "", refresh: bool = False
) -> str:
    """The script's text with its last line filled in."""
    origins = sorted({tokens.origin_of(site) for site in sites if tokens.is_site(site)})
    given = {
        "server": server,
        "sites": sites,
        "origins": origins,
        "clicked": clicked,
        "token": token,
        "refresh": refresh,
    }
    settings = json.dumps(given).replace("<", "\\u003c")
    filled, times = SETTINGS.subn(lambda _: f"}})({settings});\n", source)
    if times != 1:
        raise ValueError(f"{SCRIPT.name} does not end with its settings")
    return filled


def compact(source: str) -> str:
    """The script without comments and indentation: Firefox keeps 65,536 characters of a bookmark."""
    lines = source.partition(END_OF_METADATA)[2].splitlines()
    kept = (line for line in lines if line.strip() and not COMMENT_LINE.fullmatch(line))
    return "\n".join(COMMENT.sub("", line).strip() for line in kept)


def as_bookmarklet(source: str) -> str:
    """The whole script as an address: it loads nothing, so no page can keep it from loading."""
    return "javascript:" + quote(compact(source), safe=KEPT_IN_ADDRESS)


def as_userscript(source: str, address: str, sites: list[str]) -> str:
    """The script with the lines that say where it runs, whom it may ask, and where it is renewed from."""
    lines = [line for site in sites for line in places(site)]
    hosts = dict.fromkeys([urlsplit(address).hostname or "", "localhost", "127.0.0.1"])
    lines += [("connect", host) for host in hosts if host]
    lines += [("updateURL", address), ("downloadURL", address)]
    more = "".join(f"// @{key:<12} {value}\n" for key, value in lines)
    source = re.sub(r"(?m)^(// @version +).*$", rf"\g<1>{__version__}", source, count=1)
    return source.replace(END_OF_METADATA, more + END_OF_METADATA, 1)


def places(site: str) -> list[tuple[str, str]]:
    """Where a userscript runs: @match leaves out the port in some managers, @include in none."""
    pattern = f"{site}/*"
    with_port = re.match(r"https?://[^/]*:", site)
    return [("match", pattern), ("include", pattern)] if with_port else [("match", pattern)]


# ---- Its token ----


def account_of(datasette: Datasette, request: Request) -> str | None:
    """The name of the visitor's account; None for somebody without one, as `datasette --root` signs in."""
    name = web.session(datasette, request.scope).get("account") or (request.actor or {}).get("id")
    return name if any(row["name"] == name for row in web.known_accounts(datasette)) else None


def page_token(
    datasette: Datasette,
    request: Request,
    courses: list[dict],
    asked_for: bool = False,
    right: str | None = None,
) -> dict | None:
    """The record of the token in this visitor's scripts, for all courses they see now, with a `right` or its last.

    It is made the first time, and again only when `asked_for`: one that was revoked or has ended stays so. None
    where there is none, no account or no course whose Moodle is known.
    """
    folder, user = web.private(datasette), account_of(datasette, request)
    if user is None:
        return None
    mine = [row for row in tokens.of_user(folder, user) if row["name"] == tokens.PAGE_SCRIPT]
    live = next((row for row in mine if row["counts"]), None)
    wanted = bindings(courses, (live or {}).get("courses", []))
    if not wanted:
        return None
    if live and not asked_for:
        if live["courses"] != wanted:
            tokens.bind(folder, user, live["id"], wanted)
        return {**live, "courses": wanted}
    if mine and not asked_for:
        return None
    if live:
        tokens.revoke(folder, user, live["id"])
    return tokens.make(folder, user, wanted, right=right or (mine[0]["right"] if mine else "read"))


def bindings(courses: list[dict], before: list[dict]) -> list[dict]:
    """What a token is bound to: what it was before, and these courses; one whose Moodle no file says keeps the one
    that was said on the page."""
    said = {row["course"]: row["site"] for row in before}
    found = [{"site": row["site"] or said.get(row["course"]), "course": row["course"]} for row in courses]
    wanted = [row for row in found if row["site"] and row["course"] is not None]
    return [*before, *(row for row in wanted if row not in before)]


# ---- Pages ----


async def what_is_asked(datasette: Datasette, request: Request) -> tuple[str, list[str], dict | None]:
    """This server's address, the Moodles to work on, and the token's record.

    A Moodle is known by a loaded file or by what was said in the form here, never by an address: anybody can make one.
    """
    server = datasette.absolute_url(request, datasette.urls.instance()).rstrip("/")
    courses = await known_courses(datasette, request.actor)
    token = page_token(datasette, request, courses)
    bound = {row["site"] for row in (token or {}).get("courses", [])}
    return server, sorted({row["site"] for row in courses if row["site"]} | bound), token


async def install_page(datasette: Datasette, request: Request) -> Response:
    """`/-/bookmarklet`: what to drag where, what it does, the tokens, how to be rid of it."""
    await datasette.ensure_permissions(request.actor, ["view-instance"])
    if request.method == "POST":
        return await change(datasette, request)
    return await show(datasette, request)


async def show(datasette: Datasette, request: Request, made: dict | None = None, sentence: str = "") -> Response:
    """The page; `made` is the record of a token made just now, to be shown."""
    server, sites, token = await what_is_asked(datasette, request)
    folder, user = web.private(datasette), account_of(datasette, request)
    courses = await known_courses(datasette, request.actor)
    text = tokens.text(folder, token) if token else ""
    source = with_settings(SCRIPT.read_text("utf-8"), server, sites, True, text, tokens.may_refresh(token))
    context = {
        "bookmarklet": as_bookmarklet(source),
        "userscript": datasette.urls.path(USERSCRIPT),
        "server": server,
        "sites": sites,
        "siteless": [row for row in courses if row["site"] is None and row["course"] is not None],
        "user": user,
        "page_token": token,
        "tokens": [listed(row, courses) for row in (tokens.of_user(folder, user) if user else [])],
        "courses": [row for row in courses if row["site"] and row["course"] is not None],
        "made": made and {**listed(made, courses), "text": tokens.text(folder, made)},
        "sentence": sentence,
    }
    return await web.page(datasette, request, "bookmarklet.html", context)


def listed(record: dict, courses: list[dict]) -> dict:
    """A token's record in words."""
    names = {(row["site"], row["course"]): row["name"] for row in courses}
    return {
        **record,
        "for": ", ".join(
            names.get((row["site"], row["course"])) or f"course {row['course']}" for row in record["courses"]
        ),
        "at": sorted(tokens.origins(record)),
        "made_utc": utc(record["made"]),
        "expires_utc": utc(record["expires"]),
        "revoked_utc": utc(record["revoked"]) if record["revoked"] else None,
    }


def utc(seconds: int) -> str:
    """A moment as UTC text."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


async def change(datasette: Datasette, request: Request) -> Response:
    """What the page's forms do: say where a Moodle is, make a token, revoke one."""
    given = await request.post_vars()
    folder, user = web.private(datasette), account_of(datasette, request)
    courses = await known_courses(datasette, request.actor)
    here = datasette.urls.path("/-/bookmarklet")
    if user is None:
        raise web.Refusal("Tokens belong to an account: sign in by the link that `coursette serve` prints.", 400)
    if given.get("action") == "site":
        return await show(datasette, request, None, say_site(datasette, request, courses, given))
    if given.get("action") == "revoke":
        tokens.revoke(folder, user, given.get("id") or "")
        return Response.redirect(f"{here}#tokens")
    if given.get("action") in ("renew", "right"):
        asked = {"right": "refresh" if given.get("refresh") else "read"} if given["action"] == "right" else {}
        page_token(datasette, request, courses, asked_for=True, **asked)
        return Response.redirect(here)
    return await show(datasette, request, *make(folder, user, courses, given))


def say_site(datasette: Datasette, request: Request, courses: list[dict], given: dict) -> str:
    """Bind the page script's token to this Moodle for the courses of which no file says where they are.

    Returns a sentence where what was typed is no address.
    """
    if not (site := site_of(given.get("site") or "")):
        return "That is no address of a web site: copy one from a page of your Moodle, it begins with https://."
    named = [{**row, "site": row["site"] or site} for row in courses]
    if record := page_token(datasette, request, named):
        tokens.bind(web.private(datasette), record["user"], record["id"], bindings(named, []))
    return ""


def make(folder: Path, user: str, courses: list[dict], given: dict) -> tuple[dict | None, str]:
    """(a token as the form asks for it, or None, and why not)."""
    wanted = [row for row in bindings(courses, []) if given.get("course") in ("", None, str(row["course"]))]
    try:
        name = (given.get("name") or "").strip()
        if not name or name == tokens.PAGE_SCRIPT:
            raise tokens.Refused("A token needs a name of its own, to know it again.")
        return tokens.make(folder, user, wanted, name, given.get("right") or "read"), ""
    except tokens.Refused as refused:
        return None, str(refused)


async def userscript(datasette: Datasette, request: Request) -> Response:
    """`/-/coursette.user.js`: the script for a userscript manager."""
    await datasette.ensure_permissions(request.actor, ["view-instance"])
    server, sites, token = await what_is_asked(datasette, request)
    text = tokens.text(web.private(datasette), token) if token else ""
    source = with_settings(SCRIPT.read_text("utf-8"), server, sites, False, text, tokens.may_refresh(token))
    address = datasette.absolute_url(request, datasette.urls.path(USERSCRIPT))
    body = as_userscript(source, address, sites)
    return Response(body, headers=dict(web.OWN_PAGE), content_type="text/javascript; charset=utf-8")


@hookimpl
def register_routes() -> list:
    return [(r"/-/bookmarklet$", install_page), (r"/-/coursette\.user\.js$", userscript)]


@hookimpl
def menu_links(datasette: Datasette, actor: dict | None) -> list[dict] | None:
    if not actor:
        return None
    return [{"href": datasette.urls.path("/-/bookmarklet"), "label": "Answers on your Moodle pages"}]
