"""Students' bytes are read in processes of their own, which are ended when they take too long or too much memory."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Callable
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Any

from pebble import ProcessExpired, ProcessPool

from loaders.errors import Unreadable
from loaders.feed_errors import BROKEN

PROCESSES = 2
MOST_MEMORY = 1_500_000_000  # bytes of address space, libraries included
TOO_LONG = "this feed takes longer than {:.0f} seconds to read, and was left: ask what is unusual about it"
TOO_MUCH = "this feed takes too much memory to read, and was left: ask what is unusual about it"


def limit_memory() -> None:
    """Bound this process's memory, where the system can."""
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    except (ImportError, ValueError, OSError):  # Windows has no such limit, macOS does not keep it
        pass


class Workers:
    """Processes that start with the first document; `stop` ends them."""

    def __init__(self, most_s: float):
        self._most_s, self._pool = most_s, None

    async def run(self, function: Callable[..., Any], *values: Any) -> Any:
        """`function(*values)`, done elsewhere. Raises Unreadable where it takes too much, or what it raises."""
        if self._pool is None:
            context = multiprocessing.get_context("spawn")  # a copy of a process with an event loop is not safe
            self._pool = ProcessPool(max_workers=PROCESSES, initializer=limit_memory, context=context)
        try:
            return await asyncio.wrap_future(self._pool.schedule(function, args=values, timeout=self._most_s))
        except (TimeoutError, FutureTimeout):
            raise Unreadable(TOO_LONG.format(self._most_s)) from None
        except (ProcessExpired, MemoryError):
            raise Unreadable(TOO_MUCH) from None
        except Unreadable:
            raise
        except Exception as error:  # whatever it is, it is one student's, and must not stop the others'
            raise Unreadable(BROKEN) from error

    async def stop(self) -> None:
        """End the processes, at once."""
        if self._pool is not None:
            self._pool.stop()
            await asyncio.to_thread(self._pool.join)
            self._pool = None
