"""The ready chart of a question, between its form and its answer: drawn here as SVG, without a script."""

from __future__ import annotations

import threading

from datasette import hookimpl

from loaders import charts


@hookimpl
def extra_template_vars(view_name):
    """`figure_of(chart, columns, rows, is_cut)` for templates/coursette_chart.html: charts.figure."""
    return {"figure_of": charts.figure} if view_name in ("query", "table") else {}


@hookimpl
def startup():
    # Loading what draws takes half a second, which nobody has to wait for.
    threading.Thread(target=charts.warm, name="charts", daemon=True).start()
