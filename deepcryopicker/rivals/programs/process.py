"""Find an installed program and run it; it is stopped if this process is."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from deepcryopicker.errors import MissingProgramError, NothingUsableError
from deepcryopicker.io.console import track

_POLL_SECONDS = 0.2
_PATIENCE = 10.0  # seconds between SIGTERM and SIGKILL


@dataclass(frozen=True)
class Program:
    """An external program.

    Attributes
    ----------
    name : str
        Name in messages.
    executable : Path
    environment : dict
        Environment variables in addition to those of this process.
    """

    name: str
    executable: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    def version(self) -> str:
        """Ask the program for its version; ``?`` if it does not print one."""
        answer = subprocess.run(
            [self.executable, "--version"], capture_output=True, text=True, check=False
        )
        found = re.search(r"\d+(\.\d+)+", answer.stdout + answer.stderr)
        return found.group() if found else "?"


def find_program(
    name: str, command: str, hint: str, places: Sequence[Path] = (), **environment: str
) -> Program:
    """Find a program in given folders, else on the PATH.

    Parameters
    ----------
    name : str
        Name in messages.
    command : str
        Name of the executable.
    hint : str
        How to install it.
    places : sequence of Path
        Folders to search before the PATH.
    **environment : str
        Environment variables of the program.

    Raises
    ------
    MissingProgramError
    """
    nearby = [place / command for place in places if (place / command).is_file()]
    found = str(nearby[0]) if nearby else shutil.which(command)
    if found is None:
        raise MissingProgramError(f"{name} is not installed: no {command} on the PATH\n{hint}")
    return Program(name, Path(found), environment)


def run_program(
    program: Program,
    arguments: Sequence[str],
    folder: Path,
    log: str,
    progress: tuple[str, str],
    total: int,
    count: Callable[[], int],
) -> None:
    """Run a program to its end; it is stopped if this process is interrupted.

    Parameters
    ----------
    program : Program
    arguments : sequence of str
    folder : Path
        Its working directory.
    log : str
        File in `folder` for its output, after the command as the first line.
    progress : (str, str)
        Description and unit for :func:`deepcryopicker.io.console.track`.
    total : int
        Expected number of results.
    count : callable
        Returns the current number of results.

    Raises
    ------
    NothingUsableError
        If its exit code is not 0.
    """
    command = [str(program.executable), *arguments]
    with (folder / log).open("w+b") as output:
        output.write(f"$ {shlex.join(command)}\n".encode())
        output.flush()
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **program.environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a process group, so that its children are ended with it
        )
        try:
            for done in track(range(total), *progress):
                while process.poll() is None and count() <= done:
                    time.sleep(_POLL_SECONDS)
            code = process.wait()
        finally:
            _end(process)
    if code:
        raise NothingUsableError(
            f"{Path(command[0]).name} failed with exit code {code}: {_last_line(folder / log)}\n"
            f"see {folder / log}"
        )


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a program and its children, by SIGTERM first and SIGKILL if needed."""
    for how, patience in ((signal.SIGTERM, _PATIENCE), (signal.SIGKILL, None)):
        if process.poll() is not None:
            return
        os.killpg(process.pid, how)
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            continue


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").replace("\r", "\n").splitlines()
    printed = [line.strip() for line in lines[1:] if line.strip()]
    return printed[-1][:200] if printed else "no output"
