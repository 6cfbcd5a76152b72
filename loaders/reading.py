"""What every small-file reader returns: what the file says of itself, and its claims."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass
class Reading:
    """One file's content, before it is matched to anything.

    `claims` are JSON-able dicts, each with a `noun`; they may be lazy, and `notes` and `newest_utc`
    may be filled in while they are consumed.
    """

    kind: str
    claims: Iterable[dict]
    course: dict = field(default_factory=dict)
    site: str | None = None
    timezone: str | None = None
    newest_utc: str | None = None
    notes: list[str] = field(default_factory=list)
