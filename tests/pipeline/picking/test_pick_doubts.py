"""What is said of the picks of a run, in one line for each kind of doubt."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from deepcryopicker.dataset.catalogue import Entry
from deepcryopicker.io.coordinates.candidate_csv import write_csv
from deepcryopicker.picker.folder.assessment import DOUBTFUL, FOUND, NOTHING
from deepcryopicker.pipeline.picking.pick_doubts import (
    crowded_doubt,
    far_names,
    few_doubt,
    pixel_sizes_doubt,
    report_verdicts,
    warn_of_picks,
)
from deepcryopicker.pipeline.scoring.picked import Picked
from deepcryopicker.runs.folder import Run
from deepcryopicker.runs.manifest import Record
from deepcryopicker.types import Picks

SIDE, DIAMETER = 1000, 50.0


def picked(name, count, pixel_size=None, path=Path("none.csv"), **options):
    entry = Entry(name, Path(f"{name}.mrc"), "g", DIAMETER, **options)
    record = Record(
        name=name,
        path=f"{name}.mrc",
        size=1,
        modified=1,
        made_by="",
        height=SIDE,
        width=SIDE,
        diameter=DIAMETER,
        pixel_size=pixel_size,
        snr=None,
        picks=count,
        candidates=count,
    )
    return Picked(entry, record, path, Path("none.csv"))


def all_of(counts):
    return [picked(f"m{index}", count) for index, count in enumerate(counts)]


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ([90, 110, 100], None),
        (
            [0, 1, 2, 0],
            "3 picks on 4 micrographs (m0: 0 picks, m1: 1 pick, m2: 2 picks and 1 other), "
            "which cover 0.1%",
        ),
        ([1], "1 pick on 1 micrograph (m0: 1 pick)"),
        (
            [0, 0, 0, 90, 110],
            "no picks on 3 of 5 micrographs (m0: 0 picks, m1: 0 picks, m2: 0 picks)",
        ),
        (
            [90, 0, 110, 100, 3],
            "2 of 5 micrographs are far from the median of 90 picks (m1: 0 picks, m4: 3 picks)",
        ),
    ],
)
def test_few_picks_are_named_with_their_micrographs(counts, said):
    text = few_doubt(all_of(counts), 0.5)
    assert text is None if said is None else said in text and "\n" not in text


def test_micrographs_are_compared_within_their_group():
    others = [picked(f"o{index}", 5) for index in range(5)]
    members = [
        Picked(Entry(one.entry.name, one.path, "h"), one.record, one.path, one.path)
        for one in others
    ]
    assert far_names([*all_of([90, 110, 100, 0]), *members]) == {"m3"}


@pytest.mark.parametrize(("step", "doubted"), [(0.7, True), (0.8, False)])
def test_picks_that_touch_are_doubted(tmp_path, step, doubted):
    x, y = np.meshgrid(np.arange(8.0), np.arange(8.0))
    every = Picks.create(step * DIAMETER * x.ravel(), step * DIAMETER * y.ravel())
    weak = Picks.create(every.x + 5, every.y, 0.1)
    write_csv(tmp_path / "m.csv", every.joined(weak))
    text = crowded_doubt([picked("m", 64, path=tmp_path / "m.csv"), picked("n", 0)], 0.5)
    assert (text is not None) == doubted
    if text is not None:
        assert text.startswith(
            "100% of the picks are closer than 0.75 diameters to another (m: 64 picks)"
        )


@pytest.mark.parametrize(
    ("sizes", "options", "doubted"),
    [
        ([2.0, 2.0, 4.0], {}, True),
        ([2.0, 2.01], {}, False),
        ([2.0, None], {}, False),
        ([2.0, 4.0], {"diameter_angstrom": 100.0}, False),
    ],
)
def test_one_diameter_in_pixels_at_several_pixel_sizes_is_doubted(sizes, options, doubted):
    text = pixel_sizes_doubt([picked(f"m{i}", 9, size, **options) for i, size in enumerate(sizes)])
    assert (text is not None) == doubted


def test_each_kind_of_doubt_is_one_line_for_a_group(tmp_path, capsys):
    run = Run(tmp_path, None, "run", {})
    for _ in range(2):
        warn_of_picks([picked("m0", 0, 2.0), picked("m1", 1, 3.0)], 0.5, run)
    out = capsys.readouterr().out.splitlines()
    assert len(out) == 2
    assert all(line.startswith("warning: g: ") for line in out)


def verdict(name, averages):
    return {
        "verdict": name,
        "reason": "for a reason",
        "precision": 0.5,
        "recall": 0.25,
        "interval": (9.6, 20.2),
        "averages": None if averages is None else {"classes": 3, "particles": averages},
    }


@pytest.mark.parametrize(
    ("name", "averages", "said"),
    [
        (FOUND, 0.9, "2 picks, expected precision 0.50 and recall 0.25 of 10 to 20 particles"),
        (DOUBTFUL, 0.3, "recall 0.25 of 10 to 20 particles; look at overlays/"),
        (NOTHING, 0.12, "2 picks; if there are particles, check dataset.diameter and dataset."),
        (NOTHING, 0.12, "or type picker.threshold=0.06"),
        (NOTHING, 0.2, "check dataset.diameter and dataset.polarity"),
        (NOTHING, None, "check dataset.diameter and dataset.polarity"),
    ],
)
def test_a_verdict_is_one_line_with_what_to_do(tmp_path, capsys, name, averages, said):
    run = Run(tmp_path, None, "run", {})
    run.verdicts["g"] = verdict(name, averages)
    found = [picked("m0", 1), picked("m1", 1)]
    report_verdicts(found, run, ends_in_doubt=True)
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("warning: " * (name != FOUND) + f"g: {name}: for a reason; ")
    assert said in line
    assert ("threshold" in line) == (averages == 0.12)
    assert run.in_doubt == (name != FOUND)
    warn_of_picks(found, 0.5, run)  # silent about few picks where nothing was found
    assert ("cover" in capsys.readouterr().out) == (name != NOTHING)


def test_doubtful_micrographs_of_a_good_folder_are_named(tmp_path, capsys):
    run = Run(tmp_path, None, "run", {})
    run.verdicts["g"] = verdict(FOUND, 0.9)
    found = [replace(picked(f"m{n}", 1), verdict=FOUND) for n in range(3)]
    found.append(replace(picked("odd", 1), verdict=DOUBTFUL))
    report_verdicts(found, run, ends_in_doubt=True)
    _, line = capsys.readouterr().out.splitlines()
    assert line.startswith("warning: g: doubtful on 1 of its micrographs (odd: 1 pick)")
    assert not run.in_doubt
