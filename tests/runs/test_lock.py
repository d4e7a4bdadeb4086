"""One run at a time in a folder."""

import os
import subprocess
import sys

import pytest

from deepcryopicker.errors import UsageError
from deepcryopicker.runs.lock import alone_in

HOLD = """
import sys
from pathlib import Path
from deepcryopicker.runs.lock import alone_in
with alone_in(Path(sys.argv[1])):
    print("in", flush=True)
    sys.stdin.read()
"""


def test_a_second_run_is_refused_until_the_first_ends(tmp_path):
    folder = tmp_path / "new"
    with alone_in(folder):
        refusal = r"another run is using .*\n.*hydra\.run\.dir"
        with pytest.raises(UsageError, match=refusal), alone_in(folder):
            pass
        assert folder.is_dir()
    with alone_in(folder):
        pass
    assert list(folder.iterdir()) == []


def test_a_killed_run_holds_nothing(tmp_path):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout.readline() == "in\n"
    with pytest.raises(UsageError), alone_in(tmp_path):
        pass
    os.kill(holder.pid, 9)
    holder.communicate()
    with alone_in(tmp_path):
        pass
