"""The ready chart of a question, between its form and its answer: drawn here as SVG, without a script."""

from __future__ import annotations

import threading
from functools import partial
from urllib.parse import quote

from datasette import hookimpl

from loaders import charts


@hookimpl
def extra_template_vars(datasette, database, view_name):
    """`figure_of(chart, columns, rows, is_cut)` for templates/coursette_chart.html: charts.figure."""
    if view_name not in ("query", "table"):
        return {}
    # Of several files, a student's page is asked for in the one that answered.
    return {"figure_of": partial(charts.figure, path=lambda page: datasette.urls.path(f"{page}&db={quote(database)}"))}


@hookimpl
def startup():
    # Loading what draws takes half a second, which nobody has to wait for.
    threading.Thread(target=charts.warm, name="charts", daemon=True).start()
