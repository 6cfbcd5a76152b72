"""Database files with students in them: nobody else on the machine may copy them past the sign-in."""

from __future__ import annotations

import os
from pathlib import Path


def owners_only(path: Path) -> None:
    """Make a file that is not there, and let its owner alone read it. Harmless beside SQLite connections to it."""
    if not path.exists():  # opening and closing one that is there would end SQLite's own locks on it
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    if path.stat().st_mode & 0o077:
        path.chmod(0o600)
