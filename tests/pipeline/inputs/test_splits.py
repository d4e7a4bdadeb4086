"""What is held out shares nothing with what may be learnt from."""

from dataclasses import replace

import numpy as np
import pytest

from deepcryopicker.dataset.catalogue import Catalogue, Entry
from deepcryopicker.io.coordinates.candidate_csv import write_csv
from deepcryopicker.pipeline.inputs.splits import hold_out, hold_out_member
from deepcryopicker.runs.folder import Run
from deepcryopicker.types import Picks

DIAMETER = 20.0


@pytest.fixture
def run(tmp_path):
    return Run(tmp_path / "run", None, "run", {"seed": 0})


@pytest.fixture
def catalogue(tmp_path):
    """Build micrographs of 100 x 120 pixels with true particles on a grid, one group a letter."""
    from PIL import Image

    def build(groups, without_truth=()):
        entries = []
        for number, group in enumerate(groups):
            path = tmp_path / f"{group}{number}.png"
            ramp = np.arange(100 * 120, dtype=np.uint16).reshape(100, 120)
            Image.fromarray(ramp).save(path)
            truth = tmp_path / f"{group}{number}.csv"
            x, y = (
                grid.ravel() for grid in np.meshgrid(np.arange(5, 120, 10), np.arange(5, 100, 10))
            )
            write_csv(truth, Picks.create(x, y, label="top", diameter=DIAMETER))
            write_csv(truth.with_suffix(".uncertain.csv"), Picks.create([20.0], [20.0]))
            has = number not in without_truth
            entries.append(Entry(path.stem, path, group, DIAMETER, truth=truth if has else None))
        return Catalogue("all", tuple(entries))

    return build


def names(catalogue):
    return [entry.name for entry in catalogue.entries]


def test_nothing_is_held_out_unless_asked_for(catalogue, run):
    whole = catalogue("aaa")
    assert hold_out(whole, None, 0, run) == (whole, whole)


@pytest.mark.parametrize(
    ("share", "groups", "held"),
    [(0.43, "a" * 14, {"a": 6}), (0.5, "aaabbbb", {"a": 2, "b": 2}), (0.01, "aaa", {"a": 1})],
)
def test_a_share_of_every_group_is_held_out(catalogue, run, share, groups, held):
    whole = catalogue(groups)
    kept, scored = hold_out(whole, share, 0, run)
    assert sorted(names(kept) + names(scored)) == sorted(names(whole))
    for group, count in held.items():
        assert sum(entry.group == group for entry in scored.entries) == count


def test_something_is_always_kept(catalogue, run):
    kept, scored = hold_out(catalogue("aaa"), 0.99, 0, run)
    assert (len(kept.entries), len(scored.entries)) == (1, 2)


def test_the_seed_decides(catalogue, run):
    whole = catalogue("a" * 12)
    held = [tuple(names(hold_out(whole, 0.5, seed, run)[1])) for seed in (0, 0, 1)]
    assert held[0] == held[1] != held[2]


def test_micrographs_without_truth_are_of_no_use(catalogue, run):
    kept, scored = hold_out(catalogue("aaaa", without_truth=[1]), 0.34, 0, run)
    assert len(scored.entries) == 1
    assert len(kept.entries) == 2
    assert "a1" not in names(kept) + names(scored)


def test_few_micrographs_are_cut_into_blocks_a_diameter_apart(catalogue, run, capsys):
    whole = catalogue("a")
    kept, scored = hold_out(whole, 0.5, 0, run)
    assert "a: too few micrographs" in capsys.readouterr().out
    blocks = sorted([*kept.entries, *scored.entries], key=lambda entry: entry.name)
    assert [entry.name for entry in blocks] == [f"a0_block{number}" for number in (1, 2, 3, 4)]
    assert (len(kept.entries), len(scored.entries)) == (2, 2)
    spots = [(e.block.top, e.block.left, e.block.height, e.block.width) for e in blocks]
    assert spots == [(0, 0, 40, 50), (0, 70, 40, 50), (60, 0, 40, 50), (60, 70, 40, 50)]


def test_a_block_has_its_own_pixels_and_particles(catalogue, run):
    whole = catalogue("a")
    image = whole.entries[0].load().image
    truth, _ = whole.entries[0].load_truth()
    kept, scored = hold_out(whole, 0.5, 0, run)
    found = []
    for entry in (*kept.entries, *scored.entries):
        micrograph = entry.load()
        inside, uncertain = entry.load_truth()
        block = entry.block
        corner = image[block.top : block.top + block.height, block.left : block.left + block.width]
        assert np.array_equal(micrograph.image, corner)
        assert micrograph.image.base is None  # the rest of the micrograph can be freed
        # The ramp encodes the position of a pixel in the micrograph.
        x, y = inside.x.astype(int), inside.y.astype(int)
        there = entry.to_micrograph(inside)
        assert (micrograph.image[y, x] == there.y * 120 + there.x).all()
        assert len(uncertain) == (entry.name == "a0_block1")
        assert entry.from_micrograph(there).positions.tolist() == inside.positions.tolist()
        found += there.positions.tolist()
    assert len(found) == len({tuple(place) for place in found})
    gaps = ((truth.x > 49) & (truth.x < 70)) | ((truth.y > 39) & (truth.y < 60))
    assert sorted(found) == sorted(truth.positions[~gaps].tolist())


def test_a_micrograph_that_cannot_be_read_is_noted(catalogue, run):
    whole = catalogue("ab")
    whole.entries[0].path.write_bytes(b"no picture")
    kept, scored = hold_out(whole, 0.5, 0, run)
    assert {entry.group for entry in (*kept.entries, *scored.entries)} == {"b"}
    assert [row["micrograph"] for row in run.failures] == ["a0"]


def test_a_member_is_held_out_whole(catalogue):
    whole = catalogue("aab", without_truth=[1])
    members = ("klh", "klh", "klh_other")  # one name is the start of another
    entries = [
        replace(entry, name=f"{member}/{entry.name}")
        for member, entry in zip(members, whole.entries, strict=True)
    ]
    kept, left = hold_out_member(replace(whole, entries=tuple(entries)), "klh")
    assert names(kept) == ["klh_other/b2"]
    assert names(left) == ["klh/a0", "klh/a1"]
