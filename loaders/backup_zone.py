"""Whether a log's times were read in the wrong zone: a backup's times are certain, so it can tell."""

from __future__ import annotations

import sqlite3

from loaders.errors import Unreadable

STEP, REACH = 1800, 15 * 3600  # seconds
LINES, ENOUGH = 400, 40  # of the file's, asked for; that must lie elsewhere
SAMPLE = """
create temp table sampled as
select time_utc, event_type_id, person_id, activity_id from (
    select time_utc, event_type_id, person_id, activity_id, row_number() over () as place, count(*) over () as lines
    from events where load_id = :load and activity_id is not null and person_id is not null
) where place % (lines / :lines + 1) = 0
"""
HITS = """
select count(*) from sampled s where exists (
    select 1 from events e
    where e.time_utc = strftime('%Y-%m-%dT%H:%M:%SZ', s.time_utc, :shift) and +e.event_type_id = s.event_type_id
        and +e.person_id = s.person_id and +e.activity_id = s.activity_id and (e.origin is null) = :of_backup
)
"""


def refuse_wrong_zone(connection: sqlite3.Connection, load_id: int, is_backup: bool) -> None:
    """Raise Unreadable where a load's new lines are those of backups (for a backup: of logs), some hours off."""
    kind = "course log" if is_backup else "course backup"
    others = connection.execute(
        "select min(id) from loads where kind = ? and error is null and id != ?"
        " and course_id = (select course_id from loads where id = ?)",
        (kind, load_id, load_id),
    ).fetchone()
    if others[0] is None:
        return
    connection.execute("drop table if exists temp.sampled")
    connection.execute(SAMPLE, {"load": load_id, "lines": LINES})
    hits = {
        shift: connection.execute(HITS, {"shift": f"{shift} seconds", "of_backup": not is_backup}).fetchone()[0]
        for shift in range(-REACH, REACH + 1, STEP)
    }
    shift, best = max(hits.items(), key=lambda pair: pair[1])
    if not shift or best < ENOUGH or best <= 4 * hits[0]:
        return
    hours = f"{abs(shift) / 3600:g} hours"
    if is_backup:
        raise Unreadable(
            f"load {others[0]} holds these lines {hours} off, so that log's times were read in the wrong zone:"
            f" `coursette unload {others[0]}`, load this backup, then that log with --timezone"
        )
    raise Unreadable(
        f"its lines are those of the course backup, {hours} off: say the zone its times are in with --timezone"
    )
