"""What all tests share: the tree, a real browser, and nothing of whoever runs them."""

import os
import weakref
from contextlib import suppress
from pathlib import Path

import pytest
from browser import browser, no_loop, page, site
from datasette.database import Database, WriteTask
from hypothesis import settings

__all__ = ["browser", "page", "site"]

TREE = Path(__file__).resolve().parent.parent

# A teacher's own database and accounts are never what a test runs on.
for name in [name for name in os.environ if name.startswith("COURSETTE_") and name != "COURSETTE_BROWSER"]:
    del os.environ[name]

# Reading a file may take a while on a busy machine; in CI the same examples come every time.
settings.register_profile("house", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("house")


def needs_browser(item: pytest.Item) -> bool:
    return "browser" in getattr(item, "fixturenames", ())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A module's browser tests come last in it, so that one of them clears away what the module has in the browser."""
    modules = {path: place for place, path in enumerate(dict.fromkeys(item.path for item in items))}
    items.sort(key=lambda item: (modules[item.path], needs_browser(item)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item):
    """Browser tests and async tests in one process, in any order.

    Playwright leaves its event loop marked as running in this thread, also while nothing asks the browser, and
    beside a running loop no async test starts. So the mark is taken off for all tests but the browser's.
    """
    if needs_browser(item):
        return (yield)
    with no_loop():
        return (yield)


@pytest.fixture(scope="session")
def tree() -> Path:
    """The checkout."""
    return TREE


@pytest.fixture(scope="session")
def demo_files(tree: Path) -> Path:
    """The made-up course, as Moodle exported it."""
    return tree / "demo"


made: weakref.WeakSet[Database] = weakref.WeakSet()
writes = Database._execute_writes


def writes_until_told(database: Database) -> None:
    """Datasette's thread for writing, which alone would never end and keep its Datasette for good."""
    made.add(database)
    with suppress(SystemExit):
        writes(database)


def end(conn) -> None:
    conn.close()
    raise SystemExit


Database._execute_writes = writes_until_told


@pytest.fixture(scope="module", autouse=True)
def threads_end():
    """After each module: a Datasette lives as long as its threads, and thousands of them would take gigabytes."""
    yield
    for database in list(made):
        if database._write_thread is not None:
            database._write_queue.put(WriteTask(end, None, None))
            database._write_thread = None
        database.ds.executor.shutdown(wait=False)
