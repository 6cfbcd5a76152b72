"""What to download next: forums by name, and links that lead to a Moodle and nowhere else."""

from __future__ import annotations

import pytest
from exports import database, load, name, rows, write, write_log
from test_matching import LOG

from loaders import advice

POSTS = ["id", "discussion", "parent", "userid", "userfullname", "created", "modified", "subject", "message"]


@pytest.fixture
def db(tmp_path):
    connection = database(tmp_path)
    yield connection
    connection.close()


def posted(time: str, user: int, forum: str, cmid: int, post: int, discussion: int) -> list[str]:
    text = (
        f"The user with id '{user}' has created the post with id '{post}' in the discussion with id '{discussion}'"
        f" in the forum with course module id '{cmid}'."
    )
    return [time, name(user), "-", f"Forum: {forum}", "Forum", "Post created", text, "web", ""]


def opened(time: str, user: int, forum: str, cmid: int, discussion: int) -> list[str]:
    text = (
        f"The user with id '{user}' has created the discussion with id '{discussion}' in the forum with course module"
        f" id '{cmid}'."
    )
    return [time, name(user), "-", f"Forum: {forum}", "Forum", "Discussion created", text, "web", ""]


FORUMS = [
    posted("02/03/16, 10:30:00", 5, "Support & help", 31, 4, 3),
    posted("02/03/16, 10:29:00", 18, "Support & help", 31, 3, 3),
    opened("02/03/16, 10:28:00", 5, "Support & help", 31, 3),
    opened("02/03/16, 10:27:00", 5, "Diary", 32, 8),
    *LOG,
]


def forums(db) -> list[tuple[str, str]]:
    return [(gap.download.kind, gap.url) for gap in advice.gaps(db) if gap.download.kind.startswith("forum posts")]


def test_forums_with_posts_in_the_log_are_named_until_their_export_is_here(db, tmp_path):
    load(db, write_log(tmp_path / "logs.csv", FORUMS))
    assert forums(db) == [
        ("forum posts of Support & help (3 posts in the log)", "https://YOUR-MOODLE/mod/forum/view.php?id=31"),
        ("forum posts of Diary (1 post in the log)", "https://YOUR-MOODLE/mod/forum/view.php?id=32"),
    ]
    export = [POSTS, ["5", "3", "0", "5", "Zoë Müller", "1456900080", "1456900080", "Help", "<p>Please</p>"]]
    load(db, write(tmp_path / "forum.csv", export))
    assert [kind for kind, _ in forums(db)] == ["forum posts of Diary (1 post in the log)"]


def test_without_posts_in_the_log_the_list_of_forums_is_what_to_open(db, tmp_path):
    load(db, write_log(tmp_path / "logs.csv", LOG))
    assert forums(db) == [("forum posts", "https://YOUR-MOODLE/mod/forum/index.php?id=2")]


@pytest.mark.parametrize("url", ["https://moodle.example.edu", "http://localhost:8080/moodle", "https://x.org/~lms"])
def test_links_start_with_the_sites_address(db, tmp_path, url):
    load(db, write_log(tmp_path / "logs.csv", FORUMS))
    db.execute("update sites set url = ?", (url,))
    assert {gap.url[: len(url) + 1] for gap in advice.gaps(db)} == {f"{url}/"}


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)//", "data:text/html,x", "//x.org", "https://x.org@evil.org", "https://x.org\n\x1b[31m", "",
     "https://x.org?a=", "https://x.org/#"],
)  # fmt: skip
def test_what_is_no_web_address_is_not_printed(db, tmp_path, url):
    load(db, write_log(tmp_path / "logs.csv", FORUMS))
    db.execute("update sites set url = ?", (url,))
    assert rows(db, "select url from sites") == [(url,)]
    assert {gap.url.split("/")[2] for gap in advice.gaps(db)} == {"YOUR-MOODLE"}
