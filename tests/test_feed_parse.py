"""A feed's bytes -> posts, of every kind of feed, and of broken ones."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from blog_answers import HOME, RSS, WRITERS, Blog, document, some_posts
from feed_server import LOGIN_PAGE

from loaders.feed_document import Document
from loaders.feed_errors import NotAFeed
from loaders.feed_parse import read


def rss(items: str) -> Document:
    return document(f"{RSS}{items}</channel></rss>")


def only(items: str) -> dict:
    """The one post of a feed."""
    (post,) = read(rss(items)).posts
    return post


def atom(entry: str, head: str = "") -> dict:
    text = f'<feed xmlns="http://www.w3.org/2005/Atom"{head}><title>A</title><entry>{entry}</entry></feed>'
    (post,) = read(document(text)).posts
    return post


@pytest.mark.parametrize(("name", "kind"), [("wordpress", "rss"), ("rss", "rss"), ("blogger", "atom"), ("atom", "atom"),
                                            ("archive", "atom"), ("json", "json")])  # fmt: skip
def test_a_post_comes_out_the_same_of_every_kind_of_feed(name: str, kind: str):
    blog = Blog(name, some_posts(3))
    feed = read(document(WRITERS[name](blog, HOME, {}).body))
    assert (feed.kind, feed.title, len(feed.posts), feed.fault) == (kind, "Anna’s learning blog", 3, None)
    post = feed.posts[0]
    assert post["title"] == "Week 3: what I learnt & what’s next"
    assert post["text"].startswith("Post 3. I tried the exercise and it worked.")
    assert post["links"] == ["https://classmate.example.org/3"]
    assert post["word_count"] == len(post["text"].split()) == 40
    assert (post["published_utc"], post["summary_only"]) == ("2024-03-10T10:00:00Z", False)
    assert post["url"].startswith(HOME) and "3" in post["url"]
    assert 'rel="noopener noreferrer nofollow"' in post["html"]
    assert set(post) == {"guid", "url", "title", "html", "text", "word_count", "links", "image_count",
                         "published_utc", "updated_utc", "summary_only"}  # fmt: skip


def test_posts_are_known_by_their_own_name_else_address_else_what_they_say():
    feed = read(rss(
        "<item><guid isPermaLink='false'>12 at x</guid><link>/a</link></item><item><link>/b</link></item>"
        "<item><title>C</title></item><item><title>D</title></item><item><guid>r</guid></item>"
    ))  # fmt: skip
    guids = [post["guid"] for post in feed.posts]
    assert guids[:2] == ["12 at x", "https://anna.example.org/b"] and guids[4] == "r"
    assert guids[2].startswith("sha256:") and guids[2] != guids[3]
    again = read(rss("<item><title>C</title></item>"))
    assert again.posts[0]["guid"] == guids[2]


def test_one_guid_for_several_posts_names_none_and_a_post_that_comes_twice_is_one():
    feed = read(rss("".join(f"<item><guid>same</guid><link>{HOME}{n}</link></item>" for n in (1, 2))))
    assert [post["guid"] for post in feed.posts] == [f"{HOME}1", f"{HOME}2"]
    feed = read(rss(f"<item><guid>one</guid><link>{HOME}1</link></item>" * 2))
    assert len(feed.posts) == 1


# ---- HTML ----

WICKED = """<p onclick="steal()" style="position:fixed">Hello <b>there</b></p><script>steal()</script>
<iframe src="https://evil.example/">fallback</iframe><a href="javascript:steal()">click</a>
<a href="https://ok.example/?a=1&amp;b=2" target="_blank">fine</a> <a href="data:text/html,x">data</a>
<a href="//other.example/x">other</a> <a href="../more">more</a> <a href="https://u:p@evil.example/">login</a>
<form action="/steal"><input name=q><button>Go</button></form><svg><a xlink:href="javascript:x">s</a></svg>
<math><mtext><table><mglyph><style><img src=x onerror=steal()></style></mglyph></table></mtext></math>
<img src="https://tracker.example/x.png" alt="my &lt;b&gt; cat"><img src="//t.example/p" width="1" height="1">
<img src=y><object data="x.swf">flash</object><link rel=stylesheet href=//evil.example/><base href="//evil.example/">"""


def test_only_harmless_html_is_kept():
    post = only(f"<item><link>{HOME}1</link><content:encoded><![CDATA[{WICKED}]]></content:encoded></item>")
    for word in ("steal", "script", "onclick", "style", "iframe", "fallback", "<form", "<input", "<svg", "<img", "src=",
                 "tracker", "t.example", "flash", "evil", "javascript", "data:"):  # fmt: skip
        assert word not in post["html"], word
    assert "<b>there</b>" in post["html"] and "[image: my &lt;b&gt; cat]" in post["html"] and "[image]" in post["html"]
    assert post["image_count"] == 2, "what counts readers is no image"
    assert post["links"] == [
        "https://ok.example/?a=1&b=2",
        "https://other.example/x",
        "https://anna.example.org/more",
    ]
    assert "cat" not in post["text"], "what an image shows is not what she wrote"


def test_names_and_titles_are_plain_text():
    assert (
        only("<item><title>Q&amp;#038;A &amp;#8217; &lt;3 &amp;lt;b&amp;gt;</title></item>")["title"] == "Q&A ’ <3 <b>"
    )
    assert atom('<title type="text">Why &lt;b&gt; is &amp;amp;</title>')["title"] == "Why <b> is &amp;"
    assert atom("<title>Anna's &lt;b&gt; day</title>")["title"] == "Anna's <b> day"
    assert atom('<title type="html">Why &lt;i&gt;not&lt;/i&gt; &amp;amp;</title>')["title"] == "Why not &"
    assert only("<item><title>&lt;script&gt;x&lt;/script&gt;Hi</title></item>")["title"] == "Hi"


def test_emoji_stay_and_the_line_of_a_plugin_goes():
    html = (
        '<p>Done <img class="wp-smiley" src="x" alt="🙂"></p><p>The post <a href="https://a.example/">Done</a> appeared'
        ' first on <a href="https://a.example">Anna</a>.</p>'
    )
    post = only(f"<item><content:encoded><![CDATA[{html}]]></content:encoded></item>")
    assert (post["text"], post["image_count"], post["links"]) == ("Done 🙂", 0, [])


def test_plain_text_content_is_text():
    post = atom('<content type="text">I &lt;b&gt; you\n\n2 &lt; 3</content>')
    assert post["text"] == "I <b> you\n\n2 < 3" and "&lt;b&gt;" in post["html"]
    feed = {"version": "https://jsonfeed.org/version/1", "items": [{"id": 7, "content_text": "a <b> c"}]}
    (post,) = read(document(json.dumps(feed))).posts
    assert (post["guid"], post["text"]) == ("7", "a <b> c")


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "https://u:p@moodle.example/", "mailto:a@b.c"],
)
def test_a_post_links_to_the_web_or_nowhere(url: str):
    assert only(f"<item><guid isPermaLink='false'>1</guid><link>{url}</link></item>")["url"] is None


def test_a_post_as_long_as_a_library_is_cut_with_a_mark():
    post = only(f"<item><description>&lt;p&gt;{'word ' * 400_000}</description></item>")
    assert len(post["html"]) < 310_000 and post["text"].endswith("[…]")


# ---- whole posts and excerpts ----


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ("<description>All of it.</description>", False),
        ("<description>Some of it [&amp;hellip;]</description>", True),
        ("<description>Some of it [...]</description>", True),
        ("<description>Some of it…</description>", True),
        ("<description>Some &lt;a href='x'&gt;Continue reading &lt;i&gt;A&lt;/i&gt; →&lt;/a&gt;</description>", True),
        ("<description>Some &lt;a href='x'&gt;Read more&lt;/a&gt;</description>", True),
        ("<description>It is &lt;a href='https://news.example/'&gt;Read more&lt;/a&gt;</description>", False),
        ("<description>I will read more books. And then I slept.</description>", False),
        ("<description>x [&amp;hellip;]</description><content:encoded>All of it…</content:encoded>", False),
        ("<description>x</description><content:encoded>Part [&amp;hellip;]</content:encoded>", True),
        ("<description></description>", False),
        ("<title>Only a title</title>", True),
    ],
)  # fmt: skip
def test_excerpts_are_told_from_whole_posts_in_rss(items: str, expected: bool):
    assert only(f"<item><guid>1</guid>{items}</item>")["summary_only"] is expected


def test_excerpts_are_told_from_whole_posts_in_atom_and_json():
    assert atom("<id>1</id><summary>In short</summary>")["summary_only"]
    assert not atom("<id>1</id><summary>In short</summary><content type='html'>All</content>")["summary_only"]
    for more, expected in (({"summary": "s"}, True), ({"summary": "s", "content_html": "<p>all"}, False), ({}, True)):
        feed = {"version": "https://jsonfeed.org/version/1", "items": [{"id": "1", **more}]}
        assert read(document(json.dumps(feed))).posts[0]["summary_only"] is expected


# ---- times ----

SOON = (datetime.now(UTC) + timedelta(days=40)).strftime("%a, %d %b %Y %H:%M:%S GMT")


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("<pubDate>Mon, 04 Mar 2024 10:00:00 +1000</pubDate>", "2024-03-04T00:00:00Z"),
        ("<pubDate>Mon, 04 Mar 2024 10:00:00</pubDate>", "2024-03-04T10:00:00Z"),
        ("<dc:date>2024-03-04T10:00:00-05:00</dc:date>", "2024-03-04T15:00:00Z"),
        ("<pubDate>yesterday</pubDate>", None),
        ("<pubDate></pubDate>", None),
        ("<pubDate>Thu, 01 Jan 1970 00:00:00 GMT</pubDate>", None),
        ("<pubDate>Mon, 99 Foo 2024 99:99:99 GMT</pubDate>", None),
        ("<pubDate>Mon, 04 Mar 99999999999999999999 10:00:00</pubDate>", None),
        ("<pubDate>Mon, 04 Mar 99999 10:00:00 GMT</pubDate>", None),
        pytest.param(f"<pubDate>{SOON}</pubDate>", None, id="in 40 days"),  # the same name in every process
        ("", None),
    ],
)
def test_times_are_utc_or_none(tag: str, expected: str | None):
    post = only(f"<item><guid>1</guid>{tag}</item>")
    assert (post["published_utc"], post["updated_utc"]) == (expected, None)


def test_atom_tells_when_a_post_was_edited():
    post = atom("<id>1</id><published>2024-03-04T10:00:00+10:00</published><updated>2024-03-05T00:00:00Z</updated>")
    assert (post["published_utc"], post["updated_utc"]) == ("2024-03-04T00:00:00Z", "2024-03-05T00:00:00Z")
    post = atom("<id>1</id><updated>2024-03-05T00:00:00Z</updated>")
    assert (post["published_utc"], post["updated_utc"]) == (None, "2024-03-05T00:00:00Z")


# ---- encodings ----

UMLAUTS = f"{RSS}<item><guid>1</guid><title>Größe – “naïve” 漢字</title></item></channel></rss>"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (UMLAUTS.encode(), "text/xml; charset=iso-8859-1"),
        (UMLAUTS.encode(), "text/xml; charset=us-ascii"),
        (UMLAUTS.encode(), "text/xml; charset=no-such-thing"),
        (UMLAUTS.encode(), "text/xml; charset=unicode_escape"),
        (UMLAUTS.encode("utf-8-sig"), "text/xml"),
        (UMLAUTS.encode("utf-16"), "text/xml"),
        (UMLAUTS.encode("utf-16-be"), "text/xml"),
        (UMLAUTS.encode("utf-32"), "text/xml"),
        (f'<?xml version="1.0" encoding="gb18030"?>{UMLAUTS}'.encode("gb18030"), "text/xml"),
        (f'<?xml version="1.0" encoding="utf-16"?>{UMLAUTS}'.encode(), "text/xml"),
        (f"\n\n <?xml version='1.0' encoding='UTF-8'?>{UMLAUTS}".encode(), "text/plain"),
        (UMLAUTS.encode("gb18030"), "text/xml; charset=gb18030"),
    ],
)
def test_encodings_that_servers_get_wrong(body: bytes, content_type: str):
    assert read(document(body, content_type)).posts[0]["title"] == "Größe – “naïve” 漢字"


def test_an_encoding_nobody_names_and_characters_that_no_xml_may_hold():
    body = f"{RSS}<item><title>caf\xe9 \x93x\x94 \x0b\x00ok</title></item></channel></rss>".encode("latin-1")
    assert read(document(body)).posts[0]["title"] == "café “x” ok"


# ---- broken ----


def test_half_a_document_gives_what_is_whole_and_says_so():
    body = WRITERS["wordpress"](Blog("wordpress", some_posts(10)), HOME, {}).body
    feed = read(document(body[: int(len(body) * 0.66)]))
    assert 4 <= len(feed.posts) <= 7 and "ends in the middle" in feed.fault and feed.older is None
    assert all(post["word_count"] == 40 for post in feed.posts)


def test_markup_that_is_not_well_formed_is_read():
    feed = read(rss("<item><title>A & B</title><link>/a</link></item><item><title>C<br>D</title></item>"))
    assert [post["title"] for post in feed.posts] == ["A & B", "C D"] or len(feed.posts) == 2


def test_characters_that_do_not_exist():
    feed = read(
        rss("<item><title>a&#x110000;b&#xD800;c&#0;d&#8217;</title></item><item><title>B &broken</title></item>")
    )
    assert feed.posts[0]["title"] == "abcd’"
    items = [{"id": "\ud800", "title": "a\ud83d\x00b", "content_text": "\udfff ok"}]
    (post,) = read(document(json.dumps({"version": "https://jsonfeed.org/version/1", "items": items}))).posts
    assert (post["guid"], post["title"], post["text"]) == ("?", "a?b", "? ok")


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("<!DOCTYPE html><html><body>Hi</body></html>", "a web page, not a feed"),
        (LOGIN_PAGE, "a page to sign in came"),
        ("hello", "something that is no feed"),
        ("<opml version='2.0'><body/></opml>", "no feed|not a feed"),
        ("{}", "no feed"),
        ('{"version": "https://jsonfeed.org/version/1", "items": 3}', "no feed"),
        ('{"version": "https://jsonfeed.org/version/1", "items": [', "broken JSON"),
        ('{"a":' * 100_000, "broken JSON|nested too deep"),
    ],
)  # fmt: skip
def test_what_is_no_feed_is_one_sentence(body: str, sentence: str):
    with pytest.raises(NotAFeed, match=sentence):
        read(document(body))


def test_odd_items_of_a_json_feed_are_left_and_odd_values_are_none():
    items = [None, 3, "x", {"id": {"a": 1}, "url": 9, "title": ["x"], "content_html": None, "date_published": 5}]
    (post,) = read(document(json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": items}))).posts
    assert (post["title"], post["text"], post["published_utc"]) == ("", "", None)
