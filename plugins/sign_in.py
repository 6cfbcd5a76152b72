"""Signing in: by the one-time link that `coursette serve` prints, then with a user name and a password."""

from __future__ import annotations

import asyncio
import time
from urllib.parse import urlsplit

from datasette import hookimpl
from datasette.app import Datasette
from datasette.utils import baseconv
from datasette.utils.asgi import Request, Response

from loaders import accounts, roles, tokens, visitor, web

LASTS_S = 14 * 24 * 3600
CONFIRMED_S = 300  # how long the old password opens the form for a new one
TRIES, WITHIN_S = 10, 300  # for one name from one address
ADDRESS_TRIES = 30  # for all names from it in that time: or one visitor could use up everybody's
ALL_TRIES, ALL_WITHIN_S = 100, 60  # for everybody together: soon over, as it is also in the right person's way
ACCOUNT = "/-/account"
OVER = (
    "This link was used already or is too old: `coursette serve` prints a new one for the owner, who makes new ones "
    "for all others."
)
ELSEWHERE = "You are signed in by your institution, so there is no password to choose or to change here."
# A page with a way to sign out on every computer below it.
WITH_SIGN_OUT = """
{% extends above %}
{% block main %}
{{ super() }}
<form method="post" action="{{ urls.path("/-/sign-out-everywhere") }}">
  <input type="hidden" name="csrftoken" value="{{ csrftoken() }}">
  <p class="soft">Signed in on a computer that is not at hand? <button>Sign out everywhere</button>
  It revokes the tokens of your bookmark and userscript too.</p>
</form>
{% endblock %}
"""


class Tries:
    """Passwords tried lately and not found right, so that guessing takes for ever."""

    def __init__(self, most: int, within_s: float):
        self.most, self.within_s = most, within_s
        self.times: dict[object, list[float]] = {}

    def are_too_many(self, key: object) -> bool:
        """Whether `key` has to wait; forgets what is long ago."""
        since = time.monotonic() - self.within_s
        recent = {key: [at for at in times if at > since] for key, times in self.times.items()}
        self.times = {key: times for key, times in recent.items() if times}
        return len(self.times.get(key, [])) >= self.most

    def add(self, key: object) -> None:
        """Count a try, before anybody knows how it ends: so many at once are no way round."""
        self.times.setdefault(key, []).append(time.monotonic())

    def forgive(self, key: object) -> None:
        """Take one back, as it was right."""
        if self.times.get(key):
            self.times[key].pop()


class Door:
    """The pages of signing in, and how often somebody knocked in vain lately."""

    def __init__(self):
        self.tries, self.address_tries = Tries(TRIES, WITHIN_S), Tries(ADDRESS_TRIES, WITHIN_S)
        self.all_tries = Tries(ALL_TRIES, ALL_WITHIN_S)
        self.one_at_a_time = asyncio.Semaphore(2)  # a password takes 0.2 s of a processor

    async def link(self, datasette: Datasette, request: Request) -> Response:
        """The one-time link: signs its owner in and leads home.

        Somebody else's asks first, as scanners open what is in a mail, and leads to choosing a password.
        """
        if request.method not in ("GET", "POST"):
            return Response.text("", status=405)  # whatever previews a link must not use it up
        given = await request.post_vars() if request.method == "POST" else request.args
        folder, token = web.private(datasette), given.get("token") or ""
        if request.method == "GET" and (name := accounts.link_of(folder, token)):
            return await web.page(datasette, request, "coursette_handed_over.html", {"name": name, "token": token})
        account = accounts.redeem_link(folder, token)
        if account is None:
            return await web.refuse(datasette, request, OVER, 403)
        return signed_in(datasette, request, account, "/" if account.get("owner") else ACCOUNT, link=1)

    async def password(self, datasette: Datasette, request: Request) -> Response:
        """The form for user name and password."""
        given = await request.post_vars() if request.method == "POST" else {}
        back_to = local(given.get("next") or request.args.get("next") or "/")
        if request.method != "POST":
            return await self.form(datasette, request, back_to)
        name = given.get("username") or ""
        who = (name[:100], web.visitors_address(request.scope))
        if wait := self.wait(who):
            sentence = f"Too many wrong passwords: wait {wait}, or use the link that `coursette serve` prints."
            return await self.form(datasette, request, back_to, sentence, 429)
        account = await self.check(datasette, who, name, given.get("password") or "")
        if account is None:
            return await self.form(datasette, request, back_to, "User name and password do not fit.", 403)
        confirmed = {"confirmed": int(time.time())} if back_to == datasette.urls.path(ACCOUNT) else {}
        return signed_in(datasette, request, account, back_to, **confirmed)

    def wait(self, who: tuple[str, str]) -> str:
        """How long this visitor has to wait before the next try, in words; empty: not at all."""
        if self.tries.are_too_many(who) or self.address_tries.are_too_many(who[1]):
            return "five minutes"
        return "a minute" if self.all_tries.are_too_many(None) else ""

    async def check(self, datasette: Datasette, who: tuple[str, str], name: str, password: str) -> dict | None:
        """The account if the password is right, worked out beside the other requests."""
        counted = ((self.tries, who), (self.address_tries, who[1]), (self.all_tries, None))
        for tries, key in counted:
            tries.add(key)
        async with self.one_at_a_time:
            known = web.known_accounts(datasette)
            account = await asyncio.to_thread(accounts.check_password, known, name, password)
        if account is not None:
            for tries, key in counted:
                tries.forgive(key)
        return account

    async def form(
        self, datasette: Datasette, request: Request, back_to: str, sentence: str = "", status: int = 200
    ) -> Response:
        """The form itself, with what was wrong the last time."""
        can_sign_in = any(row["hash"] for row in web.known_accounts(datasette))
        context = {"next": back_to, "sentence": sentence, "can_sign_in": can_sign_in}
        return await web.page(datasette, request, "coursette_sign_in.html", context, status)

    async def account(self, datasette: Datasette, request: Request) -> Response:
        """Choose the user name and the password of one's own account, after typing the old one if there is one."""
        if visitor.by_header(datasette, request.scope):
            raise web.Refusal(ELSEWHERE, 403)
        session = web.session(datasette, request.scope)
        name, context, status = session.get("account") or request.actor["id"], {}, 200
        if needs_old_password(datasette, name, session):
            context = {"sentence": "First your password as it is now; then choose a new one.", "can_sign_in": True}
            context |= {"above": "coursette_sign_in.html", "next": datasette.urls.path(ACCOUNT)}
            return await with_sign_out(datasette, request, context, 403 if request.method == "POST" else 200)
        if request.method == "POST":
            given = await request.post_vars()
            # What is shared is shared with a name, so only the owner may take another.
            fields = (given.get("username") or "" if web.is_owner(request.actor) else name, given.get("password") or "")
            try:
                async with self.one_at_a_time:
                    account = await asyncio.to_thread(accounts.set_password, web.private(datasette), name, *fields)
                return signed_in(datasette, request, account, "/")
            except accounts.Refused as refused:
                context, status = {"sentence": str(refused), "username": fields[0]}, 400
        context = {"username": name, "shortest": accounts.SHORTEST_PASSWORD, "own": account_words(request), **context}
        return await with_sign_out(datasette, request, {"above": "coursette_account.html", **context}, status)

    async def sign_out_everywhere(self, datasette: Datasette, request: Request) -> Response:
        """End every session of one's own account, this one too."""
        if request.method != "POST":
            return Response.redirect(datasette.urls.path(ACCOUNT))
        name = web.session(datasette, request.scope).get("account") or request.actor["id"]
        try:
            accounts.end_sessions(web.private(datasette), name)
            tokens.revoke_all(web.private(datasette), name)
        except accounts.Refused as refused:
            raise web.Refusal(str(refused), 400) from refused
        response = Response.redirect(datasette.urls.path("/-/login"))
        response.set_cookie(web.COOKIE, "", expires=0, max_age=0)
        return response


def account_words(request: Request) -> dict:
    """What the page of one's account says of it: `owner`, `role`, `may` (what that is), `groups`, `files`."""
    actor = request.actor
    role = roles.role(actor)
    words = {"owner": web.is_owner(actor), "role": role, "may": roles.ROLES.get(role, "")}
    return {**words, "groups": actor.get("groups") or [], "files": actor.get("files")}


def needs_old_password(datasette: Datasette, name: str, session: dict) -> bool:
    """True for an account with a password, unless it was typed just now or the session came by the link."""
    has_one = any(row["name"] == name and row["hash"] for row in web.known_accounts(datasette))
    just_now = time.time() - session.get("confirmed", 0) < CONFIRMED_S
    return has_one and not just_now and not session.get("link")


async def with_sign_out(datasette: Datasette, request: Request, context: dict, status: int) -> Response:
    """The page that `above` in the context names, with the form for signing out everywhere."""
    template = datasette.jinja_env.from_string(WITH_SIGN_OUT)
    return await web.page(datasette, request, template, context, status)


def signed_in(datasette: Datasette, request: Request, account: dict, back_to: str, **how: int) -> Response:
    """On to a page of ours, with a cookie that ends by itself; `how` goes into the session (see web.session)."""
    ends = baseconv.base62.encode(int(time.time()) + LASTS_S)
    session = {"account": account["name"], "epoch": accounts.epoch(account), **how}
    ours = back_to in ("/", ACCOUNT)  # others come from a form, below the base address already
    response = Response.redirect(datasette.urls.path(back_to) if ours else back_to)
    response.set_cookie(
        web.COOKIE,
        datasette.sign({"a": accounts.actor(account), "e": ends, **session}, "actor"),
        max_age=LASTS_S,
        httponly=True,
        secure=request.scheme == "https",
    )
    return response


def local(address: str) -> str:
    """A page of this server, or home: never somebody else's address."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return "/"
    odd = parts.scheme or parts.netloc or not address.startswith("/") or address.startswith(("//", "/\\"))
    return "/" if odd or not address.isprintable() else address


@hookimpl
def register_routes():
    door = Door()
    return [
        (r"^/-/sign-in$", door.link),
        (r"^/-/login$", door.password),
        (r"^/-/account$", door.account),
        (r"^/-/sign-out-everywhere$", door.sign_out_everywhere),
    ]


@hookimpl
def menu_links(datasette, actor):
    return [{"href": datasette.urls.path("/-/account"), "label": "Your account"}] if actor else []
