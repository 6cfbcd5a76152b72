"""A letter to each of some students, with their names filled in: to copy, or to open in a mail program.

Nothing is sent from here. Whatever stands in a name or an address, a link leads to that one address and has no more
headers than its subject.
"""

from __future__ import annotations

import re
from urllib.parse import quote

# One address, as it may stand in a list: nothing that a mail program would take for two, or for a name and an address.
ADDRESS = re.compile(r"[^\s@,;:<>()\[\]\\\"]+@[^\s@,;:<>()\[\]\\\"]+")
PLACE = re.compile(r"\{([^{}\n]{1,40})\}")
WORDS = ("first name", "last name", "name")
MOST_LETTERS, MOST_CHARACTERS, MOST_OF_SUBJECT = 500, 10_000, 200
LONGEST_LINK = 2000  # characters; Windows hands a mail program hardly more
ODD, NONE = "with an address that mail programs would misread", "without an address"


def is_address(email: str | None) -> bool:
    """Whether a letter can go there."""
    return bool(email) and email.isprintable() and bool(ADDRESS.fullmatch(email))


def reached(people: list[dict]) -> tuple[list[str], dict[str, list[str]]]:
    """(addresses, each once; whom none reaches: why -> names)."""
    left_out: dict[str, list[str]] = {}
    for row in people:
        if not is_address(row["email"]):
            left_out.setdefault(ODD if row["email"] else NONE, []).append(row["fullname"] or "(no name)")
    return list(dict.fromkeys(row["email"] for row in people if is_address(row["email"]))), left_out


def written(people: list[dict], subject: str, text: str) -> list[dict]:
    """A letter to each whom one reaches: `fullname`, `email`, `subject`, `text`, `href` and `is_whole`.

    `href` opens it in a mail program; with `is_whole` False only its address and subject, as the text is too long.
    """
    return [letter(row, subject, text) for row in people if is_address(row["email"])]


def letter(person: dict, subject: str, text: str) -> dict:
    """One of `written`."""
    subject = line(filled(line(subject), person))
    text = filled("\n".join(text.splitlines()), person)
    whole = mailto(person["email"], subject=subject, body=text)
    is_whole = len(whole) <= LONGEST_LINK
    href = whole if is_whole else mailto(person["email"], subject=subject[:MOST_OF_SUBJECT])
    return {**person, "subject": subject, "text": text, "href": href, "is_whole": is_whole}


def filled(text: str, person: dict) -> str:
    """Text with {first name}, {last name} and {name} filled in, once: what a name says is not filled in again."""
    full = line(person["fullname"] or " ".join(filter(None, (person["firstname"], person["lastname"]))))
    names = {
        "first name": line(person["firstname"]) or full,
        "last name": line(person["lastname"]) or full,
        "name": full,
    }
    return PLACE.sub(lambda match: names.get(match[1].strip().lower(), match[0]), text)


def unknown(*texts: str) -> list[str]:
    """What stands in braces and is not filled in."""
    return list(
        dict.fromkeys(m[0] for text in texts for m in PLACE.finditer(text) if m[1].strip().lower() not in WORDS)
    )


def line(text: str | None) -> str:
    """Text in one line, of what can be printed."""
    return " ".join("".join(char if char.isprintable() else " " for char in text or "").split())


def mailto(email: str, **fields: str) -> str:
    """A link to one address; line ends as mail has them."""
    asked = "&".join(
        f"{name}={quote(value.replace(chr(10), chr(13) + chr(10)), safe='')}" for name, value in fields.items()
    )
    return f"mailto:{quote(email, safe='@')}?{asked}"
