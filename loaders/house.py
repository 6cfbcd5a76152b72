"""Where the pages, queries and the made-up course lie, in a checkout and in an installed package."""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


def root() -> Path:
    """The folder that holds metadata.yml, settings.json, plugins/, templates/ and demo/.

    A wheel carries them inside the package (`loaders/site`, see pyproject.toml); in a checkout, also one
    installed with `pip install -e .`, they are the tree's own. The folder may be read-only: write nothing
    there without asking (`demo/moodle.db` goes elsewhere when it is).
    """
    shipped = PACKAGE / "site"
    return shipped if (shipped / "plugins").is_dir() else PACKAGE.parent
