"""How long 400 students' blogs take, all of a semester and then what is new, and how much memory.

The blogs are a server process on this machine that pauses before each answer. Half of the students have theirs at one
big site, which is asked by two at once and with a pause, as it would be in the wild.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import resource
import sys
import time
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(1, str(Path(__file__).parent.parent))

from blog_answers import WRITERS
from feed_server import ALLOWED, ANY, Blog, resolve, serving, some_posts

from loaders.feed_fetch import Client
from loaders.feed_read import Known, read_blog

OURS, WORKERS = resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN
STUDENTS, POSTS, WORDS, DELAY_S = 400, 25, 300, 0.12


def serve(pipe) -> None:
    """Run the blogs until told to stop."""
    kinds = list(WRITERS)
    blogs = {f"b{n}": Blog(kinds[n % len(kinds)], some_posts(POSTS, words=WORDS)) for n in range(STUDENTS)}
    with serving(blogs, DELAY_S) as server:
        pipe.send(server.server_address[1])
        while pipe.recv() != "stop":
            pipe.send((len(server.requests), server.most_open))


async def read_all(client: Client, blogs: list[Known]) -> tuple[list[Known], int]:
    """What is known after reading every blog, and how many posts came."""

    async def one(known: Known) -> tuple[Known, int]:
        posts = 0
        async for page in read_blog(client, known):
            posts += len(page.posts)
            guids = known.guids | {post["guid"] for post in page.posts}
            known = replace(known, feed_url=page.feed_url, etag=page.etag, older_url=page.older_url,
                            whole=page.whole, guids=guids)  # fmt: skip
        return known, posts

    done = await asyncio.gather(*map(one, blogs))
    return [known for known, _ in done], sum(posts for _, posts in done)


async def timed(said: str, blogs: list[Known], pipe) -> list[Known]:
    """One reading of all blogs, and its measure."""
    pipe.send("count")
    before, started = pipe.recv()[0], time.monotonic()
    async with Client(ALLOWED, resolve=resolve, ports=ANY) as client:
        blogs, posts = await read_all(client, blogs)
    took = time.monotonic() - started
    pipe.send("count")
    asked, most_open = pipe.recv()
    ours, worker = (
        resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    sys.stdout.write(
        f"{said}: {len(blogs)} blogs, {posts} posts, {asked - before} requests in {took:.1f} s, at most {most_open} at"
        f" once; {ours:.0f} MB, and {worker:.0f} MB in the largest of two workers\n"
    )
    return blogs


def main() -> None:
    """First everything, then what is new; on sites of their own, then half of them on one."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs,), daemon=True)
    process.start()
    port = ours.recv()
    apart = [Known(f"http://www.blog{n}.example:{port}/b{n}/") for n in range(STUDENTS)]
    together = [Known(f"http://b{n}.big.example:{port}/b{n}/") if n % 2 else one for n, one in enumerate(apart)]
    for said, blogs in (("each on its own site", apart), ("half on one site", together)):
        blogs = asyncio.run(timed(f"{said}, first", blogs, ours))
        asyncio.run(timed(f"{said}, later", blogs, ours))
    ours.send("stop")
    process.join(10)


if __name__ == "__main__":
    main()
