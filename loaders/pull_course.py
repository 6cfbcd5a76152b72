"""One course, pulled: parts are fetched side by side, and each is loaded as soon as it is whole."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from loaders.load_claims import Outcome
from loaders.moodle import Moodle
from loaders.moodle_errors import MoodleError, NotAllowed
from loaders.moodle_session import Viewer
from loaders.pull_files import Ask, PartFile, folder_of
from loaders.pull_parts import learners
from loaders.pull_store import Store

AGAIN_S = 7 * 24 * 3600  # an answer older than this is asked for again, whatever else says that it did not change
ODD = (AttributeError, IndexError, KeyError, OverflowError, TypeError, ValueError)
NOT_UNDERSTOOD = "Moodle's answer is not as it should be; what is stored of it stays"
MARGIN_S = 300  # clocks differ, and Moodle notes an access once a minute at most


class CoursePull:
    """A course while it is pulled: what is known of it so far, its files, and what was refused."""

    def __init__(self, moodle: Moodle, store: Store, private: Path, site: str, course: int, whole: bool = False):
        self.moodle, self.store, self.site, self.course, self.whole = moodle, store, site, course, whole
        self.folder = folder_of(private, site, course)
        self.modules: list[dict] = []
        self.people: dict[int, dict] = {}
        self.graded: dict[tuple[str | None, int, int], int] = {}
        self.known_modules, self.known_people, self.known_grades = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.log_is_in, self.log_read = asyncio.Event(), asyncio.Event()
        self.viewer: Viewer | None = None  # whose session it is
        self.functions: set[str] | None = None  # what the token's service offers; None: not known
        self.refused: dict[str, str] = {}  # function or report -> the sentence, said once
        self.errors: list[str] = []
        self.outcomes: list[Outcome] = []
        self.planned: Callable[[int], None] = lambda calls: None
        self.done: Callable[[int], None] = lambda calls: None
        self._reader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="loader")  # sqlite stays on one thread

    def offers(self, function: str) -> bool:
        """Whether the token's service has this function."""
        return self.functions is None or function in self.functions

    def instances(self, kind: str) -> list[int]:
        """Moodle's ids of all activities of one kind."""
        return sorted({int(m["instance"]) for m in self.modules if m["modname"] == kind and m.get("instance")})

    async def after(self, *known: asyncio.Event) -> None:
        """Wait for what a part builds on (known, or known not to come)."""
        for event in known:
            await event.wait()

    def part(self, name: str, known: asyncio.Event | None = None) -> Part:
        """The part `name`, to be used with `async with`; `known` is set when it ends, however it ends."""
        return Part(self, name, known)

    async def in_reader(self, work: Callable, *values: Any) -> Any:
        """Run on the one thread that has the database."""
        return await asyncio.get_running_loop().run_in_executor(self._reader, work, *values)

    async def take(self, path: Path, source: str) -> None:
        """Load a fetched file; it goes when it is in, and stays for the next time when it could not be."""
        self.outcomes.append(await self.in_reader(self.store.take, path, source))

    # -- what may have changed

    def touched(self, user: int, since: float) -> bool:
        """Whether this student did anything, or had anything done, since `since`."""
        since -= MARGIN_S
        last = max(self.people.get(user, {}).get("lastcourseaccess") or 0, self.store.last_event.get(user, 0))
        graded = max((at for (*_, who), at in self.graded.items() if who == user), default=0)
        return max(last, graded) >= since

    def discussed(self, discussion: int, since: float) -> bool:
        """Whether the log has a post of this discussion written, changed or deleted since `since`."""
        return self.store.last_written.get(discussion, 0) >= since - MARGIN_S

    def tried(self, quiz: int) -> list[int]:
        """Who has an attempt at this quiz, as grades and log tell; everybody where there is no log."""
        everyone = learners(self.people)
        if not self.store.last_event:  # no log: grades tell nothing of attempts under way or not marked yet
            return everyone
        cmid = next((int(m["id"]) for m in self.modules if m["modname"] == "quiz" and m.get("instance") == quiz), None)
        logged = self.store.tried.get(cmid, set())
        return [user for user in everyone if user in logged or ("quiz", quiz, user) in self.graded]


class Part:
    """One part while it is asked for; leaving it loads what came."""

    def __init__(self, pull: CoursePull, name: str, known: asyncio.Event | None):
        self.pull, self.name, self.known = pull, name, known
        self.asked: set[str] = set()
        self.missing: set[str] = set()  # refused: what is stored of them stays
        self.keys: list[str] | None = None
        self.before: dict[str, tuple[float, dict | None]] = {}
        self.stored: dict[str, tuple[float, dict | None]] = {}

    async def __aenter__(self) -> Part:
        self.file = PartFile(self.pull.folder, self.name, self.pull.site, self.pull.course)
        self.stored = await self.pull.in_reader(self.pull.store.known, self.name)
        self.before = {} if self.pull.whole else self.stored
        return self

    async def __aexit__(self, kind, error, trace) -> bool:
        try:
            if error is None and self.asked - self.missing | set(self.keys or ()):
                path = self.file.finish(self.asked - self.missing, self._valid())
                await self.pull.take(path, self.name)
                await self.pull.in_reader(self.pull.store.note_pulled, self.name, self.file.started)
            else:
                self.file.close()
        finally:
            if self.known:
                self.known.set()
        sentence = _sentence(error)
        if isinstance(error, ODD) or (isinstance(error, BaseExceptionGroup) and sentence == NOT_UNDERSTOOD):
            self.file.growing.unlink(missing_ok=True)  # else the odd answer would come again with the next pull
        if sentence:
            self.pull.errors.append(f"{self.name}: {sentence}")
        return sentence is not None

    def _valid(self) -> list[str] | None:
        if self.keys is None and not self.missing:
            return None
        functions = {key.partition("?")[0] for key in self.missing}
        refused = {key for key in self.stored if key.partition("?")[0] in functions}
        return sorted(self.asked | refused | set(self.keys or ()))

    def stale(self, ask: Ask, touched: Callable[[float], bool]) -> bool:
        """Whether to ask again: never asked, long ago, of another mark, or `touched` since then."""
        at, mark = self.before.get(ask.key, (None, None))
        return at is None or mark != ask.mark or at < time.time() - AGAIN_S or touched(at)

    async def ask(self, ask: Ask, keep: Callable[[Any], Any] | None = None) -> Any | None:
        """Moodle's answer, now or from a pull that was stopped; None where it is refused (which is said once)."""
        self.asked.add(ask.key)
        if (answer := self.file.had(ask)) is not None:
            return answer
        self.pull.planned(1)
        try:
            if not self.pull.offers(ask.function):
                raise NotAllowed(f"the token's service does not offer {ask.function}")
            answer = await self.pull.moodle.call(ask.function, **ask.parameters)
        except NotAllowed as error:
            self.pull.refused.setdefault(ask.function, f"{self.name}: {error}")
            self.missing.add(ask.key)
            return None
        finally:
            self.pull.done(1)
        answer = keep(answer) if keep else answer
        self.file.add(ask, answer)
        return answer

    async def ask_all(self, asks: list[Ask], keys: list[str] | None = None, keep: Callable | None = None) -> list[Any]:
        """The answers to several calls that do not need one another; those refused are left out.

        `keys`: of all answers of this part that are still good, where not all were asked for.
        """
        self.keys = keys if keys is not None else self.keys
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self.ask(ask, keep)) for ask in asks]
        return [task.result() for task in tasks if task.result() is not None]


def _sentence(error: BaseException | None) -> str | None:
    """The sentence of what Moodle did wrong; None for anything else, which is not ours to hide."""
    if isinstance(error, BaseExceptionGroup):
        sentences = [_sentence(one) for one in error.exceptions]
        return sentences[0] if all(sentences) else None
    if isinstance(error, ODD):
        return NOT_UNDERSTOOD
    return str(error) if isinstance(error, MoodleError) else None
