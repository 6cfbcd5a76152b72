"""Cells of a CSV that no spreadsheet takes for formulas: names, answers and posts are what others wrote."""

from __future__ import annotations

import re
from typing import Any

WITHIN = re.compile(r"([;\t][ \"]*)(?=[=+@-])")  # where a spreadsheet that parts cells at semicolons would see one
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def plain(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula: text that looks like one gets an apostrophe before it."""
    if not isinstance(value, str):
        return value
    value = WITHIN.sub(r"\1'", value)
    return f"'{value}" if value.startswith(FORMULA) else value
