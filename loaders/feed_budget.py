"""What one blog may cost in one run: no blog takes the others' time, or the teacher's disk."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from loaders.errors import Unreadable

MOST_KEPT = 20_000_000  # bytes of the posts of one document: 10 MB come, as HTML and as text
TOO_LARGE = "this feed holds more in one document than is kept ({:,.0f} MB): its first {:,} posts were taken"
SPENT = (
    "this blog is more than is read in one run ({:,.0f} minutes, {:,.0f} MB or {:,} posts): what came is kept, and the"
    " next `coursette blogs fetch` goes on there"
)


class Spent(Unreadable):
    """The blog's share of this run is used up."""


@dataclass
class Budget:
    """What is left. Waiting for other blogs of the same site costs nothing; the blog's own Retry-After does."""

    seconds: float
    bytes: int
    posts: int

    def __post_init__(self):
        self.sentence = SPENT.format(self.seconds / 60, self.bytes / 1e6, self.posts)

    @property
    def used_up(self) -> bool:
        """Whether nothing more may be asked for."""
        return min(self.seconds, self.bytes, self.posts) <= 0

    def check(self) -> None:
        """Raise Spent where nothing more may be asked for."""
        if self.used_up:
            raise Spent(self.sentence)

    def take(self, posts: list[dict], known: frozenset[str]) -> list[dict]:
        """As many of the posts, from the first on, as are paid for. `known` ones cost their size, as they may grow."""
        taken = []
        for post in posts:
            self.bytes -= size_of(post)
            self.posts -= post["guid"] not in known
            if self.bytes < 0 or self.posts < 0:
                break
            taken.append(post)
        return taken


def within(posts: Iterable[dict], most: int = MOST_KEPT) -> tuple[list[dict], bool]:
    """The first posts that together have at most so many bytes, and whether there were more."""
    taken, left = [], most
    for post in posts:
        left -= size_of(post)
        if left < 0:
            return taken, True
        taken.append(post)
    return taken, False


def size_of(post: dict) -> int:
    """Bytes that a post takes, about: its texts, its links, and a row for each."""
    texts = (post["guid"], post["url"], post["title"], post["html"], post["text"], *post["links"])
    return sum(len((text or "").encode("utf-8", "replace")) for text in texts) + 100 * (len(post["links"]) + 2)
