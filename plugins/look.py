"""How pages look: the stylesheet, and times in words with the exact local time behind them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.dates import format_timedelta
from datasette import hookimpl
from datasette.app import Datasette
from datasette.utils.asgi import Base400, Forbidden, Request, Response
from datasette.views.base import DatasetteError
from markupsafe import Markup, escape

from loaders import moods

HERE = Path(__file__).parent
LONG_AGO_DAYS = 365
HEAT_FROM_PCT = (0, 1, 40, 70, 100)  # lowest share of each of the five colours


async def stylesheet(request: Request) -> Response:
    """One for all pages: what all share and our own, then what only tables, questions and SQL have."""
    return _file("text/css", "coursette.css", "coursette_tables.css")


async def script(request: Request) -> Response:
    """The menus of columns by keyboard; the only script of our own on Datasette's pages."""
    return _file("text/javascript", "coursette_table.js")


def _file(kind: str, *names: str) -> Response:
    text = "\n".join((HERE / name).read_text(encoding="utf-8") for name in names)
    return Response(text, headers={"Cache-Control": "private, max-age=300"}, content_type=f"{kind}; charset=utf-8")


async def wrong(datasette: Datasette, request: Request, exception: Exception) -> Response:
    """What Datasette says is wrong, in the frame of all pages: it would not say who is signed in, nor offer to find."""
    said = getattr(exception, "message", None) or next(iter(exception.args), "")
    error = Markup(said) if getattr(exception, "message_is_html", False) else said
    context = {"error": error, "title": getattr(exception, "title", None), "status": exception.status}
    names = [f"{exception.status}.html", "error.html"]
    html = await datasette.render_template(names, context, request=request)
    return Response.html(html, status=exception.status)


def exact(utc: str, zone: str | None) -> str:
    """'Tuesday 14 June 2016, 14:05' in the course's time zone."""
    local = datetime.fromisoformat(utc).astimezone(_zone(zone))
    return f"{local:%A} {local.day} {local:%B %Y, %H:%M}"


def age(utc: str, zone: str | None, now: datetime | None = None) -> str:
    """'2 months ago'; 'April 2016' for what is more than a year away, as the calendar of the course has it."""
    passed = (now or datetime.now(UTC)) - datetime.fromisoformat(utc)
    if abs(passed.days) > LONG_AGO_DAYS:
        return f"{datetime.fromisoformat(utc).astimezone(_zone(zone)):%B %Y}"
    return format_timedelta(-passed, add_direction=True, locale="en_GB")


def when(utc: str | None, zone: str | None, words: str | None = None) -> Markup:
    """The age in words; the exact local time shows on hover and, by keyboard, on focus."""
    if not utc:
        return Markup("")
    said = words or age(utc, zone)
    return Markup('<time datetime="{}" title="{}" tabindex="0">{}</time>').format(utc, exact(utc, zone), said)


def days(first: str | None, last: str | None, zone: str | None) -> Markup:
    """'Mon 7 March to Wed 9 March', or one of them where both are on the same day; years where they differ."""
    if not (first and last):
        return Markup("")
    times = [datetime.fromisoformat(utc).astimezone(_zone(zone)) for utc in (first, last)]
    year = " %Y" if times[0].year != times[1].year else ""
    one, other = (
        when(utc, zone, f"{time:%a} {time.day} {time:%B}{time.strftime(year)}")
        for utc, time in zip((first, last), times, strict=True)
    )
    return one if times[0].date() == times[1].date() else Markup("{} to {}").format(one, other)


def heat(pct: float | None) -> str:
    """The class of a share's colour, h0 to h4; a number always stands in it."""
    return f"h{sum((pct or 0) >= start for start in HEAT_FROM_PCT[1:])}"


def number(value: float | None) -> str:
    """12, 12.5 or 1,200: no decimals that say nothing."""
    return "" if value is None else f"{value:,.1f}".removesuffix(".0")


def with_code(sentence: str) -> Markup:
    """A sentence with what stands in `backticks` as code."""
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if place % 2 else escape(part)
        for place, part in enumerate(sentence.split("`"))
    )


def _zone(name: str | None) -> ZoneInfo:
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


@hookimpl
def handle_exception(datasette, request, exception):
    is_said = isinstance(exception, Base400 | DatasetteError) and not isinstance(exception, Forbidden)
    if not is_said or request.path.endswith(".json"):
        return None  # plugins/quiet.py and privacy.py have words for what is neither, and Datasette its JSON
    return lambda: wrong(datasette, request, exception)


@hookimpl
def prepare_jinja2_environment(env):
    env.filters.update(when=when, exact=exact, heat=heat, days=days, number=number)
    env.filters.update(signed=moods.signed, with_code=with_code)


@hookimpl
def register_routes():
    return [(r"^/-/coursette\.css$", stylesheet), (r"^/-/coursette_table\.js$", script)]
