"""What all tests share: the tree, and a real browser."""

from pathlib import Path

import pytest
from browser import browser, page, site

__all__ = ["browser", "page", "site"]

TREE = Path(__file__).resolve().parent.parent


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
