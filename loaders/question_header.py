"""The head of a question's file: comment lines that hold YAML, such as

    -- title: Who has opened the study guide?
    -- parameters:
    --   weeks: {label: In the last weeks, default: 3}

Plain YAML: no anchors, no aliases, no tags, no key twice, and words like `no` and dates are text.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from typing import Any, ClassVar

import yaml

MOST_CHARACTERS = 8_000
DEEPEST = 10
MARK = re.compile(r"--\s?")
NOT_TEXT = {"tag:yaml.org,2002:bool", "tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:merge"}
FLOW = "while parsing a flow"
REMEDIES = {
    "mapping values are not allowed": 'a text with `: ` in it has to stand in quotes: title: "Quiz: who passed?"',
    "could not find expected ':'": "each line is `key: value`, as in `title: Who has opened it?`",
    "cannot start any token": "indent with spaces, and put a text that begins with a sign in quotes",
    "expected <block end>": "keys that belong together begin in the same column",
    FLOW: "what `{` or `[` opens has to be closed on the same line",
}


class Wrong(Exception):
    """Something in a question's file: `sentence` says what and the remedy, `line` is the file's, from 1."""

    def __init__(self, sentence: str, line: int = 1):
        super().__init__(sentence)
        self.sentence, self.line = sentence, line


class Plain(yaml.SafeLoader):
    """Safe YAML without what a head does not need."""

    yaml_implicit_resolvers: ClassVar = {
        sign: [pair for pair in pairs if pair[0] not in NOT_TEXT]
        for sign, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def compose_node(self, parent: Any, index: Any) -> yaml.Node:
        event = self.peek_event()
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) or getattr(event, "tag", None):
            raise Wrong("write values out: no `&`, `*` or `!` before a value", event.start_mark.line + 1)
        return super().compose_node(parent, index)

    def fetch_flow_collection_start(self, TokenClass: type) -> None:
        self._no_deeper(self.flow_level)
        super().fetch_flow_collection_start(TokenClass)

    def add_indent(self, column: int) -> bool:
        self._no_deeper(len(self.indents))
        return super().add_indent(column)

    def _no_deeper(self, depth: int) -> None:
        if depth > DEEPEST:  # YAML's own time grows with its square
            raise Wrong("the head is nested too deeply: a chart or a parameter takes one pair of braces", self.line + 1)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        seen: set[Hashable] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.value in seen:
                raise Wrong(f"“{getattr(key, 'value', '…')}” is there twice, or is no word", key.start_mark.line + 1)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def split(lines: list[str]) -> tuple[str, int]:
    """(the YAML of the head, how many lines of the file it takes, empty ones before it too)."""
    start = next((at for at, line in enumerate(lines) if line.strip()), len(lines))
    end = next((at for at in range(start, len(lines)) if not lines[at].startswith("--")), len(lines))
    # As many lines as the file has, so that a line of the YAML is that line of the file.
    return "\n".join([*[""] * start, *(MARK.sub("", line, count=1) for line in lines[start:end])]), end


def read(text: str) -> tuple[dict[str, Any], dict[str, int]]:
    """(what the head says, {key: its line}); a key of a key is `parameters.weeks`. Raises Wrong."""
    if len(text) > MOST_CHARACTERS:
        raise Wrong(f"the head is longer than {MOST_CHARACTERS:,} characters: shorten the description")
    try:
        loader = Plain(text)
        node = loader.get_single_node()
        said = loader.construct_document(node) if node else {}
    except yaml.MarkedYAMLError as error:
        raise _wrong(error) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise Wrong("this line holds a character that no text has: type it again", line) from error
    except ValueError as error:  # such as a number of 5,000 digits
        raise Wrong("the head holds a number that is none: put it in quotes") from error
    if not isinstance(said, dict):
        raise Wrong(REMEDIES["could not find expected ':'"], node.start_mark.line + 1)
    return said, _lines(node)


def _wrong(error: yaml.MarkedYAMLError) -> Wrong:
    """What YAML found, in our words; what is never closed is shown where it opens."""
    said = f"{error.context or ''} {error.problem or ''}".strip()
    sign = next((sign for sign in REMEDIES if sign in said), "")
    mark = (error.context_mark if sign == FLOW else None) or error.problem_mark or error.context_mark
    return Wrong(REMEDIES.get(sign, f"the head is no YAML ({said})"), mark.line + 1 if mark else 1)


def _lines(node: yaml.Node | None, before: str = "") -> dict[str, int]:
    """{key: its line} of a mapping and of those in it."""
    found: dict[str, int] = {}
    for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
        found[f"{before}{key.value}"] = key.start_mark.line + 1
        found |= _lines(value, f"{before}{key.value}.")
    return found
