"""What a pull asks Moodle's web services for, part by part. None of these calls writes a line into Moodle's log.

Each part is one coroutine: it asks, in an order in which every answer tells what to ask next, and leaves one
file. What did not change since the last pull is not asked for again; once a week everything is.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any

from loaders.pull_files import Ask

if TYPE_CHECKING:
    from loaders.pull_course import CoursePull

PEOPLE_A_PAGE = 100
ENTRIES_A_PAGE = 100
RESPONSES_A_PAGE = 500
MOST_PAGES = 5_000
STAFF = {"manager", "coursecreator", "editingteacher", "teacher"}
# Lists that carry what the contents do not: due dates, and the instance behind a link.
LISTS = {
    "assign": "mod_assign_get_assignments",
    "book": "mod_book_get_books_by_courses",
    "choice": "mod_choice_get_choices_by_courses",
    "feedback": "mod_feedback_get_feedbacks_by_courses",
    "forum": "mod_forum_get_forums_by_courses",
    "quiz": "mod_quiz_get_quizzes_by_courses",
}


async def course(pull: CoursePull) -> None:
    """Name and dates of the course."""
    async with pull.part("course") as part:
        await part.ask(Ask("core_course_get_courses_by_field", {"field": "id", "value": pull.course}))


async def structure(pull: CoursePull) -> None:
    """Sections, activities in order, chapters; due dates and instances of the kinds that are there."""
    async with pull.part("structure", pull.known_modules) as part:
        sections = await part.ask(Ask("core_course_get_contents", {"courseid": pull.course}))
        pull.modules = [module for section in sections or [] for module in section.get("modules", [])]
        pull.known_modules.set()
        kinds = {module["modname"] for module in pull.modules}
        lists = [Ask(LISTS[kind], {"courseids[0]": pull.course}) for kind in sorted(kinds & set(LISTS))]
        await part.ask_all(lists)


async def participants(pull: CoursePull) -> None:
    """Everybody in the course with roles, groups and last access, page by page; the groups."""
    async with pull.part("participants", pull.known_people) as part:
        start, kept_out = 0, set()
        while page := await part.ask(_people_page(pull.course, start)):
            new = {int(one["id"]): one for one in page if int(one["id"]) not in {*pull.people, *kept_out}}
            kept_out |= await pull.in_reader(pull.store.kept_out, list(new))
            pull.people |= {key: one for key, one in new.items() if key not in kept_out}
            start += len(page)
            if len(page) < PEOPLE_A_PAGE or not new:  # the last page, or one that came before
                break
        pull.known_people.set()
        await part.ask_all([Ask("core_group_get_course_groups", {"courseid": pull.course})])


def _people_page(course_id: int, start: int) -> Ask:
    options = {"limitfrom": start, "limitnumber": PEOPLE_A_PAGE, "sortby": "id"}
    named = {f"options[{n}][{word}]": text for n, pair in enumerate(options.items())
             for word, text in zip(("name", "value"), pair, strict=True)}  # fmt: skip
    return Ask("core_enrol_get_enrolled_users", {"courseid": course_id, **named})


def learners(people: dict[int, dict]) -> list[int]:
    """Moodle ids of those who have no role of staff, in order."""
    return sorted(key for key, one in people.items() if not STAFF & {r.get("shortname") for r in one.get("roles", [])})


async def completion(pull: CoursePull) -> None:
    """One call a student: only for those of whom something may have changed."""
    await pull.after(pull.known_people, pull.known_modules, pull.known_grades, pull.log_is_in)
    tracked = sorted(int(module["id"]) for module in pull.modules if module.get("completion"))
    if not pull.people or (pull.modules and not tracked):
        return
    mark = {"tracked": digest(tracked)}
    asks = {
        user: Ask("core_completion_get_activities_completion_status", {"courseid": pull.course, "userid": user}, mark)
        for user in learners(pull.people)
    }
    async with pull.part("completion") as part:
        changed = [ask for user, ask in asks.items() if part.stale(ask, lambda at, user=user: pull.touched(user, at))]
        await part.ask_all(changed, [ask.key for ask in asks.values()])


def digest(value: Any) -> str:
    """A short text that differs where the value does."""
    return hashlib.blake2b(json.dumps(value).encode(), digest_size=8).hexdigest()


async def grades(pull: CoursePull) -> None:
    """All grades of the class, in one call."""
    async with pull.part("grades", pull.known_grades) as part:
        answer = await part.ask(Ask("gradereport_user_get_grade_items", {"courseid": pull.course}))
        pull.graded = {
            (item.get("itemmodule"), int(item["iteminstance"] or 0), int(user["userid"])): item.get("gradedategraded")
            or 0
            for user in (answer or {}).get("usergrades", [])
            for item in user.get("gradeitems", [])
            if item.get("graderaw") is not None
        }


async def forums(pull: CoursePull) -> None:
    """The discussions of each forum, and the posts of those that changed."""
    await pull.after(pull.known_modules, pull.log_is_in)
    if not pull.instances("forum"):
        return
    async with pull.part("forums") as part:
        lists = [
            Ask("mod_forum_get_forum_discussions", {"forumid": forum, "page": -1, "perpage": 0})
            for forum in pull.instances("forum")
        ]
        answers = await part.ask_all(lists)
        posts = {int(one["discussion"]): _posts(one) for answer in answers for one in answer.get("discussions", [])}
        changed = [ask for key, ask in posts.items() if part.stale(ask, lambda at, key=key: pull.discussed(key, at))]
        await part.ask_all(changed, [ask.key for ask in (*lists, *posts.values())])


def _posts(discussion: dict) -> Ask:
    mark = {key: discussion.get(key) for key in ("timemodified", "numreplies")}
    return Ask("mod_forum_get_discussion_posts", {"discussionid": int(discussion["discussion"])}, mark)


async def assignments(pull: CoursePull) -> None:
    """Submissions of all students, one call an assignment."""
    await _one_each(pull, "assignments", "assign", "mod_assign_get_submissions", "assignmentids[0]")


async def choices(pull: CoursePull) -> None:
    """Results of each choice; who chose what, where the choice shows it."""
    await _one_each(pull, "choices", "choice", "mod_choice_get_choice_results", "choiceid")


async def _one_each(pull: CoursePull, name: str, kind: str, function: str, parameter: str) -> None:
    await pull.after(pull.known_modules)
    asks = [Ask(function, {parameter: instance}) for instance in pull.instances(kind)]
    if asks:
        async with pull.part(name) as part:
            await part.ask_all(asks)


async def feedback(pull: CoursePull) -> None:
    """Responses of each feedback activity, page by page."""
    await pull.after(pull.known_modules)
    if not pull.instances("feedback"):
        return
    async with pull.part("feedback") as part:
        for instance in pull.instances("feedback"):
            await _pages(part, lambda page, instance=instance: Ask(
                "mod_feedback_get_responses_analysis",
                {"feedbackid": instance, "page": page, "perpage": RESPONSES_A_PAGE},
            ), "totalattempts", RESPONSES_A_PAGE)  # fmt: skip


async def quizzes(pull: CoursePull) -> None:
    """Attempts of each student who has one, as the grades tell; one call a student and quiz."""
    await pull.after(pull.known_people, pull.known_modules, pull.known_grades, pull.log_read)
    instances = pull.instances("quiz")
    if not instances or not pull.people:
        return
    newer = "mod_quiz_get_user_quiz_attempts"
    function = newer if pull.offers(newer) else "mod_quiz_get_user_attempts"
    async with pull.part("quizzes") as part:
        asks = [
            (user, Ask(function, {"quizid": quiz, "userid": user, "status": "all"}))
            for quiz in instances
            for user in pull.tried(quiz)
        ]
        changed = [ask for user, ask in asks if part.stale(ask, lambda at, user=user: pull.touched(user, at))]
        await part.ask_all(changed, [ask.key for _, ask in asks])


async def blog(pull: CoursePull) -> None:
    """Entries of people of this course in Moodle's own blog; those of others are dropped unread."""
    await pull.after(pull.known_people)
    if not pull.people:
        return

    def ours(answer: dict) -> dict:
        return answer | {"entries": [one for one in answer.get("entries", []) if one.get("userid") in pull.people]}

    async with pull.part("blog") as part:
        await _pages(part, lambda page: Ask("core_blog_get_entries", {"page": page, "perpage": ENTRIES_A_PAGE}),
                     "totalentries", ENTRIES_A_PAGE, ours)  # fmt: skip


async def calendar(pull: CoursePull) -> None:
    """What the course's calendar holds; neither the teacher's own events nor the site's."""
    async with pull.part("calendar") as part:
        await part.ask(Ask("core_calendar_get_calendar_events", {
            "events[courseids][0]": pull.course, "options[userevents]": 0, "options[siteevents]": 0,
        }))  # fmt: skip


async def _pages(part: Any, page: Callable[[int], Ask], total: str, size: int, keep: Callable | None = None) -> None:
    """The first page says how many there are; then all others at once."""
    first = await part.ask(page(0), keep)
    pages = min(-(-int((first or {}).get(total) or 0) // size), MOST_PAGES)
    await part.ask_all([page(number) for number in range(1, pages)], keep=keep)


PARTS: tuple[Callable[[CoursePull], Awaitable[None]], ...] = (
    course, structure, participants, completion, grades, forums, assignments, quizzes, choices, feedback, blog,
    calendar,
)  # fmt: skip


async def all_of(pull: CoursePull, parts: Iterable[Callable[[CoursePull], Awaitable[None]]]) -> None:
    """Run parts side by side; the client lets only a few requests out at a time."""
    async with asyncio.TaskGroup() as group:
        for part in parts:
            group.create_task(part(pull))
