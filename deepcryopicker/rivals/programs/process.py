"""Find an installed program, run it to its end, and never leave it behind."""

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

_LOOK_EVERY = 0.2  # seconds
_PATIENCE = 10.0  # seconds that a program has to end when it is told to


@dataclass(frozen=True)
class Program:
    """A program that somebody else wrote.

    Attributes
    ----------
    name : str
        For people.
    executable : Path
    environment : dict
        Variables that it is given on top of those of this process.
    """

    name: str
    executable: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    def version(self) -> str:
        """Ask the program for its version; ``?`` where it does not tell."""
        answer = subprocess.run(
            [self.executable, "--version"], capture_output=True, text=True, check=False
        )
        found = re.search(r"\d+(\.\d+)+", answer.stdout + answer.stderr)
        return found.group() if found else "?"


def find_program(
    name: str, command: str, hint: str, places: Sequence[Path] = (), **environment: str
) -> Program:
    """Find a program in given places, else on the PATH.

    Parameters
    ----------
    name : str
        For people.
    command : str
        As one types it.
    hint : str
        How to install it.
    places : sequence of Path
        Folders to look in before the PATH.
    **environment : str
        Variables for the program.

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
    description: str,
    total: int,
    count: Callable[[], int],
) -> None:
    """Run a program to its end; where this one is stopped, the program is too.

    Parameters
    ----------
    program : Program
    arguments : sequence of str
    folder : Path
        Where it runs.
    log : str
        File in `folder` for what it prints; the command is its first line.
    description : str
        Of the progress bar.
    total : int
        Results that are expected.
    count : callable
        Returns how many results there are by now.

    Raises
    ------
    NothingUsableError
        If it ends with another code than 0.
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
            start_new_session=True,  # with its own children, so that all can be ended together
        )
        try:
            for done in track(range(total), description):
                while process.poll() is None and count() <= done:
                    time.sleep(_LOOK_EVERY)
            code = process.wait()
        finally:
            _end(process)
    if code:
        raise NothingUsableError(
            f"{Path(command[0]).name} ended with code {code}: {_last_words(folder / log)}\n"
            f"see {folder / log}"
        )


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a program and all that it has started, gently at first."""
    for how, patience in ((signal.SIGTERM, _PATIENCE), (signal.SIGKILL, None)):
        if process.poll() is not None:
            return
        os.killpg(process.pid, how)
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            continue


def _last_words(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").replace("\r", "\n").splitlines()
    said = [line.strip() for line in lines[1:] if line.strip()]
    return said[-1][:200] if said else "it printed nothing"
