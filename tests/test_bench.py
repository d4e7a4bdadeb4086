"""What the benchmarks compute from measurements; that they run is seen by `make bench`."""

import io
import os
import subprocess
import sys
from pathlib import Path

import costs
import endurance
import gpu
import numpy as np
import programs
import pytest
import reference
import results
import rivals
from costs import Cost, ProgramError, Usage, in_sequence, split_startup
from endurance import Sample, fifth
from inputs import Inputs, link_copies
from rich.console import Console
from scan import share_of_equal_picks
from scipy import ndimage
from start import Snapshot

from deepcryopicker.dataset.listing import list_micrographs
from deepcryopicker.io.coordinates.candidate_csv import write_csv
from deepcryopicker.types import Picks

BENCH = Path(costs.__file__).parent
INPUTS = Inputs([Path("a.mrc")], "test", 108.0, 1.77)


def test_a_line_through_two_runs_parts_the_start_from_a_micrograph():
    cost = split_startup(Usage(5.5, 4.25, 300.0), Usage(15.0, 9.0, 320.0), 20)
    assert cost == Cost(20, 5.0, 4.0, 0.5, 0.25, 320.0)


def test_picks_of_two_devices_are_compared_by_micrograph(tmp_path):
    for device, moved in (("cpu", 0.0), ("cuda", 3.0)):
        for name, shift in (("a", 0.0), ("b", moved)):
            x = np.array([10.0, 50.0, 90.0 + shift, 130.0])
            picks = Picks.create(x, x, [0.9, 0.8, 0.7, 0.1])
            write_csv(tmp_path / device / "picks" / f"{name}.csv", picks)
    assert gpu.equal_picks(tmp_path / "cpu", tmp_path / "cuda", within=5.0) == 1.0
    assert gpu.equal_picks(tmp_path / "cpu", tmp_path / "cuda", within=1.0) == pytest.approx(2 / 3)


def test_noise_makes_no_cost_negative():
    cost = split_startup(Usage(3.0, 1.0, 1.0), Usage(2.0, 4.0, 1.0), 3)
    assert (cost.startup, cost.wall) == (3.0, 0.0)
    assert (cost.startup_cpu, cost.cpu) == (0.0, 1.5)


def test_steps_in_sequence_add_up_but_their_memory_does_not():
    steps = [Cost(3, 1.0, 0.5, 2.0, 1.5, 800.0), Cost(3, 4.0, 3.0, 10.0, 9.0, 2800.0)]
    assert in_sequence(steps) == Cost(3, 5.0, 3.5, 12.0, 10.5, 2800.0)


def test_processor_time_and_memory_of_children_are_counted(tmp_path):
    work = "import time; a = bytearray(2**28)\nwhile time.process_time() < 0.3: pass"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {work!r}])"
    usage = costs.run([sys.executable, "-c", code], tmp_path, tmp_path / "log")
    assert 0.3 <= usage.cpu < 3.0
    assert usage.wall >= 0.3
    assert usage.peak >= 256


def test_a_failed_program_is_reported_with_its_last_line(tmp_path):
    command = [sys.executable, "-c", "print('so'); raise SystemExit('no such thing')"]
    with pytest.raises(ProgramError, match="ended with code 1: no such thing"):
        costs.run(command, tmp_path, tmp_path / "log")


def test_a_program_that_is_not_installed_is_one_line_and_empty_rows(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("shutil.which", lambda name: None)
    found = rivals.rows(programs.relion(INPUTS, tmp_path / "r.mrcs"), INPUTS, 3, tmp_path)
    assert found == [results.Row("RELION LoG", "", None), results.Row("RELION template", "", None)]
    assert "".join(capsys.readouterr().out.split("\n")).count("RELION is not installed") == 1


def test_table_and_csv_have_ratios_to_the_first_row_and_gaps_for_what_is_missing():
    rows = [
        results.Row("ours", "0.1", Cost(20, 5.0, 4.0, 0.9, 0.8, 900.4)),
        results.Row("theirs", "3.1.3", Cost(3, 0.5, 0.4, 25.0, 20.0, 950.0)),
        results.Row("absent", "", None),
    ]
    cells = results.formatted(rows)
    assert all(len(row) == len(results.COLUMNS) == len(results.HEADINGS) for row in cells)
    assert cells[0] == ("ours", "0.1", "20", "5.0", "4.0", "0.90", "0.80", "900", "1.0")
    assert cells[1][-1] == "25.0"
    assert cells[2] == ("absent", *[""] * 8)
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(results.table("costs", rows))
    assert console.export_text().splitlines()[-2].split("│")[3].strip() == "-"


def test_lengths_go_to_each_program_in_its_own_unit(tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: f"/bin/{name}")
    blobs, template = programs.relion(INPUTS, tmp_path / "r.mrcs")
    command = blobs.command([Path("3/a.mrc")], "out")
    assert command[command.index("--LoG_diam_min") + 1] == "120"  # Angstrom
    assert command[command.index("--LoG_diam_max") + 1] == "161"
    command = template.command([Path("3/a.mrc")], "out")
    assert command[command.index("--particle_diameter") + 1] == "191"
    command = programs.topaz(INPUTS)[1].command([Path("3/a.mrc"), Path("3/b.mrc")], "out")
    assert command[command.index("--radius") + 1] == "14"  # pixels after scaling
    assert command[-2:] == ["topaz-2/a.mrc", "topaz-2/b.mrc"]


def test_rotational_average_of_a_round_image_is_that_image_and_of_another_its_ring_means():
    rows, columns = np.mgrid[:65, :65] - 32
    ring = np.rint(np.hypot(rows, columns)).astype(int)
    np.testing.assert_allclose(reference.rotational_average(ring**2.0), ring**2.0)
    noise = np.random.default_rng(0).normal(size=(65, 65))
    expected = ndimage.mean(noise, ring, np.arange(ring.max() + 1))[ring]
    np.testing.assert_allclose(reference.rotational_average(noise), expected, atol=1e-12)


def test_mean_window_has_the_pick_in_relions_middle_and_leaves_out_what_is_cut():
    image = np.zeros((40, 50), np.float32)
    image[20, 30] = image[10, 12] = 1
    window = reference.mean_window(image, np.array([30.2, 11.8, 1.0]), np.array([19.9, 10, 1]), 16)
    assert window.shape == (16, 16)
    assert window[8, 8] == 1
    assert window.sum() == 1


def test_copies_alternate_and_are_all_picked(tmp_path):
    files = [tmp_path / name for name in ("a.mrc", "b.mrc")]
    for file in files:
        file.write_text(file.name)
    links = link_copies(files, tmp_path / "all", 3)
    assert [link.read_text() for link in links] == ["a.mrc", "b.mrc", "a.mrc"]
    assert [path for _, path in list_micrographs(str(tmp_path / "all")).micrographs] == links


def test_fifths_of_a_run_leave_out_its_start():
    start = [Sample(second, 50.0, 0) for second in range(10)]
    # Two a second at first, one a second from the 100th on; a MiB more for each.
    steady = [Sample(10 + second, 500.0 + 2 * second, 1 + 2 * second) for second in range(50)]
    slower = [Sample(60 + second, 600.0 + second, 101 + second) for second in range(100)]
    samples = [*start, *steady, *slower]
    first, last = fifth(samples, 0, 200), fifth(samples, 4, 200)
    assert first.throughput == 2.0
    assert last.throughput == 1.0
    assert first.median == pytest.approx(520, abs=2)
    assert last.largest == 699


def test_too_short_a_run_has_no_fifths():
    with pytest.raises(ValueError, match="give more micrographs"):
        fifth([Sample(0, 1, 0), Sample(1, 1, 5)], 0, 5)


def test_resident_memory_is_read_from_status_and_is_none_after_the_end():
    status = "Name:\tpython\nVmHWM:\t  9000 kB\nVmRSS:\t  2048 kB\nThreads:\t1\n"
    assert endurance.resident(status) == 2.0
    assert endurance.resident("Name:\tpython\nState:\tZ (zombie)\n") == 0.0


def test_extra_memory_sees_what_is_freed_again():
    """In a process of its own: others may keep what they have freed."""
    code = (
        "import numpy; from timing import extra_memory; "
        "print(extra_memory(lambda: numpy.ones(2**23)))"  # 64 MiB
    )
    answer = subprocess.check_output([sys.executable, "-c", code], cwd=BENCH, text=True)
    assert 60 < float(answer) < 100


def test_picks_of_two_scans_are_equal_within_a_distance_seen_from_either():
    one = Picks.create([0.0, 10.0, 20.0, 30.0], [5.0, 5.0, 5.0, 5.0])
    other = Picks.create([1.0, 10.0, 24.0], [5.0, 7.0, 5.0])
    assert share_of_equal_picks(one, one, 0.0) == 1.0
    assert share_of_equal_picks(one, other, 2.0) == share_of_equal_picks(other, one, 2.0) == 4 / 7
    assert share_of_equal_picks(one, Picks.empty(), 2.0) == 0.0
    assert share_of_equal_picks(Picks.empty(), Picks.empty(), 2.0) == 1.0


def test_lines_are_counted_of_the_package_alone():
    files = {
        "deepcryopicker.io.streams": costs.__file__,
        "deepcryopicker.io": None,
        "os": os.__file__,
    }
    seen = Snapshot(1.0, files)
    assert list(seen.ours()) == ["deepcryopicker.io.streams"]
    assert seen.lines() == len(Path(costs.__file__).read_text().splitlines())
    assert seen.libraries() == {"deepcryopicker": 2, "os": 1}
