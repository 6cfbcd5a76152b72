"""The install page `/-/bookmarklet` and the page script, as a bookmarklet and as a userscript.

Both are the one file beside this one, `coursette.user.js`, with its last line filled in: where this server
is, which Moodles it knows, and whether somebody clicked (a bookmarklet may speak, a userscript is silent).
"""

import json
import re
from pathlib import Path
from urllib.parse import quote, urlencode

from datasette import hookimpl
from datasette.app import Datasette
from datasette.utils.asgi import Request, Response

from loaders import web

SCRIPT = Path(__file__).with_name("coursette.user.js")
END_OF_METADATA = "// ==/UserScript==\n"
SETTINGS = re.compile(r"\}\)\(\{.*\}\);.*\n\Z")

SITES = "select url from sites where url is not null"
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
    return site if ADDRESS.fullmatch(site) else None


async def known_sites(datasette: Datasette, actor: dict | None) -> set[str]:
    """The Moodles that something this visitor may see is loaded from, as far as their addresses are known."""
    found = set()
    for name in await web.databases(datasette, actor):
        rows = (await datasette.get_database(name).execute(SITES)).rows
        found |= {row["url"].rstrip("/") for row in rows}
    return {site for site in found if ADDRESS.fullmatch(site)}


def with_settings(source: str, server: str, sites: list[str], clicked: bool) -> str:
    """The script's text with its last line filled in."""
    settings = json.dumps({"server": server, "sites": sites, "clicked": clicked}).replace("<", "\\u003c")
    filled, times = SETTINGS.subn(lambda _: f"}})({settings});\n", source)
    if times != 1:
        raise ValueError(f"{SCRIPT.name} does not end with its settings")
    return filled


def as_bookmarklet(source: str) -> str:
    """The whole script as an address: it loads nothing, so no page can keep it from loading."""
    return "javascript:" + quote(source.partition(END_OF_METADATA)[2].strip(), safe="")


def as_userscript(source: str, address: str, sites: list[str]) -> str:
    """The script with the lines that say where it runs and where it is renewed from."""
    lines = [line for site in sites for line in places(site)]
    lines += [("updateURL", address), ("downloadURL", address)]
    more = "".join(f"// @{key:<12} {value}\n" for key, value in lines)
    return source.replace(END_OF_METADATA, more + END_OF_METADATA, 1)


def places(site: str) -> list[tuple[str, str]]:
    """Where a userscript runs: @match leaves out the port in some managers, @include in none."""
    pattern = f"{site}/*"
    with_port = re.match(r"https?://[^/]*:", site)
    return [("match", pattern), ("include", pattern)] if with_port else [("match", pattern)]


async def what_is_asked(datasette: Datasette, request: Request) -> tuple[str, list[str], str | None]:
    """This server's address, the Moodles to work on, and the one given as `site` if it is a possible one."""
    server = datasette.absolute_url(request, datasette.urls.instance()).rstrip("/")
    given = site_of(request.args.get("site") or "")
    sites = await known_sites(datasette, request.actor)
    return server, sorted(sites | {given} if given else sites), given


async def install_page(datasette: Datasette, request: Request) -> Response:
    """`/-/bookmarklet[?site=]`: what to drag where, what it does, how to be rid of it."""
    await datasette.ensure_permissions(request.actor, ["view-instance"])
    server, sites, given = await what_is_asked(datasette, request)
    source = SCRIPT.read_text("utf-8")
    context = {
        "bookmarklet": as_bookmarklet(with_settings(source, server, sites, clicked=True)),
        "userscript": script_address(datasette, given),
        "server": server,
        "sites": sites,
        "asked": (request.args.get("site") or "").strip(),
        "given": given,
    }
    return await web.page(datasette, request, "bookmarklet.html", context)


async def userscript(datasette: Datasette, request: Request) -> Response:
    """`/-/coursette.user.js[?site=]`: the script for a userscript manager."""
    await datasette.ensure_permissions(request.actor, ["view-instance"])
    server, sites, given = await what_is_asked(datasette, request)
    source = with_settings(SCRIPT.read_text("utf-8"), server, sites, clicked=False)
    address = datasette.absolute_url(request, script_address(datasette, given))
    headers = {"Cache-Control": "private, no-cache"}
    body = as_userscript(source, address, sites)
    return Response(body, headers=headers, content_type="text/javascript; charset=utf-8")


def script_address(datasette: Datasette, given: str | None) -> str:
    """Where the userscript is, on this server."""
    path = datasette.urls.path("/-/coursette.user.js")
    return f"{path}?{urlencode({'site': given})}" if given else path


@hookimpl
def register_routes() -> list:
    return [(r"/-/bookmarklet$", install_page), (r"/-/coursette\.user\.js$", userscript)]


@hookimpl
def menu_links(datasette: Datasette, actor: dict | None) -> list[dict] | None:
    if not actor:
        return None
    return [{"href": datasette.urls.path("/-/bookmarklet"), "label": "Answers on your Moodle pages"}]
