"""The student page: all that is known of one person in one course, as plain dicts for a page, JSON or CSV."""

from __future__ import annotations

import sqlite3
from statistics import mean
from typing import Any

from loaders import numbering
from loaders import student_completion as completing
from loaders.statements import ask, rows

MOST_POSTS = 200  # of each kind that a page shows; counts and trends are of all
RECENT = 3  # posts; so many are set against the ones before them


def student(conn: sqlite3.Connection, course: dict, person: dict) -> dict[str, Any]:
    """The whole student page: person, details, completion by section and week, posts, usage by week, how fresh it is.

    `posts` are the newest of each kind, `post_count` counts all, and `truncated` says whether there are more.
    `loaded` says for each kind of data whether anything of it is here at all: "none" is not "not loaded yet".
    """
    ids = {"course": course["id"], "person": person["person"]}
    class_size = ask(conn, _CLASS_SIZE, course=course["id"])[0]["students"]
    activities = completing.completion(conn, course, person, class_size)
    odd = completing.worth_a_look(course, ask(conn, _LOG_FROM, course=course["id"])[0]["utc"], activities)
    scores = rows(conn, "post_scores", **ids)
    scores = {source: [row for row in scores if row["source"] == source] for source in ("blog", "forum")}
    return {
        "course": {key: course[key] for key in ("moodle_id", "shortname", "fullname", "timezone", "site")},
        "person": person,
        "details": {row["field"]: row["value"] for row in ask(conn, _DETAILS, person=person["person"])},
        "completion": completing.by_section(activities),
        "completion_by_week": completing.by_week(conn, course, activities),
        "worth_a_look": odd,
        "progress": completing.progress(activities),
        "posts": rows(conn, "posts", most=MOST_POSTS, **ids),
        "post_count": {source: len(posts) for source, posts in scores.items()},
        "truncated": any(len(posts) > MOST_POSTS for posts in scores.values()),
        "sentiment": {source: trend(posts) for source, posts in scores.items()},
        "posted": rows(conn, "posted", **ids),
        "blogs": rows(conn, "feeds", person=person["person"]),
        "usage": usage_of(conn, course, person, class_size),
        "loaded": {key: bool(here) for key, here in rows(conn, "loaded", **ids)[0].items()},
        "data_up_to": course["data_up_to_utc"],
    }


_CLASS_SIZE = "select count(*) as students from enrolments where course_id = :course and role = 'student'"
_DETAILS = "select field, value from person_details where person_id = :person order by id"
_LOG_FROM = "select min(first_utc) as utc from usage_person where course_id = :course"  # a student's first click


def trend(posts: list[dict]) -> dict:
    """How the newest posts sound beside those before: means of scores, None where there are too few; newest first."""
    scores = [row["sentiment"] for row in posts if row["sentiment"] is not None]
    enough = len(scores) >= 2 * RECENT
    return {
        "scored": len(scores),
        "mean": round(mean(scores), 3) if scores else None,
        "recent": round(mean(scores[:RECENT]), 3) if enough else None,
        "before": round(mean(scores[RECENT:]), 3) if enough else None,
    }


def usage_of(conn: sqlite3.Connection, course: dict, person: dict, class_size: int) -> dict:
    """Clicks by week beside the class median (students without a click count as 0), and rank by clicks."""
    if not course["data_up_to_utc"] or person["role"] != "student":
        return {"clicks": None, "rank": None, "students": class_size, "weeks": []}
    ids = {"course": course["id"], "person": person["person"]}
    weeks = rows(conn, "weeks", data_up_to=course["data_up_to_utc"], **ids)
    for week in weeks:
        week["words"] = numbering.words(week["week"], week["name"])
    return {**rows(conn, "rank", **ids)[0], "students": class_size, "weeks": weeks}
