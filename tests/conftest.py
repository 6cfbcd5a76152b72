"""What all tests share: the tree, a real browser, and nothing of whoever runs them."""

import os
from pathlib import Path

import pytest
from browser import browser, page, site
from hypothesis import settings

__all__ = ["browser", "page", "site"]

TREE = Path(__file__).resolve().parent.parent

# A teacher's own database and accounts are never what a test runs on.
for name in [name for name in os.environ if name.startswith("COURSETTE_") and name != "COURSETTE_BROWSER"]:
    del os.environ[name]

# Reading a file may take a while on a busy machine; in CI the same examples come every time.
settings.register_profile("house", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("house")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests last: Playwright keeps an event loop in this thread, beside which no async test runs."""
    items.sort(key=lambda item: "browser" in getattr(item, "fixturenames", ()))


@pytest.fixture(scope="session")
def tree() -> Path:
    """The checkout."""
    return TREE


@pytest.fixture(scope="session")
def demo_files(tree: Path) -> Path:
    """The made-up course, as Moodle exported it."""
    return tree / "demo"
