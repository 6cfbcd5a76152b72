"""metadata.yml and settings.json against the real shape: nothing undescribed, nothing described in vain."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from loaders import schema

HOUSE = Path(__file__).parents[1]
MOODLE = yaml.safe_load((HOUSE / "metadata.yml").read_text(encoding="utf-8"))["databases"]["moodle"]
TABLES = MOODLE["tables"]


@pytest.fixture(scope="module")
def shape(tmp_path_factory) -> dict[str, list[str]]:
    """Table -> columns, without the search tables that SQLite keeps."""
    db = schema.open_database(tmp_path_factory.mktemp("shape") / "moodle.db")
    return {t.name: [c.name for c in t.columns] for t in (*db.tables, *db.views) if "_fts" not in t.name}


def test_every_table_and_view_is_described_and_none_besides(shape):
    assert sorted(TABLES) == sorted(shape)
    assert all(table["description"].endswith(".") for table in TABLES.values())


def test_every_column_is_described_and_none_besides(shape):
    described = {name: list(table["columns"]) for name, table in TABLES.items()}
    assert described == shape, "in the order of schema.sql"
    assert all(text.endswith((".", "...")) for table in TABLES.values() for text in table["columns"].values())


def test_times_and_shares_name_their_unit():
    for table in TABLES.values():
        for column, text in table["columns"].items():
            assert not column.endswith("_utc") or "UTC" in text, column
            assert not column.endswith("_pct") or "per cent" in text, column


def test_sorting_facets_and_labels_name_real_columns(shape):
    for name, table in TABLES.items():
        named = [
            table.get("sort"),
            table.get("sort_desc"),
            table.get("label_column"),
            *table.get("facets", []),
        ]
        assert {column for column in named if column} <= set(shape[name]), name


def test_every_foreign_key_has_a_label(shape, tmp_path):
    db = schema.open_database(tmp_path / "moodle.db")
    pointed_at = {key.other_table for table in db.table_names() for key in db[table].foreign_keys}
    assert [name for name in pointed_at if "label_column" not in TABLES[name]] == []


def test_the_house_tables_are_hidden():
    assert {name for name, table in TABLES.items() if table.get("hidden")} == {
        "answers",
        "claims",
        "event_names",
        "forgotten",
        "load_events",
    }


def test_sql_is_closed_unless_opened_and_facets_are_not_guessed():
    settings = json.loads((HOUSE / "settings.json").read_text(encoding="utf-8"))
    assert settings["default_allow_sql"] is False and settings["suggest_facets"] is False
