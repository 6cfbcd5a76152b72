"""The process that draws charts, and what asks it.

vl-convert lets nobody else run in its process while it draws (60 ms, longer for large charts), takes 100 MB, and half a
second to start. So it has a process of its own, which ends with the one that started it, however that ends: each line
of its input is {"svg": specification} or {"scene": specification}, each line of its output the same with what was asked
for, or {"error": ...}.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from typing import Any

PATIENCE_S = 20
# -P: modules beside this file are no part of the standard library.
COMMAND = [sys.executable, "-P", __file__]
STOPPED = "the process that draws charts has stopped"


class Drawer:
    """Draws one chart at a time; starts its process when there is something to draw, and again after it stopped."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen | None = None

    def svg(self, spec: dict) -> str:
        """A Vega-Lite or Vega specification as SVG; ValueError where that fails. Waits, so not for the event loop."""
        return self._asked("svg", spec)

    def scene(self, spec: dict) -> dict:
        """Where the marks of a Vega specification stand, as Vega's scenegraph; likewise."""
        return self._asked("scene", spec)

    def _asked(self, what: str, spec: dict) -> Any:
        with self._lock:
            process = self._running()
            # Whatever takes so long would keep all charts waiting; reading from it then ends.
            alarm = threading.Timer(PATIENCE_S, process.kill)
            alarm.start()
            try:
                process.stdin.write(json.dumps({what: spec}).encode() + b"\n")
                process.stdin.flush()
                line = process.stdout.readline()
            except OSError:
                line = b""
            finally:
                alarm.cancel()
            if not line:
                self._stop()
        answer = json.loads(line) if line else {"error": STOPPED}
        if what not in answer:
            raise ValueError(answer["error"])
        return answer[what]

    def is_running(self) -> bool:
        """Whether the process has been started, and has not stopped."""
        return self._process is not None and self._process.poll() is None

    def close(self) -> None:
        """End the process; it starts again for the next chart."""
        with self._lock:
            self._stop()

    def _running(self) -> subprocess.Popen:
        if not self.is_running():
            self._stop()
            pipe, nowhere = subprocess.PIPE, subprocess.DEVNULL
            self._process = subprocess.Popen(COMMAND, stdin=pipe, stdout=pipe, stderr=nowhere)
            atexit.register(self.close)
        return self._process

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process:
            process.kill()
            with contextlib.suppress(OSError):
                process.communicate()
            atexit.unregister(self.close)


DRAWER = Drawer()  # one for all instances in a process


def draw() -> None:
    """What the process does: a line of output for each of its input, until that ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, whose end ends this
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a library prints is no answer
    for line in sys.stdin:
        print(json.dumps(_answer(json.loads(line))), file=answers, flush=True)


def _answer(asked: dict) -> dict:
    try:
        import vl_convert

        [(what, spec)] = asked.items()
        schema = spec.get("$schema", "")
        if what == "scene":
            return {what: vl_convert.vega_to_scenegraph(spec, allowed_base_urls=[])["scenegraph"]}
        convert = vl_convert.vega_to_svg if "/vega/" in schema else vl_convert.vegalite_to_svg
        return {what: convert(spec, allowed_base_urls=[])}
    except Exception as error:  # of a library, or that there is none: whoever asked has the page to give
        return {"error": f"{type(error).__name__}: {error}"[:500]}


if __name__ == "__main__":
    draw()
