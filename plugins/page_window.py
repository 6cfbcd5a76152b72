"""Two small windows beside a Moodle page: one carries answers where the page itself may not ask, one takes ids over.

Both keep their tie to the page that opened them, and talk to it by messages to its exact origin only. They are the only
pages of ours with a script, each in a file of its own.
"""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
from pathlib import Path
from urllib.parse import urlencode

from datasette import hookimpl
from datasette.app import Datasette
from datasette.utils.asgi import Request, Response

from loaders import pages, participants_page, tokens, web
from loaders.load import Loader, Outcome
from loaders.places import Options, normal_url
from loaders.saved_page import SavedPage
from loaders.schema import open_existing
from loaders.tables import Page

HERE = Path(__file__).parent
NOT_THIS = "this is not the participants page of course {course} of {site}: nothing of it was taken over"
SCRIPTED = {**web.OWN_PAGE, "Content-Security-Policy": f"{web.STRICT}; script-src 'self'; connect-src 'self'"}


async def script(request: Request) -> Response:
    """The scripts of the two windows."""
    text = (HERE / f"coursette_{request.url_vars['script']}.js").read_text(encoding="utf-8")
    headers = {"Cache-Control": "private, max-age=300"}
    return Response(text, headers=headers, content_type="text/javascript; charset=utf-8")


async def window(datasette: Datasette, request: Request) -> Response:
    """`/-/window#https://moodle.example.edu`: asks for the page, with the page's own token. Holds no data itself."""
    context = {"base": datasette.urls.instance().rstrip("/")}
    return await scripted(datasette, request, "coursette_window.html", context)


async def learn(datasette: Datasette, request: Request) -> Response:
    """`/-/learn?course=&site=`: shows what the participants page would tell, and takes it over when told to."""
    database, course = await web.find_course(datasette, request)
    if not web.is_owner(request.actor):
        raise web.Refusal("Only the owner of this instance adds data to it.", 403)
    site = course["site"] or said_site(datasette, request, course) or ""
    if not tokens.is_site(site):
        raise web.Refusal("No file says yet where the Moodle of this course is: say it on “On your Moodle pages”.", 400)
    context = {"course": course, "site": site, "origin": tokens.origin_of(site)}
    if request.method == "POST":
        page = (await request.post_vars()).get("page") or ""
        options = Options(course=course["moodle_id"], site=course["site"] or site)
        path = datasette.get_database(database).path
        context["outcome"] = await asyncio.to_thread(take, path, page, options)
    context["action"] = datasette.urls.path("/-/learn?" + urlencode({"course": course["moodle_id"], "site": site}))
    return await scripted(datasette, request, "coursette_learn.html", context)


def said_site(datasette: Datasette, request: Request, course: dict) -> str | None:
    """Where the course's Moodle is, as its teacher said on the install page; an address of ours tells nothing."""
    mine = tokens.of_user(web.private(datasette), web.session(datasette, request.scope).get("account") or "")
    bound = [each for row in mine if row["counts"] for each in row["courses"]]
    return next((each["site"] for each in bound if each["course"] == course["moodle_id"]), None)


async def scripted(datasette: Datasette, request: Request, template: str, context: dict) -> Response:
    """One of our pages, with leave to run its own script file."""
    body = await datasette.render_template(template, context, request=request)
    return Response.html(body, headers=dict(SCRIPTED))


def take(path: str, page: str, options: Options) -> Outcome:
    """What becomes of the page of participants in this database: the same as of a saved one.

    The page is told by whatever runs in the Moodle's page, so it may be of this course only, and nothing else.
    """
    if not is_of(page, options):
        return Outcome("participants page", error=NOT_THIS.format(course=options.course, site=options.site))
    with tempfile.TemporaryDirectory(prefix="coursette-") as folder:  # mode 0700
        file = Path(folder) / "participants page"
        file.write_text(page, encoding="utf-8")
        connection = open_existing(path).conn
        try:
            return next(iter(Loader(connection, options).load([file])))
        except sqlite3.OperationalError as error:
            return Outcome("participants page", error=f"another coursette is writing ({error}): try again")
        finally:
            connection.close()


def is_of(page: str, options: Options) -> bool:
    """Whether this is a participants page, and says it is of this course and Moodle or does not say."""
    given = Page("participants page", page.encode())
    if pages.recognise(given) != participants_page.KIND:
        return False
    found = SavedPage(given)
    at_home = found.site is None or (tokens.is_site(found.site) and normal_url(found.site) == normal_url(options.site))
    return at_home and found.course.get("moodle_id") in (None, options.course)


@hookimpl
def register_routes():
    return [(r"^/-/window$", window), (r"^/-/learn$", learn), (r"^/-/coursette_(?P<script>window|learn)\.js$", script)]
