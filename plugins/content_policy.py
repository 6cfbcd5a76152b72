"""What may run and load on a page: what this server sends itself, and nothing that stands in the data.

Datasette's pages have scripts and styles in them, so each answer gets a word of its own (a nonce), and only what bears
it runs. It is put into templates, where no data is yet, never into finished pages.
"""

from __future__ import annotations

import re
import secrets
from contextvars import ContextVar

from datasette import hookimpl
from jinja2.ext import Extension

from loaders import web

# What is loaded by its address needs no nonce: it comes from this server, or not at all.
INLINE = re.compile(r"<(script(?![^>]*\bsrc=)|style)(?=[\s>{])", re.IGNORECASE)
# The pages that datasette-vega draws on. Its script writes functions and has them compiled, the first as it loads.
WITH_CHARTS = re.compile(r"(table|query)(-.*)?\.html")
CHARTS = "/datasette_vega/"
# Styles that scripts of others add to a page, which know no nonce; a browser says the hash of one that it refuses.
ADDED = (
    "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='",  # nothing: both put it in empty, then fill it
    "'sha256-38xqj8N9cygggde3AvM+xVgS15DUXTOhM9fjk0hLOS0='",  # Datasette's cm-resize 1.0.1: the editor's corner
    "'sha256-zHu+4xXhsS6NimrB7yW5G9nPUEUFviBhDjPmtcftAAM='",  # datasette-vega 0.6.2: links below a chart
)


class Policy:
    """The policy of one answer, where it says none itself."""

    def __init__(self) -> None:
        self.nonce, self.has_chart = secrets.token_urlsafe(16), False

    def __str__(self) -> str:
        compiled = " 'unsafe-eval'" if self.has_chart else ""
        # Datasette writes colours of databases and heights of boxes as attributes of tags, which can bear no nonce;
        # all that they can change is how a tag looks.
        return (
            f"default-src 'none'; script-src 'self' 'nonce-{self.nonce}'{compiled}; "
            f"style-src 'self' 'nonce-{self.nonce}' {' '.join(ADDED)}; style-src-attr 'unsafe-inline'; "
            "img-src 'self' data:; connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; "
            "frame-ancestors 'none'"
        )

    def added_to(self, headers: list) -> list:
        """The headers of an answer with its policy: a page's this one, anything else's that it may load nothing."""
        given = {name.lower(): value for name, value in headers}
        if b"content-security-policy" in given:
            return headers
        is_page = given.get(b"content-type", b"").startswith(b"text/html")
        return [*headers, (b"content-security-policy", (str(self) if is_page else web.STRICT).encode())]


POLICY: ContextVar[Policy] = ContextVar("policy of the answer being made")


class Nonces(Extension):
    """Gives scripts and styles in templates, Datasette's and its plugins', the nonce of the answer."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        return INLINE.sub(r'<\1 nonce="{{ csp_nonce() }}"', source)


def nonce() -> str:
    """The nonce of the answer being made; outside of one none, which lets nothing run."""
    policy = POLICY.get(None)
    return policy.nonce if policy else ""


@hookimpl
def prepare_jinja2_environment(env):
    env.add_extension(Nonces)
    env.globals["csp_nonce"] = nonce  # a global, as Datasette makes its pages of errors without other variables


@hookimpl(hookwrapper=True)
def extra_js_urls(template):
    outcome = yield
    scripts, policy = outcome.get_result(), POLICY.get(None)
    if policy and WITH_CHARTS.fullmatch(template or ""):
        policy.has_chart = CHARTS in str(scripts)
    else:  # there is nothing to draw on, and where nothing may be compiled the script would fail
        outcome.force_result([[] if CHARTS in str(urls) else urls for urls in scripts])


@hookimpl(trylast=True)  # so that it is the outermost, and refusals have a policy too
def asgi_wrapper(datasette):
    def wrap(app):
        async def with_policy(scope, receive, send):
            policy = Policy()
            POLICY.set(policy)

            async def send_with_policy(message):
                if message["type"] == "http.response.start":
                    message = {**message, "headers": policy.added_to(list(message.get("headers", [])))}
                await send(message)

            await app(scope, receive, send_with_policy)

        return with_policy

    return wrap
