"""Signing in: by the one-time link that `coursette serve` prints, then with a user name and a password."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from urllib.parse import urlsplit

from datasette import hookimpl
from datasette.app import Datasette
from datasette.utils import baseconv
from datasette.utils.asgi import Request, Response

from loaders import accounts, web

LASTS_S = 14 * 24 * 3600
TRIES, WITHIN_S = 10, 300


class Door:
    """The pages of signing in, and how often somebody knocked in vain lately."""

    def __init__(self):
        self.failures: deque[float] = deque(maxlen=TRIES)
        self.one_at_a_time = asyncio.Semaphore(2)  # a password takes 0.2 s of a processor

    async def link(self, datasette: Datasette, request: Request) -> Response:
        """The one-time link: signs its owner in and leads home."""
        if request.method != "GET":
            return Response.text("", status=405)  # whatever previews a link must not use it up
        account = accounts.redeem_link(web.private(datasette), request.args.get("token") or "")
        if account is None:
            sentence = "This link was used already or is over an hour old: `coursette serve` prints a new one."
            return await web.refuse(datasette, request, sentence, 403)
        return signed_in(datasette, request, account, "/")

    async def password(self, datasette: Datasette, request: Request) -> Response:
        """The form for user name and password."""
        given = await request.post_vars() if request.method == "POST" else {}
        back_to = local(given.get("next") or request.args.get("next") or "/")
        if request.method != "POST":
            return await self.form(datasette, request, back_to)
        if len(self.failures) == TRIES and time.monotonic() - self.failures[0] < WITHIN_S:
            sentence = "Too many wrong passwords: wait five minutes, or use the link that `coursette serve` prints."
            return await self.form(datasette, request, back_to, sentence, 429)
        account = await self.check(datasette, given.get("username") or "", given.get("password") or "")
        if account is None:
            return await self.form(datasette, request, back_to, "User name and password do not fit.", 403)
        return signed_in(datasette, request, account, back_to)

    async def check(self, datasette: Datasette, name: str, password: str) -> dict | None:
        """The account if the password is right, worked out beside the other requests."""
        async with self.one_at_a_time:
            known = web.known_accounts(datasette)
            account = await asyncio.to_thread(accounts.check_password, known, name, password)
        if account is None:
            self.failures.append(time.monotonic())
        return account

    async def form(
        self, datasette: Datasette, request: Request, back_to: str, sentence: str = "", status: int = 200
    ) -> Response:
        """The form itself, with what was wrong the last time."""
        can_sign_in = any(row["hash"] for row in web.known_accounts(datasette))
        context = {"next": back_to, "sentence": sentence, "can_sign_in": can_sign_in}
        return await web.page(datasette, request, "coursette_sign_in.html", context, status)

    async def account(self, datasette: Datasette, request: Request) -> Response:
        """Choose the user name and the password of one's own account."""
        name, context, status = request.actor["id"], {}, 200
        if request.method == "POST":
            given = await request.post_vars()
            fields = (given.get("username") or "", given.get("password") or "")
            try:
                async with self.one_at_a_time:
                    account = await asyncio.to_thread(accounts.set_password, web.private(datasette), name, *fields)
                return signed_in(datasette, request, account, "/")
            except accounts.Refused as refused:
                context, status = {"sentence": str(refused), "username": fields[0]}, 400
        context = {"username": name, "shortest": accounts.SHORTEST_PASSWORD, **context}
        return await web.page(datasette, request, "coursette_account.html", context, status)


def signed_in(datasette: Datasette, request: Request, account: dict, back_to: str) -> Response:
    """On to a page of ours, with a cookie that ends by itself."""
    ends = baseconv.base62.encode(int(time.time()) + LASTS_S)
    response = Response.redirect(datasette.urls.path(back_to) if back_to == "/" else back_to)
    response.set_cookie(
        "ds_actor",
        datasette.sign({"a": accounts.actor(account), "e": ends}, "actor"),
        max_age=LASTS_S,
        httponly=True,
        secure=request.scheme == "https",
    )
    return response


def local(address: str) -> str:
    """A page of this server, or home: never somebody else's address."""
    parts = urlsplit(address)
    odd = parts.scheme or parts.netloc or not address.startswith("/") or address.startswith(("//", "/\\"))
    return "/" if odd or not address.isprintable() else address


@hookimpl
def register_routes():
    door = Door()
    return [
        (r"^/-/sign-in$", door.link),
        (r"^/-/login$", door.password),
        (r"^/-/account$", door.account),
    ]


@hookimpl
def menu_links(datasette, actor):
    return [{"href": datasette.urls.path("/-/account"), "label": "Your account"}] if actor else []
