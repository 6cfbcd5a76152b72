"""Links into Moodle: to an activity, where the site is known."""

from __future__ import annotations

from urllib.parse import urlencode


def safe_link(url: str | None) -> str | None:
    """An address that is a web page and nothing else."""
    return url if url and url.startswith(("https://", "http://")) else None


def activity_link(course: dict, row: dict) -> str | None:
    """The page of an activity; None where no file has told the site, its id or its kind."""
    if not (safe_link(course["site"]) and row["cmid"] and row["kind"]):
        return None
    return f"{course['site']}/mod/{row['kind']}/view.php?{urlencode({'id': row['cmid']})}"
