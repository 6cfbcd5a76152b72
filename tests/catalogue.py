"""The generated parts of the README and SECURITY.md, from what the program itself says and tests hold it to."""

from __future__ import annotations

from pathlib import Path

import click
import yaml

from loaders.cli import cli
from tests.doors import summary
from tests.role_doors import summary as roles

__all__ = ["commands", "queries", "roles", "summary", "tables"]

METADATA = yaml.safe_load((Path(__file__).parents[1] / "metadata.yml").read_text(encoding="utf-8"))
DATABASES = METADATA["databases"]


def queries() -> str:
    """One row per canned query: its question, and its address."""
    lines = ["| question | address |", "| --- | --- |"]
    lines += [
        f"| {query['title']} | `/{database}/{name}` |"
        for database, known in DATABASES.items()
        for name, query in known["queries"].items()
    ]
    return "\n".join(lines)


def tables() -> str:
    """One row per table that is not hidden."""
    lines = ["| table | what it holds |", "| --- | --- |"]
    lines += [
        f"| `{name}` | {' '.join(table['description'].split())} |"
        for known in DATABASES.values()
        for name, table in known["tables"].items()
        if not table.get("hidden")
    ]
    return "\n".join(lines)


def commands() -> str:
    """Every command's own help."""
    parts = []
    for name in sorted(cli.commands):
        context = click.Context(cli.commands[name], info_name=f"coursette {name}", max_content_width=100)
        context.terminal_width = 100
        help_text = cli.commands[name].get_help(context)
        parts.append("\n".join(["```", *(line.rstrip() for line in help_text.splitlines()), "```"]))
    return "\n\n".join(parts)
