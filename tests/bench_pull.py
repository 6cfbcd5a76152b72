"""How long a full pull of 400 students takes, against the least that its calls can take: calls x answer time / 4.

The Moodle is a process of its own on this machine, which answers as a real one was recorded to, after a pause.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(1, str(Path(__file__).parent.parent))
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.null.Keyring"

from moodle_server import SESSION, TOKEN, running

from loaders import pull, ways

DELAY_S = 0.12  # what a real Moodle 4.5 took to answer for one student's completion
STUDENTS = 400


def serve(pipe) -> None:
    """Run the Moodle until told to stop, then say how many requests came."""
    with running(students=STUDENTS, delay_s=DELAY_S, lines=None) as server:
        pipe.send(server.course_url)
        while pipe.recv() != "stop":
            pipe.send(len(server.requests))


def timed(folder: Path, url: str, pipe, said: str) -> None:
    """One pull, and its measure."""
    pipe.send("count")
    before, started = pipe.recv(), time.monotonic()
    secrets = ways.Secrets(token=TOKEN, session_cookie=SESSION)
    status = pull.pull(folder / "moodle.db", [url], folder / "private", secrets)
    took = time.monotonic() - started
    pipe.send("count")
    calls = pipe.recv() - before
    least = calls * DELAY_S / 4
    sys.stdout.write(f"{said}: {calls} calls in {took:.1f} s, {took / least:.2f} x the least; {status}\n")


def main() -> None:
    """First everything, then what is new."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs,), daemon=True)
    process.start()
    url = ours.recv()
    with tempfile.TemporaryDirectory() as folder:
        timed(Path(folder), url, ours, "first pull")
        timed(Path(folder), url, ours, "second pull")
    ours.send("stop")
    process.join(10)


if __name__ == "__main__":
    main()
