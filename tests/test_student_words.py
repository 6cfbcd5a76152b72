"""The student page says what it knows in words: roles, old times, lone weeks, posts that are not loaded."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from selectolax.lexbor import LexborHTMLParser as HTMLParser

from tests import made_up
from tests.visit import get, instance


async def words_of(path: Path, student: str, *changes: str) -> str:
    """The text of a student's page after these changes to the database."""
    with sqlite3.connect(path) as db:
        for change in changes:
            db.execute(change)
    page = await get(instance(path), f"/-/student?course=2&user={student}")
    return " ".join(HTMLParser(page.text).body.text(separator=" ").split())


async def test_roles_and_the_last_event_of_staff(tmp_path):
    teacher = await words_of(made_up.small(tmp_path / "moodle.db"), "3")
    assert "EDC3100 · teacher · last seen March 2016" in teacher and "editingteacher" not in teacher
    assert "never seen" not in teacher, "the log has an event"
    assistant = await words_of(
        tmp_path / "moodle.db", "3", "update enrolments set role = 'teacher' where person_id = 7"
    )
    assert "non-editing teacher" in assistant
    assert "never seen" in await words_of(tmp_path / "moodle.db", "21")


async def test_posts_in_forums_of_which_no_export_is_loaded(tmp_path):
    insert = "insert into usage_activity_person_posts (activity_id, person_id, posts, course_id) values (7, 1, 1, 1)"
    forum = "insert into activities (id, cmid, course_id, kind, name) values (7, 17, 1, 'forum', 'Placement support')"
    words = await words_of(made_up.small(tmp_path / "moodle.db"), "5", forum, insert)
    assert "1 of 2 posts; Placement support is not loaded." in words
    assert "Blog posts none loaded yet · 1 of 2 in forums" in words


async def test_a_lone_week_far_from_the_others_is_said_and_not_drawn(tmp_path):
    words = await words_of(made_up.small(tmp_path / "moodle.db"), "5", *clicks_in_week(90))
    assert "Not drawn: week 90, far from the others, with 4 clicks" in words
    assert "gap" not in words
    assert "gap: weeks without any data" in await words_of(tmp_path / "moodle.db", "5", *clicks_in_week(9))


def clicks_in_week(week: int) -> tuple[str, str]:
    """Zoë's 4 clicks, as roll-ups have them."""
    return (
        f"insert into usage_person_week (course_id, person_id, week, clicks, active_days) values (1, 1, {week}, 4, 1)",
        f"insert into usage_week (course_id, week, clicks, students, median_clicks) values (1, {week}, 4, 1, 0)",
    )


async def test_an_untracked_activity_is_not_tracked_once_a_report_is_loaded(tmp_path):
    unsaid = "update activities set tracked = null where cmid = 13"
    words = await words_of(made_up.small(tmp_path / "moodle.db"), "5", unsaid)
    assert "not tracked, opened once" in words and "not known" not in words
