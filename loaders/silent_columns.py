"""Columns of an answer that a page leaves out: they say nothing to a reader. JSON and CSV have them all."""

from __future__ import annotations

NAMES = {"fullname", "activity", "name", "discussion", "from_fullname"}  # columns that say what a row is about
TITLES = {"discussion", "title"}  # columns that lead to the address in `url`
IDS = {"person", "to_person", "moodle_id", "to_moodle_id", "course", "cmid"}  # ... and those that say it to machines


def are_silent(columns: list[str], rows: list[list]) -> list[bool]:
    """Which columns say nothing to a reader: empty, ids beside names, UTC beside course time and so on."""
    has_names = NAMES & set(columns)

    def silent(index: int, name: str) -> bool:
        twin = name.removesuffix("_utc") + "_local"
        spare = name == "label" or (name.endswith("_utc") and twin in columns)
        spare |= bool(has_names) and name in IDS  # JSON and CSV have them
        spare |= name == "week" and "week_name" in columns
        spare |= name == "url" and bool(TITLES & set(columns))
        return spare or all(str(row[index]).strip() in ("", "&nbsp;") for row in rows)

    return [silent(index, name) for index, name in enumerate(columns)]
