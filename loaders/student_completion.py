"""One student's activity completion: activity by activity, by section, by teaching week, and what is worth a look."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import date, datetime
from itertools import groupby, pairwise
from typing import Any

from loaders import times
from loaders.numbering import monday, words
from loaders.statements import ask, rows
from loaders.weeks import stored_numbering

DONE = ("complete", "complete-pass")
NOT_LOGGED = ("label",)  # there is no page to open, hence no log line
AT_ONCE_S = 60  # a completion so soon after the one before ...
RUN = 3  # ... is worth a look from so many in a row on


def completion(conn: sqlite3.Connection, course: dict, person: dict, class_size: int) -> list[dict]:
    """One row per activity, in course order: state, when, this person's clicks, share of the class done.

    `clicks` is None where Moodle logs none or no log is loaded. `why` says why there is no state:
    "not tracked", "not loaded" (no completion report has this person), "not known" (no file says if tracked).
    """
    found = rows(conn, "completion", course=course["id"], person=person["person"])
    reported = any(row["class_completed"] is not None for row in found)  # and a report has every tracked activity
    unsaid = "not tracked" if reported else "not known"
    for row in found:
        done = row.pop("class_completed")
        row["class_pct"] = round(100 * done / class_size, 1) if class_size and done is not None else None
        logged = course["data_up_to_utc"] and row["kind"] not in NOT_LOGGED and person["role"] == "student"
        row["clicks"] = (row["clicks"] or 0) if logged else None
        row["done"] = row["state"] in DONE
        row["why"] = None if row["state"] else {0: "not tracked", 1: "not loaded"}.get(row["tracked"], unsaid)
    return found


def by_section(activities: list[dict]) -> list[dict]:
    """Sections in course order, each with its activities, how many of them are done, the first and last time of it."""
    sections: dict[Any, dict] = {}
    for row in activities:
        about = {name: row[name] for name in ("section", "number", "week")}
        section = sections.setdefault(row["section_key"], {**about, "activities": []})
        section["activities"].append({key: value for key, value in row.items() if key not in (*about, "section_key")})
    for section in sections.values():
        section.update(progress(section["activities"]), **first_and_last(section["activities"]))
    return list(sections.values())


def progress(activities: list[dict]) -> dict:
    """How many are tracked, how many of those this person has done, what share (None when none is known)."""
    tracked = [row for row in activities if row["tracked"] == 1]
    known = [row for row in tracked if row["state"]]
    done = sum(row["done"] for row in tracked)
    share = round(100 * done / len(tracked), 1) if known else None
    return {"done": done if known else None, "tracked": len(tracked), "done_pct": share}


def first_and_last(activities: list[dict]) -> dict:
    """When the first and the last of them was done (UTC), or None."""
    when = sorted(row["completed_utc"] for row in activities if row["done"] and row["completed_utc"])
    return {"first_utc": when[0] if when else None, "last_utc": when[-1] if when else None}


def by_week(conn: sqlite3.Connection, course: dict, activities: list[dict]) -> list[dict]:
    """One row per teaching week, from the first to the last with anything in it.

    `done` of `tracked` are the activities of that week's sections, whenever they were done; `completed`, `first_utc`
    and `last_utc` tell of whatever was done in the days of the week.
    """
    numbering = stored_numbering(conn, course["id"])
    if not numbering:
        return []
    weeks = {row["starts_on"]: row for row in ask(conn, _WEEKS, course=course["id"])}
    then: dict[str, list[dict]] = {}
    for row in activities:
        if row["done"] and row["completed_utc"]:
            day = date.fromisoformat(times.local_text(row["completed_utc"], course["timezone"])[:10])
            then.setdefault(monday(day).isoformat(), []).append(row)
    for start in then.keys() - weeks.keys():  # the log does not go so far
        weeks[start] = {"week": numbering(date.fromisoformat(start)), "name": None, "starts_on": start, "is_break": 0}
    found = [_week(weeks[start], activities, then.get(start, [])) for start in sorted(weeks)]
    return without_empty_ends(found)


def _week(week: dict, activities: list[dict], done: list[dict]) -> dict:
    """One row of by_week: `done` are those of its days."""
    meant = [row for row in activities if row["week"] == week["week"]]
    said = {"words": words(week["week"], week["name"]), "completed": len(done)}
    return {**week, **progress(meant), **said, **first_and_last(done)}


_WEEKS = "select week, name, starts_on, is_break from weeks where course_id = :course"


def without_empty_ends(weeks: list[dict]) -> list[dict]:
    """Weeks from the first to the last with an activity or a completion."""
    full = [place for place, week in enumerate(weeks) if week["tracked"] or week["completed"]]
    return weeks[full[0] : full[-1] + 1] if full else []


def worth_a_look(course: dict, log_from: str | None, activities: list[dict]) -> list[dict]:
    """What a teacher may want to ask about: `about` (its name in a mark), `kind`, `activities` (cmid, name), times.

    "run": several activities done within seconds of one another. "unseen": done, and never opened as far as the log
    goes. Marks the rows too: `after_s` (seconds after the one before), `unseen`. What Moodle or staff set is left out.
    """
    for row in activities:
        row["after_s"], row["unseen"] = None, False
    done = [row for row in activities if row["done"] and row["completed_utc"] and not row["set_by"]]
    found = [_run(run) for run in runs(done)]
    for row in done:
        row["unseen"] = _is_unseen(row, log_from, course["data_up_to_utc"])
        if row["unseen"]:
            found.append({**_finding("unseen", [row]), "from_utc": row["completed_utc"]})
    return sorted(found, key=lambda each: each["from_utc"], reverse=True)


def runs(done: list[dict]) -> Iterator[list[dict]]:
    """Completions that follow one another within AT_ONCE_S, from RUN on.

    Nobody ticks two boxes in one second: what has the very same time was set by Moodle, and counts as one.
    """
    moments = [list(same) for _, same in groupby(sorted(done, key=_time), key=_time)]
    run: list[list[dict]] = moments[:1]
    for before, moment in pairwise(moments):
        if _seconds(before[0], moment[0]) > AT_ONCE_S:
            yield from _long_enough(run)
            run = []
        run.append(moment)
    yield from _long_enough(run)


def _long_enough(run: list[list[dict]]) -> Iterator[list[dict]]:
    if len(run) >= RUN:
        for before, moment in pairwise(run):
            for row in moment:
                row["after_s"] = _seconds(before[0], row)
        yield [row for moment in run for row in moment]


def _run(run: list[dict]) -> dict:
    return {**_finding("run", run), "from_utc": run[0]["completed_utc"], "seconds": _seconds(run[0], run[-1])}


def _finding(kind: str, activities: list[dict]) -> dict:
    """`about` names it in a mark by Moodle's ids, and is None where an activity has none yet."""
    ids = [row["cmid"] for row in activities]
    about = None if None in ids else f"{kind}:{','.join(map(str, ids))}"
    return {
        "kind": kind,
        "about": about,
        "activities": [{"cmid": row["cmid"], "name": row["name"]} for row in activities],
    }


def _is_unseen(row: dict, log_from: str | None, log_to: str | None) -> bool:
    """Never opened, though the log has the days before it was done."""
    return row["clicks"] == 0 and bool(log_from and log_to) and log_from < row["completed_utc"] <= log_to


def _time(row: dict) -> str:
    return row["completed_utc"]


def _seconds(one: dict, other: dict) -> int:
    return int((datetime.fromisoformat(_time(other)) - datetime.fromisoformat(_time(one))).total_seconds())
