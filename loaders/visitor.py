"""Who asks: by a token of the page script, by the site's own sign-in in front of this server, or by a session here.

Whoever has an account is what accounts.json says now, whatever a cookie remembers of them.
"""

from __future__ import annotations

from datasette.app import Datasette

from loaders import accounts, calls, proxy, web


def actor(datasette: Datasette, scope: dict) -> dict | None:
    """What Datasette knows of the visitor; None for strangers, and for sessions without an account (`--root`)."""
    if found := calls.actor(datasette, scope):
        return found
    account = by_header(datasette, scope) or _by_session(datasette, scope)
    return accounts.actor(account) if account else None


def by_header(datasette: Datasette, scope: dict) -> dict | None:
    """The account that a believed proxy names in the header of the setting `trusted_header`; off without that.

    It makes no account. Beside a token it counts as little as a cookie does (see web.session).
    """
    name = proxy.named(scope, web.setting(datasette, "trusted_header") or "")
    return _account(datasette, name) if name and not web.has_token(scope) else None


def alone(datasette: Datasette, scope: dict) -> dict:
    """The request without the cookie of a session, where the site's own sign-in says who asks."""
    return web.without_session(scope) if by_header(datasette, scope) else scope


def _by_session(datasette: Datasette, scope: dict) -> dict | None:
    name = web.session(datasette, scope).get("account")
    return _account(datasette, name) if name else None


def _account(datasette: Datasette, name: str) -> dict | None:
    return next((row for row in web.known_accounts(datasette) if row["name"] == name), None)
