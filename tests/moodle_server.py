"""A Moodle to pull from, on this machine: a real HTTP server that answers as a real Moodle 4.5 was recorded to.

It counts what it is asked, can be slow, and can go wrong in the ways that real ones do (`Fault`).
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import pickle
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

HERE = Path(__file__).parent
DEMO = HERE.parent / "demo"
TOKEN, SESSION, PASSWORD = "0123456789abcdef0123456789abcdef", "s3ss10nc00kie", "Tea-cher 1!"
SESSKEY, LOGINTOKEN = "se55key123", "logint0ken"
ZONE = ZoneInfo("Australia/Brisbane")
RECORDED_AT = "http://127.0.0.1:8045"
RECORDED = {
    "core_webservice_get_site_info": "site_info",
    "core_course_get_courses_by_field": "courses_by_field",
    "core_course_get_contents": "course_contents",
    "core_group_get_course_groups": "course_groups",
    "gradereport_user_get_grade_items": "grade_items_all",
    "mod_forum_get_forums_by_courses": "forums",
    "mod_assign_get_assignments": "assignments",
    "mod_quiz_get_quizzes_by_courses": "quizzes",
    "mod_book_get_books_by_courses": "book_chapters",
    "mod_choice_get_choice_results": "choice_results",
    "mod_feedback_get_responses_analysis": "feedback_responses",
    "core_calendar_get_calendar_events": "calendar_events",
}
LOGIN_PAGE = (
    '<!DOCTYPE html><html lang="en"><head><title>Log in to the site</title></head><body id="page-login-index">'
    '<form action="{site}/login/index.php" method="post"><input type="hidden" name="logintoken" value="{token}">'
    '<input name="username"><input type="password" name="password"></form></body></html>\n'
)
ERROR_PAGE = (
    '<!DOCTYPE html><html lang="en"><body id="page-report-log-index"><div class="box errorbox"><p class="errormessage">'
    "Sorry, but you do not currently have permissions to do that (View course logs).</p></div></body></html>\n"
)


@cache
def recorded(name: str):
    """A recorded answer."""
    return json.loads(gzip.decompress((HERE / "fixtures" / "moodle" / f"{name}.json.gz").read_bytes()))


@dataclass
class Fault:
    """What goes wrong with an answer, the first `times` times that `where` (function or path) is asked."""

    where: str
    kind: str  # status, cut, hang, html, redirect, error, big, drop
    value: object = None
    times: int = 10**9
    headers: dict = field(default_factory=dict)


class World:
    """What this Moodle holds; tests change it between pulls."""

    def __init__(self, students: int = 0, lines: int | None = 2000):
        self.people = deepcopy(recorded("enrolled_users_all"))
        pattern = next(one for one in self.people if one["roles"][0]["shortname"] == "student")
        for number in range(students - sum(one["roles"][0]["shortname"] == "student" for one in self.people)):
            name = f"Student {number}"
            more = {"id": 5000 + number, "firstname": "Student", "lastname": str(number), "fullname": name}
            self.people.append(deepcopy(pattern) | more | {"email": f"s{number}@example.com"})
        self.completion = {one["id"]: deepcopy(recorded("completion_status_user9")) for one in self.people}
        self.answers: dict[str, object] = {}  # function -> an answer in place of the recorded one
        self.discussions, self.posts = _forums()
        self.entries = deepcopy(recorded("blog_entries_perpage500")["entries"])
        text = gzip.decompress((DEMO / "log_course2.csv.gz").read_bytes()).decode("utf-8-sig")
        self.log_head, *every = text.splitlines(keepends=True)
        self.log = every[:lines]

    def discussion_list(self, forum: int) -> list[dict]:
        return [one for one in self.discussions if one["forum"] == forum]

    def log_of(self, day: int | None) -> str:
        """The log, of 24 hours from `day` on; a day without a line has not even a head, as in Moodle."""
        lines = self.log if day is None else [line for line in self.log if day <= _seconds(line) < day + 86_400]
        return "\ufeff" + "".join([self.log_head, *lines] if lines else [])


def _seconds(line: str) -> float:
    return datetime.strptime(line[1:].partition('"')[0], "%d/%m/%y, %H:%M:%S").replace(tzinfo=ZONE).timestamp()


def _forums() -> tuple[list[dict], dict[int, list[dict]]]:
    """Discussions and posts in the recorded shape, of what the demo's forum exports hold."""
    pattern, post_pattern = recorded("forum_discussions")["discussions"][0], recorded("forum_posts")["posts"][0]
    forums = {1: "forum_export_forum1", 2: "forum_export", 3: "forum_export_forum3", 4: "forum_export_forum4",
              5: "forum_export_forum5"}  # fmt: skip
    discussions, posts = [], {}
    for forum, name in forums.items():
        for row in csv.DictReader(io.StringIO((DEMO / f"{name}.csv").read_text("utf-8-sig"))):
            post = deepcopy(post_pattern) | {
                "id": int(row["id"]), "subject": row["subject"], "message": row["message"],
                "messageformat": int(row["messageformat"]), "discussionid": int(row["discussion"]),
                "author": {"id": int(row["userid"]), "fullname": row["userfullname"]},
                "timecreated": int(row["created"]), "timemodified": int(row["modified"]),
                "hasparent": row["parent"] != "0", "parentid": int(row["parent"]) or None,
            }  # fmt: skip
            posts.setdefault(post["discussionid"], []).append(post)
        mine = {
            number: group for number, group in posts.items() if number not in {d["discussion"] for d in discussions}
        }
        for number, group in mine.items():
            newest = max(post["timemodified"] for post in group)
            more = {"discussion": number, "name": group[0]["subject"], "forum": forum, "timemodified": newest}
            discussions.append(deepcopy(pattern) | more | {"numreplies": len(group) - 1})
    return discussions, posts


def saved_page(name: str, site: str) -> str:
    """A page of the demo, as if it came from `site`."""
    text = gzip.decompress((DEMO / name).read_bytes()).decode()
    return text.replace(RECORDED_AT, site).replace(RECORDED_AT.replace("/", "\\/"), site.replace("/", "\\/"))


class Server(ThreadingHTTPServer):
    """The server; `requests` are (what, parameters) in order, `most_open` how many were open at once."""

    daemon_threads = True

    def __init__(self, world: World, delay_s: float = 0.0, path: str = ""):
        super().__init__(("127.0.0.1", 0), Handler)
        self.world, self.delay_s, self.path = world, delay_s, path
        self.url = f"http://127.0.0.1:{self.server_address[1]}{path}"
        self.course_url = f"{self.url}/course/view.php?id=2"
        self.faults: list[Fault] = []
        self.forbidden: set[str] = set()  # functions that the service does not offer
        self.refused: set[str] = set()  # functions that the role does not allow
        self.sessions = {SESSION}
        self.version_5 = False
        self.requests: list[tuple[str, dict]] = []
        self.headers_seen: list[dict] = []
        self.open = self.most_open = 0
        self.lock = threading.Lock()

    def asked(self) -> Counter:
        """How often each function and path was asked for."""
        return Counter(what for what, _ in self.requests)


@cache
def _packed(students: int, lines: int | None) -> bytes:
    return pickle.dumps(World(students, lines))


@contextmanager
def running(students: int = 0, delay_s: float = 0.0, path: str = "", lines: int | None = 2000) -> Iterator[Server]:
    """A Moodle that runs while the block does; `lines`: how many of the newest its log has (None: all)."""
    world = pickle.loads(_packed(students, lines))  # a fresh one, fifteen times as fast as made anew
    server = Server(world, delay_s, path)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Server
    protocol_version = "HTTP/1.1"

    def log_message(self, *words: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self._answer({})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
        self._answer({key: values[0] for key, values in parse_qs(body, keep_blank_values=True).items()})

    def _answer(self, form: dict) -> None:
        server, parts = self.server, urlsplit(self.path)
        asked = {key: values[0] for key, values in parse_qs(parts.query).items()} | form
        what = asked.get("wsfunction") or parts.path.removeprefix(server.path)
        with server.lock:
            server.requests.append((what, {k: v for k, v in asked.items() if k not in ("wstoken", "password")}))
            server.headers_seen.append(dict(self.headers))
            server.open += 1
            server.most_open = max(server.most_open, server.open)
        try:
            time.sleep(server.delay_s)
            fault = self._fault(what)
            if fault is None or self._go_wrong(fault):
                self._route(what, asked)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        finally:
            with server.lock:
                server.open -= 1

    def _fault(self, what: str) -> Fault | None:
        with self.server.lock:
            for fault in self.server.faults:
                if fault.where == what and fault.times > 0:
                    fault.times -= 1
                    return fault
        return None

    def _go_wrong(self, fault: Fault) -> bool:
        """Answer wrongly; True where the right answer should come after all."""
        if fault.kind == "hang":
            time.sleep(float(fault.value))
            return True
        if fault.kind == "status":
            self._send(fault.value, "text/html", b"<html><body>Bad gateway</body></html>", fault.headers)
        elif fault.kind == "redirect":
            self._send(303, "text/html", b"", {"Location": str(fault.value)})
        elif fault.kind == "body":
            kind, text = fault.value
            self._send(200, kind, text.encode())
        elif fault.kind == "cut":  # half of what was announced
            self.send_response(200)
            self.send_header("Content-Type", "text/csv")
            self.send_header("Content-Length", "100000")
            self.end_headers()
            self.wfile.write(b"\xef\xbb\xbfTime,half a li")
            self.close_connection = True
        elif fault.kind == "drop":
            self.close_connection = True
            self.connection.close()
        return False

    def _route(self, what: str, asked: dict) -> None:
        if what in PAGES:
            PAGES[what](self, asked)
        elif "wsfunction" in asked:
            self._json(self._service(what, asked))
        else:
            self._send(404, "text/html", b"<html><body>Not found</body></html>")

    # -- web services

    def _service(self, function: str, asked: dict) -> object:
        server, world = self.server, self.server.world
        if asked.get("wstoken") != TOKEN:
            return recorded("err_invalid_token")
        if function in server.forbidden:
            return recorded("err_not_in_service")
        if function in server.refused:
            return recorded("err_student_grades_all")
        if function in world.answers:
            return world.answers[function]
        if made := SERVICES.get(function):
            return made(server, asked)
        if function not in RECORDED:
            raise AssertionError(f"nobody should call {function}")
        return recorded(RECORDED[function])

    # -- pages of a session

    def signed_in(self) -> bool:
        cookies = self.headers.get("cookie") or ""
        return any(f"MoodleSession={value}" in cookies for value in self.server.sessions)

    def to_login(self) -> None:
        self._send(303, "text/html; charset=utf-8", b"", {"Location": f"{self.server.url}/login/index.php"})

    def _json(self, answer: object) -> None:
        self._send(200, "application/json; charset=utf-8", json.dumps(answer).encode())

    def _send(self, status: int, kind: str, body: bytes, headers: dict | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def csv(self, text: str) -> None:
        self._send(200, "text/csv; charset=UTF-8", text.encode())

    def html(self, text: str, headers: dict | None = None) -> None:
        self._send(200, "text/html; charset=utf-8", text.encode(), headers)


# -- what depends on the question


def _site_info(server: Server, asked: dict) -> object:
    info = deepcopy(recorded("site_info"))
    info["siteurl"] = server.url
    info["functions"] = [one for one in info["functions"] if one["name"] not in server.forbidden]
    return info


def _enrolled(server: Server, asked: dict) -> object:
    options = {asked[f"options[{n}][name]"]: asked[f"options[{n}][value]"] for n in range(9)
               if f"options[{n}][name]" in asked}  # fmt: skip
    start, size = int(options.get("limitfrom", 0)), int(options.get("limitnumber", 0)) or 10**9
    return sorted(server.world.people, key=lambda one: one["id"])[start : start + size]


def _blog(server: Server, asked: dict) -> object:
    page, size = int(asked.get("page", 0)), int(asked.get("perpage", 10))
    entries = server.world.entries
    return {"entries": entries[page * size : (page + 1) * size], "totalentries": len(entries), "warnings": []}


def _submissions(server: Server, asked: dict) -> object:
    answer = deepcopy(recorded("assign_submissions"))
    if asked["assignmentids[0]"] != str(answer["assignments"][0]["assignmentid"]):
        answer["assignments"] = []
    return answer


SERVICES: dict[str, Callable[[Server, dict], object]] = {
    "core_webservice_get_site_info": _site_info,
    "core_user_get_users_by_field": lambda server, asked: [{"id": 3, "timezone": "Australia/Brisbane"}],
    "core_enrol_get_enrolled_users": _enrolled,
    "core_completion_get_activities_completion_status": lambda server, asked: server.world.completion[
        int(asked["userid"])
    ],
    "mod_forum_get_forum_discussions": lambda server, asked: {
        "discussions": server.world.discussion_list(int(asked["forumid"])), "warnings": []
    },
    "mod_forum_get_discussion_posts": lambda server, asked: {
        "posts": server.world.posts[int(asked["discussionid"])], "forumid": 2, "courseid": 2, "warnings": []
    },
    "mod_assign_get_submissions": _submissions,
    "mod_quiz_get_user_attempts": lambda server, asked: {"attempts": [], "warnings": []},
    "mod_choice_get_choices_by_courses": lambda server, asked: {"choices": [], "warnings": []},
    "mod_feedback_get_feedbacks_by_courses": lambda server, asked: {"feedbacks": [], "warnings": []},
    "core_blog_get_entries": _blog,
}  # fmt: skip


def _preferences(handler: Handler, asked: dict) -> None:
    if not handler.signed_in():
        handler.to_login()
        return
    config = {"wwwroot": handler.server.url, "sesskey": SESSKEY, "userId": 3, "usertimezone": "Australia/Brisbane"}
    handler.html(f'<!DOCTYPE html><html lang="en"><body><script>M.cfg = {json.dumps(config)};</script></body></html>\n')


def _log(handler: Handler, asked: dict) -> None:
    if not handler.signed_in():
        handler.to_login()
    elif "log" in handler.server.refused:
        handler._send(404, "text/html; charset=utf-8", ERROR_PAGE.encode())
    elif asked.get("chooselog") != "1":
        handler.html("<!DOCTYPE html><html><body id='page-report-log-index'></body></html>")
    else:
        handler.csv(handler.server.world.log_of(int(asked["date"]) if "date" in asked else None))


def _progress(handler: Handler, asked: dict) -> None:
    word = "dataformat" if handler.server.version_5 else "format"
    assert {key: asked.get(key) for key in ("group", "sifirst", "silast")} == {
        "group": "0", "sifirst": "all", "silast": "all",
    }, asked  # fmt: skip
    if not handler.signed_in():
        handler.to_login()
    elif asked.get(word) != "csv":
        handler.html("<!DOCTYPE html><html><body id='page-report-progress-index'></body></html>")
    else:
        handler.csv((DEMO / "completion_progress.csv").read_text("utf-8"))


def _saved(name: str) -> Callable[[Handler, dict], None]:
    def page(handler: Handler, asked: dict) -> None:
        if handler.signed_in():
            handler.html(saved_page(name, handler.server.url))
        else:
            handler.to_login()

    return page


def _forum_export(handler: Handler, asked: dict) -> None:
    if not handler.signed_in() or asked.get("sesskey") != SESSKEY:
        handler._send(404, "text/html", ERROR_PAGE.encode())
        return
    name = "forum_export" if asked["id"] == "2" else f"forum_export_forum{asked['id']}"
    handler.csv((DEMO / f"{name}.csv").read_text("utf-8"))


def _modedit(handler: Handler, asked: dict) -> None:
    forum = {"1": 1, "4": 2, "6": 3, "16": 4, "37": 5}[asked["update"]]
    handler.html(f'<!DOCTYPE html><html><body id="page-mod-forum-mod"><input name="instance" value="{forum}"></html>')


def _login(handler: Handler, asked: dict) -> None:
    url = handler.server.url
    if handler.command == "GET":
        handler.html(
            LOGIN_PAGE.format(site=url, token=LOGINTOKEN), {"Set-Cookie": "MoodleSession=anon; path=/; HttpOnly"}
        )
    elif asked.get("password") == PASSWORD and asked.get("logintoken") == LOGINTOKEN:
        handler.server.sessions.add("fresh")
        to = {"Location": f"{url}/login/index.php?testsession=3", "Set-Cookie": "MoodleSession=fresh; path=/; HttpOnly"}
        handler._send(303, "text/html", b"", to)
    else:
        handler._send(303, "text/html", b"", {"Location": f"{url}/login/index.php"})


def _token(handler: Handler, asked: dict) -> None:
    if asked.get("password") == PASSWORD:
        handler._json({"token": TOKEN, "privatetoken": None})
    else:
        handler._json({"error": "Invalid login, please try again", "errorcode": "invalidlogin"})


PAGES: dict[str, Callable[[Handler, dict], None]] = {
    "/user/preferences.php": _preferences,
    "/report/log/index.php": _log,
    "/report/progress/index.php": _progress,
    "/user/index.php": _saved("participants_page.html.gz"),
    "/course/view.php": _saved("course_page.html.gz"),
    "/mod/forum/export.php": _forum_export,
    "/course/modedit.php": _modedit,
    "/login/index.php": _login,
    "/login/token.php": _token,
}
