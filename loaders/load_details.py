"""Loading a teacher's own spreadsheet: what it says is stored as claims, to be settled with all others."""

from __future__ import annotations

import sqlite3

from loaders import claims, details
from loaders.errors import Unreadable
from loaders.load_claims import Outcome, count_rows
from loaders.places import Options, Places
from loaders.tables import Sheet


def take(connection: sqlite3.Connection, options: Options, places: Places, outcome: Outcome, sheet: Sheet) -> None:
    """Store what the spreadsheet says. Its course, where it has one, is found at settling."""
    outcome.kind = details.KIND
    site_id = places.site(None)
    try:
        reading = details.read(sheet, options.details, details.known(connection, site_id))
        said = list(reading.claims)
    except Unreadable as error:
        raise details.in_own_words(error) from None
    if not any(claim["noun"] == "row" for claim in said):
        raise Unreadable(details.EMPTY)
    outcome.notes.extend(reading.notes)
    places.describe(outcome.load_id, kind=details.KIND, site_id=site_id)
    count_rows(connection, outcome, said)
    claims.store(connection, outcome.load_id, said)
    earlier = connection.execute(
        "select max(id) from loads where kind = ? and source = ? and error is null and id != ?",
        (details.KIND, outcome.source, outcome.load_id),
    ).fetchone()[0]
    if earlier:
        outcome.notes.append(
            f"an earlier {outcome.source} is here as load {earlier}: what this one does not speak of stays;"
            f" `coursette unload {earlier}` takes it back"
        )
