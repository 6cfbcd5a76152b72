"""Nothing is cut short without a word: CSV is whole, and JSON that cannot say it was cut is refused.

Datasette stops at max_returned_rows. Its pages and its usual JSON say so; a CSV and `_shape=array` do not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from datasette import hookimpl
from datasette.app import Datasette
from datasette.renderer import json_renderer
from datasette.utils import (
    CustomRow,
    InvalidSql,
    MultiParams,
    derive_named_parameters,
    tilde_decode,
    validate_sql_select,
)
from datasette.utils.asgi import Forbidden, Request, Response
from datasette.views.table import TableView

from loaders import asked, csv_cells, csv_stream, web

BARE_SHAPES = ("array", "arrayfirst", "object")


async def csv_of_table_or_query(datasette: Datasette, request: Request, send: Callable) -> Response | None:
    """`/database/name.csv`: all of a canned query; a table streams, unless a page of it was asked for."""
    database, name = (tilde_decode(request.url_vars[key]) for key in ("database", "table"))
    query = None
    if database in datasette.databases:
        query = await datasette.get_canned_query(database, name, request.actor)
    if query is None or query.get("write"):
        return await table_csv(datasette, request, send)
    web.ask_instead(request, asked.trimmed(query, request.query_string))
    rules = [("view-query", (database, name)), ("view-database", database), "view-instance"]
    visible, _ = await datasette.check_visibility(request.actor, permissions=rules)
    if visible and (wrong := asked.wrong(query, request.args)):
        raise web.Refusal(" ".join(wrong.values()), 400)
    return await query_csv(datasette, request, send, database, query["sql"], name, rules)


async def csv_of_sql(datasette: Datasette, request: Request, send: Callable) -> None:
    """`/database.csv?sql=`: every row of somebody's own SQL."""
    database, sql = tilde_decode(request.url_vars["database"]), request.args.get("sql") or ""
    if database not in datasette.databases or not sql:
        raise web.Refusal("There is no CSV of a whole database: choose a table or a question.")
    for rules in ([("view-database", database), "view-instance"], [("execute-sql", database)]):
        await datasette.ensure_permissions(request.actor, rules)
    try:
        validate_sql_select(sql)
    except InvalidSql as error:
        raise web.Refusal(f"{error}.", 400) from error
    await query_csv(datasette, request, send, database, sql, "query", [])


async def query_csv(
    datasette: Datasette, request: Request, send: Callable, database: str, sql: str, name: str, rules: list
) -> None:
    """All rows of a statement as CSV, with the parameters of the address (empty text where left out)."""
    visible, _ = await datasette.check_visibility(request.actor, permissions=rules) if rules else (True, False)
    if not visible:
        raise Forbidden("You do not have permission to view this query")
    names = await derive_named_parameters(datasette.databases[database], sql)
    given = {key: request.args.get(key) or "" for key in names}
    await csv_stream.send_rows(datasette, request, send, database, name, sql, given)


async def table_csv(datasette: Datasette, request: Request, send: Callable) -> Response:
    """Datasette's CSV of a table: all of it, where it would give the first page or the first so many rows."""
    paged = request.args.get("_next") or (request.args.get("_size") or "max") != "max"
    if not paged and not request.args.get("_stream"):
        added = {"_stream": "1"}
        if not (request.args.get("_sort") or request.args.get("_sort_desc")):
            added |= await in_key_order(datasette, request)
        query = "&".join(filter(None, [request.query_string, urlencode(added)]))
        web.ask_instead(request, query)
    return await PlainCells.as_view(datasette)(request, send)


class PlainCells(TableView):
    """Datasette's table for its CSV, with cells that no spreadsheet takes for formulas. Numbers stay numbers."""

    async def data(self, *args: Any, **kwargs: Any) -> Any:
        found = await super().data(*args, **kwargs)
        if isinstance(found, tuple):
            found[0]["rows"] = [plain_row(found[0]["columns"], row) for row in found[0]["rows"]]
        return found


def plain_row(columns: list[str], row: Any) -> Any:
    """A row with plain cells; a cell with a label is a dict of `value` and `label`."""
    cells = [
        {key: csv_cells.plain(part) for key, part in cell.items()} if isinstance(cell, dict) else csv_cells.plain(cell)
        for cell in row
    ]
    return CustomRow(columns, zip(columns, cells, strict=True)) if cells != list(row) else row


async def in_key_order(datasette: Datasette, request: Request) -> dict[str, str]:
    """An order in which no two rows are equal: in any other, Datasette loses rows between its pages."""
    db = datasette.databases.get(tilde_decode(request.url_vars["database"]))
    keys = await db.primary_keys(tilde_decode(request.url_vars["table"])) if db else []
    return {"_sort": keys[0]} if keys else {}


def json_or_refusal(args: MultiParams, data: dict, view_name: str) -> Response | dict:
    """Datasette's JSON, save for a list that was cut short and has no place to say so."""
    if data.get("truncated") and args.get("_shape") in BARE_SHAPES:
        sentence = "There are more rows than this form can say: narrow it down, or take the CSV, which is whole."
        answer = json_renderer({}, {"ok": False, "error": sentence, "status": 400}, view_name)
        return {"body": answer.body, "status_code": 400, "content_type": answer.content_type}
    return json_renderer(args, data, view_name)


@hookimpl
def register_output_renderer():
    return {"extension": "json", "render": json_or_refusal}


@hookimpl
def register_routes():
    return [
        (r"^/(?P<database>[^\/\.]+)\.csv$", csv_of_sql),
        (r"^/(?P<database>[^\/\.]+)/(?P<table>[^\/\.]+)\.(?P<format>csv)$", csv_of_table_or_query),
    ]
