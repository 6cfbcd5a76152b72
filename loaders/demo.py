"""`coursette demo`: the made-up course, loaded from the files a real Moodle exported."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import click

from loaders import house, reporting
from loaders.detail_columns import Asked
from loaders.feed_run import Wanted, fetch
from loaders.load import Loader
from loaders.places import Options
from loaders.schema import open_database, settle_in

OWN = "details.csv"  # the teacher's own spreadsheet
ZONE = "Australia/Brisbane"  # of the teacher who downloaded the files


def build(site: str | None = None, db: Path | None = None) -> Path:
    """Make the demo's database, or find it made; returns its path. `site` is the Moodle it pretends to be on."""
    db = db or place()
    connection = open_database(db, to_fill=True).conn
    files = _files()
    own = [path for path in files if path.name == OWN]
    for options, paths in (
        (Options(timezone=ZONE), [path for path in files if path not in own]),
        (Options(details=Asked()), own),
    ):
        for outcome in Loader(connection, options).load(paths):
            if outcome.rows_new:
                click.echo(f"{outcome.source}: {outcome.kind}: {outcome.rows_new:,} rows", err=True)
    if site:
        connection.execute("update sites set url = ?", (site.rstrip("/"),))
    settle_in(connection)
    _read_blogs(connection, db)
    reporting.score_posts(connection)
    connection.close()
    return db


def _read_blogs(connection: sqlite3.Connection, db: Path) -> None:
    """What the blogs answered when they were saved, once."""
    if connection.execute("select 1 from feeds where registered and asked_utc is null limit 1").fetchone():
        result = fetch(db, Wanted(source=house.root() / "demo" / "blogs"))
        click.echo(f"blogs: {result.new:,} posts of {result.answered:,} blogs", err=True)


def _files() -> list[Path]:
    return [
        path for path in sorted((house.root() / "demo").iterdir()) if path.suffix in (".csv", ".json", ".gz", ".toml")
    ]


def place() -> Path:
    """Where the demo's own database is, or will be."""
    return _folder() / "moodle.db"


def _folder() -> Path:
    """Beside the files in a checkout; in the user's own data folder where those are installed read-only."""
    demo = house.root() / "demo"
    if house.root() == house.PACKAGE.parent and os.access(demo, os.W_OK):
        return demo
    folder = Path(click.get_app_dir("coursette")) / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
