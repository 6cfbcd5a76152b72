"""Accounts: the page where the owner lets others in, hands them a sign-in link, changes their role, takes it away."""

from __future__ import annotations

import asyncio
import sqlite3
from urllib.parse import parse_qs, urlencode

from datasette import hookimpl
from datasette.app import Datasette
from datasette.utils.asgi import MultiParams, Request, Response

from loaders import account_list, accounts, roles, web

PAGE = "/-/accounts"
GROUPS = """
select distinct
  iif((select count(*) from sites) > 1 and sites.url is not null, rtrim(sites.url, '/') || ' ', '')
    || iif(courses.moodle_id is null, '', courses.moodle_id || ':')
    || coalesce(cast(groups.moodle_id as text), groups.name),
  groups.name,
  coalesce(courses.shortname, courses.fullname, '')
from groups
join courses on courses.id = groups.course_id
join sites on sites.id = courses.site_id
where groups.field is null and groups.name is not null
order by courses.data_up_to_utc desc, courses.id, groups.name
"""


async def page(datasette: Datasette, request: Request) -> Response:
    """`/-/accounts`: the list and its forms; a form sent here says what to do in `do`."""
    owners_only(request)
    said, status = {}, 200
    if request.method == "POST":
        form = await fields(request)
        try:
            said = await asyncio.to_thread(done, datasette, request, form)
        except accounts.Refused as refused:
            said, status = {"sentence": str(refused)}, 400
    return await web.page(datasette, request, "coursette_accounts.html", {**await shown(datasette), **said}, status)


def owners_only(request: Request) -> None:
    """Raises web.Refusal for everybody but the owner, and for tokens."""
    if not web.is_owner(request.actor) or request.scope.get(web.TOKEN):
        raise web.Refusal(roles.refusal({}), 403)


async def fields(request: Request) -> MultiParams:
    """A form whose fields may repeat: Datasette's own reading keeps one of each."""
    body = (await request.post_body()).decode("utf-8", "replace")
    return MultiParams(parse_qs(body, keep_blank_values=True))


def done(datasette: Datasette, request: Request, form: MultiParams) -> dict:
    """Do what a form says: `told` (a sentence), and `link` with `whose`, to hand over. Raises accounts.Refused."""
    folder, do, name = web.private(datasette), form.get("do"), (form.get("name") or "").strip()
    seen = (form.get("role") or "", form.getlist("group"), form.getlist("file"))
    if do == "add":
        account_list.add(folder, name, *seen)
        return handed_over(datasette, request, name)
    if do == "link":
        return handed_over(datasette, request, name)
    if do == "role":
        account_list.set_role(folder, name, *seen)
        return {"told": f"{name} is a {seen[0]} now, and is signed out everywhere."}
    if do == "remove":
        account_list.remove(folder, name)
        return {"told": f"{name} cannot sign in any more."}
    raise accounts.Refused("This form asks for nothing that is known here.")


def handed_over(datasette: Datasette, request: Request, name: str) -> dict:
    """A new link for this account, whole, as it goes into a mail."""
    token = account_list.link(web.private(datasette), name)
    address = datasette.urls.path("/-/sign-in?" + urlencode({"token": token}))
    return {"link": datasette.absolute_url(request, address), "whose": name}


async def shown(datasette: Datasette) -> dict:
    """`accounts` (see account_list.listed), the `roles` in words, and what can be chosen: `groups`, `files`."""
    files = list(web.course_databases(datasette))
    every = [each for name in files for each in await groups(datasette, name)]
    found = await asyncio.to_thread(account_list.listed, web.private(datasette))
    words = dict(every)
    return {
        "accounts": [{**row, "groups_said": [words.get(each, each) for each in row["groups"]]} for row in found],
        "roles": roles.ROLES,
        "groups": list(dict.fromkeys(every)),
        "files": files if len(files) > 1 else [],
        "action": datasette.urls.path(PAGE),
    }


async def groups(datasette: Datasette, name: str) -> list[tuple[str, str]]:
    """(what accounts.json keeps of it, words) of the groups of a database; none where it has no such table."""
    try:
        rows = (await datasette.get_database(name).execute(GROUPS)).rows
    except sqlite3.OperationalError:
        return []
    return [(key, f"{group} ({course})" if course else group) for key, group, course in rows]


@hookimpl
def register_routes():
    return [(r"^/-/accounts$", page)]


@hookimpl
def menu_links(datasette, actor):
    return [{"href": datasette.urls.path(PAGE), "label": "Accounts"}] if web.is_owner(actor) else []
