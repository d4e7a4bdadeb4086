"""Commands that the page starts, one at a time, with the last line that they print."""

import subprocess
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock, Thread
from typing import Any

_LINES = 12


class Jobs:
    """Runs commands of this program as processes of their own.

    Parameters
    ----------
    commands : mapping
        From a name to the arguments after ``python -m``.
    folder : Path
        Working folder of the commands.
    """

    def __init__(self, commands: Mapping[str, Sequence[str]], folder: Path) -> None:
        self._commands, self._folder = commands, folder
        self._lock = Lock()
        self._process: subprocess.Popen[str] | None = None
        self._lines: deque[str] = deque(maxlen=_LINES)
        self._name = ""

    def start(self, name: str) -> bool:
        """Start a command; False if it is unknown, or another one is running."""
        with self._lock:
            if name not in self._commands or self._is_running():
                return False
            self._lines.clear()
            self._name = name
            self._process = subprocess.Popen(
                [sys.executable, "-m", *self._commands[name]],
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
            )
            Thread(target=self._follow, args=(self._process,), daemon=True).start()
            return True

    def state(self) -> dict[str, Any]:
        """Return the name, whether it is running, the exit code and the last lines."""
        with self._lock:
            process = self._process
            code = None if process is None else process.poll()
            return {
                "name": self._name,
                "running": self._is_running(),
                "code": code,
                "lines": list(self._lines),
            }

    def stop(self) -> None:
        """End the running command."""
        with self._lock:
            if self._process is not None and self._is_running():
                self._process.terminate()

    def _is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def _follow(self, process: "subprocess.Popen[str]") -> None:
        with process:  # waits, and closes the pipe
            for line in process.stdout or ():
                text = line.strip()
                if text and "─" not in text and "  " not in text:  # tables say little in a line
                    self._lines.append(text)
