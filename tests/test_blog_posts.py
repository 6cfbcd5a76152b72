"""What a blog answered, as it is kept: edits, what is gone, when it was there, and who links to whom."""

from __future__ import annotations

import time

import pytest
from exports import database, rows
from feed_server import Blog, Fault, serving, some_posts
from made_blogs import HERE, SAM, count, fetching, page, post, registered, store, wait_for

from loaders import blog_words
from loaders.feed_run import Wanted, fetch
from loaders.feed_store import Blog as Registered
from loaders.feed_store import Store
from loaders.places import Options
from loaders.post_links import save_link_people

__all__ = ["store"]


# ---- Storing ----


def test_a_post_as_it_is_kept(store):
    assert store.save_page(SAM, page(post(1, links=["https://a.org/"], image_count=2), title="Sam's", etag='"1"')) == (
        1,
        0,
    )
    kept = "select guid, feed_id, email, title, text, word_count, link_count, image_count, published_utc, gone_utc, url"
    assert rows(store.connection, f"{kept} from blog_posts join people on people.id = person_id") == [
        ("g1", 1, "sam@x.edu", "Title 1", "Post 1", 2, 1, 2, "2016-03-01T10:00:00Z", None, "https://sam.example.org/1")
    ]
    assert rows(store.connection, "select title, kind, etag, whole, error from feeds where id = 1") == [
        ("Sam's", "RSS", '"1"', 1, None)
    ]
    assert rows(store.connection, "select url from post_links") == [("https://a.org/",)]


def test_an_edited_post_is_brought_up_to_date_and_loses_its_score(store):
    store.save_page(SAM, page(post(1), post(2)))
    store.connection.execute("update blog_posts set sentiment = 0.5, scored_key = 'k', most_positive = 'x'")
    before = rows(store.connection, "select id, first_fetched_utc from blog_posts")
    edited = post(1, text="Other words", links=["https://b.org/"], updated_utc="2016-03-09T00:00:00Z")
    assert store.save_page(SAM, page(edited, post(2))) == (0, 1)
    assert rows(
        store.connection, "select text, sentiment, scored_key, most_positive from blog_posts order by guid"
    ) == [
        ("Other words", None, None, None),
        ("Post 2", 0.5, "k", "x"),
    ]
    assert rows(store.connection, "select id, first_fetched_utc from blog_posts") == before
    assert rows(store.connection, "select rowid from blog_posts_fts where blog_posts_fts match 'Other'") == [(1,)]


def test_a_score_outlives_what_only_looks_otherwise(store):
    store.save_page(SAM, page(post(1)))
    store.connection.execute("update blog_posts set sentiment = 0.5, scored_key = 'k'")
    assert store.save_page(SAM, page(post(1, html="<div>Post 1</div>", image_count=1))) == (0, 0)
    assert rows(store.connection, "select html, sentiment from blog_posts") == [("<div>Post 1</div>", 0.5)]


def test_a_whole_post_outlives_a_feed_that_is_cut_to_summaries(store):
    store.save_page(SAM, page(post(1, text="The whole post")))
    store.save_page(SAM, page(post(1, text="The …", summary_only=True)))
    assert rows(store.connection, "select text, summary_only from blog_posts") == [("The whole post", 0)]


@pytest.mark.parametrize(
    ("covers", "seen", "gone"),
    [
        (None, [], []),  # it cannot be told
        ("", ["g2"], ["g1", "g3"]),  # everything was read
        ("2016-03-01T10:00:00Z", ["g2"], ["g3"]),
        ("2016-03-02T10:00:00Z", ["g2", "g3"], []),
    ],
)
def test_what_should_have_been_there_and_was_not_is_gone(store, covers, seen, gone):
    store.save_page(SAM, page(post(1), post(2), post(3)))
    store.mark_gone(SAM, covers, frozenset(("g1", "g2", "g3")) - set(seen))
    found = "select guid from blog_posts where gone_utc is not null order by guid"
    assert [guid for (guid,) in rows(store.connection, found)] == gone
    assert store.save_page(SAM, page(post(1), post(3))) == (0, len(gone))  # back again
    assert rows(store.connection, found) == []


def test_what_another_run_found_meanwhile_is_not_gone(store):
    ((_, known), _) = store.feeds(only_new=False)
    store.save_page(SAM, page(post(1)))  # by the other
    assert store.mark_gone(SAM, "", known.guids) == 0


def test_a_post_that_another_feed_calls_otherwise_stays_one(store):
    store.save_page(SAM, page(post(1), post(2)))
    store.save_page(SAM, page(post(1, guid="tag:1"), post(2, guid="tag:2"), post(3, guid="tag:3")))
    assert rows(store.connection, "select id, guid from blog_posts") == [(1, "tag:1"), (2, "tag:2"), (3, "tag:3")]


def test_a_post_that_was_not_there_when_its_date_says_so_is_told(tmp_path, store):
    store.save_page(SAM, page(post(1), post(2)))  # the first time anything may be old
    store.connection.execute(
        "update feeds set fetched_utc = '2016-03-12T10:00:00Z', since_utc = '2016-03-02T00:00:00Z'"
    )
    dates = {3: "2016-03-05T10:00:00Z", 4: "2016-03-11T10:00:00Z", 5: "2016-03-01T10:00:00Z", 6: None}
    later = Store(tmp_path / "moodle.db")
    later.save_page(SAM, page(*(post(number, published_utc=when) for number, when in dates.items())))
    assert rows(store.connection, "select guid, missed_utc from blog_posts where missed_utc is not null") == [
        ("g3", "2016-03-12T10:00:00Z")
    ]


def test_posts_with_one_address_stay_apart(store):
    store.save_page(SAM, page(post(1, url="https://sam.example.org/")))
    store.save_page(SAM, page(post(2, url="https://sam.example.org/")))
    assert rows(store.connection, "select count(*) from blog_posts") == [(2,)]


def test_what_a_blog_answers_is_never_filed_under_another_that_took_its_key_meanwhile(store):
    ((blog, _), *_) = store.feeds(only_new=False)
    assert blog == SAM
    store.connection.execute("delete from feeds")
    store.connection.execute("insert into feeds (id, url) values (1, 'https://al.example.org/')")
    assert store.save_page(blog, page(post(1))) == (0, 0)
    store.save_error(blog, "it is gone")
    store.connection.execute("insert into blog_posts (feed_id, guid, published_utc) values (1, 'g1', '2016-03-02')")
    assert store.mark_gone(blog, "", frozenset(["g1"])) == 0
    assert rows(store.connection, "select url, feed_url, error, asked_utc from feeds") == [
        ("https://al.example.org/", None, None, None)
    ]
    store.connection.execute("update feeds set url = 'http://www.sam.example.org'")  # written in another way
    assert store.save_page(blog, page(post(2))) == (1, 0)


def test_a_blog_removed_and_another_added_while_a_run_is_reading(tmp_path):
    blogs = {"sam": Blog("wordpress", some_posts(40), per_page=10), "zoe": Blog("rss", some_posts(3))}
    with serving(blogs) as server:
        path = registered(tmp_path, sam=server.blog("sam"))
        server.faults.append(Fault("/sam/feed/?paged=3", "busy", "2", times=1))
        running = fetching(path)
        wait_for(lambda: count(path) == 20 and any("paged=3" in where for where in server.paths()))
        connection = database(tmp_path)
        blog_words.remove(connection, Options(), "sam@x.edu")
        blog_words.add(connection, Options(), "zoe@x.edu", (server.blog("zoe"),))
        said, _ = running.communicate(timeout=30)
        assert any("paged=4" in where for where in server.paths()) and "Traceback" not in said
        assert rows(connection, "select id, url, feed_url, asked_utc from feeds") == [
            (1, server.blog("zoe"), None, None)
        ]
        assert rows(connection, "select count(*) from blog_posts") == [(0,)]
        connection.close()


def test_older_posts_are_wanted_to_four_weeks_before_the_first_course(store):
    assert [known.since_utc for _, known in store.feeds(only_new=False)] == [None, None]
    store.connection.execute("update courses set start_date = '2016-02-29'")
    assert [known.since_utc for _, known in store.feeds(only_new=False)] == ["2016-02-01T00:00:00Z"] * 2


def test_a_course_begins_with_its_first_day_or_its_first_week_whichever_is_earlier(store):
    for start, week_1, since in (
        (None, None, None),
        ("2016-02-29", None, "2016-02-01T00:00:00Z"),
        (None, "2016-02-29", "2016-02-01T00:00:00Z"),
        ("2016-02-29", "2016-03-07", "2016-02-01T00:00:00Z"),
        ("2016-03-07", "2016-02-29", "2016-02-01T00:00:00Z"),
    ):
        store.connection.execute("update courses set start_date = ?", (start,))
        store.connection.execute("delete from weeks")
        for week, day in ((0, "2016-01-04"), (1, week_1), (2, "2016-03-14")):
            if week_1:
                store.connection.execute("insert into weeks (course_id, week, starts_on) values (1, ?, ?)", (week, day))
        assert {known.since_utc for _, known in store.feeds(only_new=False)} == {since}, (start, week_1)


def test_a_blog_is_read_further_back_for_a_course_that_began_earlier(tmp_path):
    with serving({"sam": Blog("wordpress", some_posts(40), per_page=5)}) as server:
        path = registered(tmp_path, sam=server.blog("sam"))
        connection = database(tmp_path)

        def read(start: str) -> tuple[int, int]:
            """(new posts, calls) of a run when the course begins on that day."""
            connection.execute("update courses set start_date = ?", (start,))
            asked = len(server.paths())
            return fetch(path, Wanted(allow=HERE)).new, len(server.paths()) - asked

        new, _ = read("2024-06-10")
        assert 10 <= new <= 20
        assert read("2024-06-10") == (0, 1)
        assert read("2024-03-20")[0] == 40 - new
        assert read("2024-06-10") == (0, 1)  # a later beginning takes nothing back
        assert read("2024-03-20") == (0, 1)
        connection.close()


# ---- Links ----


def test_links_know_the_classmate_they_lead_to(store):
    links = [
        "https://sites.google.com/view/zoe/week-1",
        "https://sites.google.com/view/somebody",
        "https://www.sam.example.org/2",
        "https://sites.google.com/view/zoey",
        "https://moodle.x.edu/blog/index.php?userid=7",
        "https://elsewhere.edu/blog/index.php?userid=7",
        "http://[broken/",
    ]
    connection = store.connection
    connection.execute("update sites set url = 'https://moodle.x.edu'")
    connection.execute("update people set moodle_id = 7 where email = 'al@x.edu'")
    store.save_page(SAM, page(post(1, links=links)))
    save_link_people(connection)
    found = "select email from post_links l left join people on people.id = person_id order by l.id"
    assert [email for (email,) in rows(connection, found)] == [
        "zoe@x.edu", None, "sam@x.edu", None, "al@x.edu", None, None,
    ]  # fmt: skip
    connection.execute("update feeds set person_id = null where id = 1")
    save_link_people(connection)
    assert rows(connection, found)[2] == (None,)


@pytest.mark.parametrize(
    ("link", "whose"),
    [
        ("HTTP://WWW.Sam.Example.ORG/2", "sam@x.edu"),
        ("https://sam.example.org?p=3", "sam@x.edu"),
        ("http://sam.example.org#top", "sam@x.edu"),
        (" https://sam.example.org/2", "sam@x.edu"),
        ("https://sam.example.org:8080/2", None),
        ("https://u:p@sam.example.org/2", None),
        ("https://sam.example.org.evil.org/", None),
        ("ftp://sam.example.org/2", None),
        ("sam.example.org/2", None),
        ("", None),
    ],
)
def test_links_are_known_however_they_are_written(store, link, whose):
    store.save_page(SAM, page(post(1, links=[link])))
    save_link_people(store.connection)
    found = "select email from post_links left join people on people.id = person_id"
    assert rows(store.connection, found) == [(whose,)]


def test_links_are_looked_at_again_at_little_cost(store):
    links = [f"https://{'www.sam' if number % 2 else number}.example.org/{number}" for number in range(34_000)]
    store.save_page(SAM, page(post(1, links=links)))
    save_link_people(store.connection)
    took = []
    for _ in range(3):
        before, started = store.connection.total_changes, time.process_time()
        save_link_people(store.connection)
        took.append(time.process_time() - started)
        assert store.connection.total_changes == before
    assert min(took) < 0.15
    assert rows(store.connection, "select count(person_id) from post_links") == [(17_000,)]


def test_on_a_host_that_students_share_a_blog_is_its_folder(tmp_path):
    store = Store(registered(tmp_path, sam="https://blogs.x.edu/sam", zoe="https://blogs.x.edu/zoe/"))
    links = ["https://blogs.x.edu/zoe/p1", "https://blogs.x.edu/", "https://blogs.x.edu/sam?p=3"]
    store.save_page(
        Registered(1, "https://blogs.x.edu/sam"), page(post(1, url="https://blogs.x.edu/sam/1", links=links))
    )
    save_link_people(store.connection)
    found = "select email from post_links left join people on people.id = person_id order by post_links.id"
    assert rows(store.connection, found) == [("zoe@x.edu",), (None,), ("sam@x.edu",)]
