"""What of an answer is so because it was chosen for an earlier question (remembering.py), and how to take it away.

The address says it, `_earlier=group,week`: whoever goes on to sort, or takes the address along, still sees why.
"""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

MARK = "_earlier"
BEFORE = {"from_week": "from ", "to_week": "to "}
NO_ANSWER = "no answer"  # the hint of a field without which there is none


def marked(added: dict[str, str]) -> dict[str, str]:
    """Values from before with the mark that says so."""
    return {**added, MARK: ",".join(added)} if added else {}


def said(fields: list[dict], query_string: str) -> list[dict]:
    """For each value from before: `words` ('from Week 2'), `instead` (what its link asks), `link` (a query string)."""
    asked = parse_qsl(query_string, keep_blank_values=True)
    names = dict(asked).get(MARK, "").split(",")
    shown = [field for field in fields if field["name"] in names and field["value"] and not field["wrong"]]
    return [_one(field, asked, names) for field in shown]


def _one(field: dict, asked: list[tuple[str, str]], names: list[str]) -> dict:
    name = field["name"]
    left = [each for each in names if each != name]
    pairs = [(key, "" if key == name else value) for key, value in asked if key != MARK]
    link = urlencode([*pairs, *([(MARK, ",".join(left))] if left else [])])
    hint = field.get("hint") or "any"
    return {
        "words": BEFORE.get(name, "") + words(field),
        "instead": "choose another" if hint == NO_ANSWER else hint,
        "link": link,
    }


def words(field: dict) -> str:
    """What the chosen value of a field is called."""
    called = {str(value): said for _, options in field.get("options") or [] for value, said in options}
    return str(called.get(field["value"], field["value"]))
