"""Corrections are saved as a whole, and nobody overwrites another."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from deepcryopicker.errors import UsageError
from deepcryopicker.io.coordinates.corrections import read_corrections
from deepcryopicker.viewing.saved_corrections import ConflictError, SavedCorrections


def corrections(x=1.0):
    one = {"name": "a", "kept": [], "added": [[x, 2.0]], "removed": []}
    return {"deepcryopicker_corrections": 1, "threshold": 0.5, "micrographs": [one]}


def test_what_was_saved_is_read_by_the_page_and_by_training(tmp_path):
    saved = SavedCorrections(tmp_path)
    assert saved.read() == {"saved": 0, "page": None}
    assert saved.save(0, corrections(), {"states": [[0, {}]]}) == 1
    assert SavedCorrections(tmp_path).read() == {"saved": 1, "page": {"states": [[0, {}]]}}
    assert read_corrections(saved.path).by_name["a"].added.x.tolist() == [1.0]


def test_an_earlier_state_does_not_replace_a_later_one(tmp_path):
    one, other = SavedCorrections(tmp_path), SavedCorrections(tmp_path)
    one.save(0, corrections(1.0), None)
    for earlier in (0, 2, -1):
        with pytest.raises(ConflictError):
            other.save(earlier, corrections(9.0), None)
    assert other.save(1, corrections(2.0), None) == 2
    assert read_corrections(one.path).by_name["a"].added.x.tolist() == [2.0]


def test_other_content_is_not_saved(tmp_path):
    saved = SavedCorrections(tmp_path)
    saved.save(0, corrections(), None)
    before = saved.path.read_bytes()
    for content in (None, {}, {"deepcryopicker_corrections": 1}, [1]):
        with pytest.raises(UsageError):
            saved.save(1, content, None)
    assert saved.path.read_bytes() == before
    saved.path.write_text("{")
    with pytest.raises(UsageError, match="is damaged"):
        saved.save(1, corrections(), None)


PROGRAM = """
import sys
from pathlib import Path
from deepcryopicker.viewing.saved_corrections import SavedCorrections

saved = SavedCorrections(Path(sys.argv[1]))
count = saved.read()["saved"]
while True:
    rows = [[float(count), float(i)] for i in range(3000)]
    one = {"name": "a", "kept": rows, "added": [], "removed": []}
    content = {"deepcryopicker_corrections": 1, "micrographs": [one]}
    count = saved.save(count, content, {"count": count})
    print(count, flush=True)
"""


@pytest.mark.parametrize("times", [2, pytest.param(20, marks=pytest.mark.thorough)])
def test_nothing_is_lost_when_it_is_killed_while_saving(tmp_path, times):
    for number in range(times):
        given = [sys.executable, "-c", PROGRAM, str(tmp_path)]
        with subprocess.Popen(given, stdout=subprocess.PIPE, text=True) as program:
            lines = [program.stdout.readline() for _ in range(3)]
            time.sleep(0.003 * number)
            os.kill(program.pid, signal.SIGKILL)
            lines += program.stdout.readlines()
        said = [int(line) for line in lines if line.endswith("\n")][-1]
        found = SavedCorrections(tmp_path).read()
        assert found["saved"] in (said, said + 1)  # saved, but not yet said
        kept = read_corrections(tmp_path / "corrections.json").by_name["a"].kept
        assert set(kept.x) == {found["page"]["count"]}
        assert len(kept) == 3000
        assert json.loads((tmp_path / "corrections.json").read_text())["saved"] == found["saved"]
