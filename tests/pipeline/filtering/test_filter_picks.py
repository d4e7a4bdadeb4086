"""From a run folder, and from the files of other programs, to kept picks."""

import json
from pathlib import Path

import numpy as np
import pytest

from deepcryopicker.config.sections import FilterSection
from deepcryopicker.errors import UsageError
from deepcryopicker.io.coordinates.candidate_csv import write_csv
from deepcryopicker.io.coordinates.formats import read_picks
from deepcryopicker.io.star.optics_groups import optics_table, placeholder
from deepcryopicker.io.star.relion_star import read_star_by_micrograph, write_particles_star
from deepcryopicker.pipeline.filtering.filter_picks import filter_picks
from deepcryopicker.pipeline.filtering.filtered_files import write_filtered
from deepcryopicker.pipeline.filtering.picked_micrographs import names_below, open_picked
from deepcryopicker.runs.manifest import Record, write_records
from deepcryopicker.types import Picks

SHAPE = (100, 120)
PICKS = Picks.create(
    [5, 50, 52, 90, 100],
    [50, 50, 50, 90, 20],
    score=[0.9, 0.8, 0.7, 0.6, 0.3],
    label=["top", "side", "top", "top", "top"],
    diameter=20.0,
    size=[20, 12, 31, np.nan, 20],
    contrast=[0.5, 1.25, -0.3, np.nan, 0.2],
)


def record(name, path):
    return Record(name, path, 1, 1, "digest", *SHAPE, 20.0, 1.5, None, 3, 5)


@pytest.fixture
def run(tmp_path):
    """Make a run on two micrographs of one dataset, with a threshold of 0.5."""
    folder = tmp_path / "run"
    for name in ("s1/a", "s2/b"):
        write_csv(folder / "picks" / f"{name}.csv", PICKS)
    (folder / "config.yaml").write_text("picker:\n  threshold: 0.5\n")
    write_records(folder, [record("s1/a", "raw/s1/a.mrc"), record("s2/b", "raw/s2/b.tif")])
    return folder


def kept(folder, **settings):
    """Filter, and return the kept x by micrograph and the tally."""
    section = FilterSection(picks=str(folder), **settings)
    found, tally = filter_picks(open_picked(section.picks, section.suffix), section)
    return {one.micrograph.name: one.picks.x.tolist() for one in found}, tally


@pytest.mark.parametrize(
    ("settings", "x"),
    [
        ({}, [5, 50, 52, 90]),
        ({"threshold": 0.2}, [5, 50, 52, 90, 100]),
        ({"threshold": 0.75}, [5, 50]),
        ({"edge": 10.0}, [50, 52]),
        ({"edge": 10.0, "distance": 5.0}, [50]),
        ({"top": 1}, [5]),
        ({"labels": ["side"]}, [50]),
        ({"region": [40.0, 40.0, 95.0, 95.0]}, [50, 52, 90]),
        ({"minsize": 19.0}, [5, 52, 90]),  # the last has no size, and a diameter of 20
        ({"maxsize": 19.0}, [50]),
        ({"contrast": [0.5, 2.0]}, [5, 50]),
        ({"contrast": [-1.0, 0.5]}, [5, 52]),
        ({"maxscore": 0.8}, [50, 52, 90]),
    ],
)
def test_the_rules_of_a_run(run, settings, x):
    found, tally = kept(run, **settings)
    assert found == {"s1/a": x, "s2/b": x}
    assert tally.kept == 2 * len(x)
    assert tally.given == 10
    assert sum(tally.left_out.values()) == 10 - tally.kept


def test_micrographs_are_chosen_by_pattern_and_list(run, tmp_path):
    listed = tmp_path / "good.txt"
    listed.write_text("# good\nMotionCorr/job002/raw/s1/a.mrc\n")
    for settings in (
        {"micrographs": "s1/*"},
        {"micrographs": "a"},
        {"micrographs": str(listed)},
        {"without": "*b"},
    ):
        assert list(kept(run, **settings)[0]) == ["s1/a"]
    table = tmp_path / "good.csv"
    table.write_text("Micrograph,note\ns2/b,thin ice\n")
    assert list(kept(run, micrographs=str(table))[0]) == ["s2/b"]
    with pytest.raises(UsageError, match="matches no micrograph; there are, for example, s1/a"):
        kept(run, micrographs="c*")
    with pytest.raises(UsageError, match="leave no micrograph"):
        kept(run, without="*")
    table.write_text("name\ns2/b\n")
    with pytest.raises(UsageError, match="has no column micrograph, it has name"):
        kept(run, micrographs=str(table))


def test_masks_hide_picks(run, tmp_path):
    import mrcfile

    mask = np.zeros((10, 12), np.int8)
    mask[4:6] = 1
    with mrcfile.new(tmp_path / "a.mrc") as file:
        file.set_data(mask)
    assert kept(run, mask=str(tmp_path / "a.mrc"))[0] == {"s1/a": [90], "s2/b": [90]}
    (tmp_path / "masks").mkdir()
    (tmp_path / "a.mrc").rename(tmp_path / "masks" / "a.mrc")
    assert kept(run, mask=str(tmp_path / "masks"))[0] == {"s1/a": [90], "s2/b": [5, 50, 52, 90]}
    with pytest.raises(UsageError, match=r"filter\.mask=.* does not exist"):
        kept(run, mask=str(tmp_path / "nowhere"))


def test_classes_are_dropped_and_what_is_in_none_is_kept(run, tmp_path):
    (tmp_path / "members.csv").write_text(
        "micrograph,x,y,class\ns1/a,5.000,50.000,1\ns1/a,50.000,50.000,2\n"
    )
    found, tally = kept(run, classes=str(tmp_path), drop=[2, 7])
    assert found == {"s1/a": [5, 52, 90], "s2/b": [5, 50, 52, 90]}
    assert tally.left_out[f"not in classes 2, 7 of {tmp_path}"] == 1
    with pytest.raises(UsageError, match="is not a run of classes"):
        kept(run, classes=str(run), drop=[1])


def test_what_the_page_leaves_out_is_in_the_file_of_corrections(run, tmp_path):
    (tmp_path / "members.csv").write_text("micrograph,x,y,class\ns1/a,5.000,50.000,1\n")
    path = tmp_path / "corrections.json"

    def write(**rules):
        content = {"deepcryopicker_corrections": 1, "rules": rules, "micrographs": []}
        path.write_text(json.dumps(content))
        return str(path)

    given = write(classes=str(tmp_path), drop=[1], contrast=[-1, 0.6], maxscore=None)
    assert kept(run, corrections=given)[0] == {"s1/a": [52], "s2/b": [5, 52]}
    typed = kept(run, corrections=given, contrast=[1.0, 2.0])[0]  # what is typed goes first
    assert typed == {"s1/a": [50], "s2/b": [50]}
    assert kept(run, corrections=write(maxscore=0.7))[0] == {"s1/a": [52, 90], "s2/b": [52, 90]}
    for wrong in ({"drop": [1]}, {"contrast": [1]}, {"contrast": ["a", 2]}, {"maxscore": "high"}):
        with pytest.raises(UsageError, match=r"corrections\.json"):
            kept(run, corrections=write(**wrong))


def test_contrasts_that_were_not_measured_are_named(run):
    write_csv(run / "picks" / "s1" / "a.csv", Picks.create([5], [5], diameter=20.0))
    with pytest.raises(UsageError, match=r"s1/a: filter\.contrast needs picks with contrasts"):
        kept(run, contrast=[0.0, 1.0])


def test_corrections_of_a_person_come_last(run, tmp_path):
    path = tmp_path / "corrections.json"
    one = {"name": "s1/a", "added": [[70, 70]], "removed": [[50, 50, 0.8]], "kept": []}
    content = {"deepcryopicker_corrections": 1, "threshold": 0.65, "micrographs": [one]}
    path.write_text(json.dumps(content))
    found, tally = kept(run, corrections=str(path), top=2)
    assert found == {"s1/a": [5, 70], "s2/b": [5, 50]}  # an added pick takes nobody's place
    assert (tally.added, tally.left_out["score >= 0.65"]) == (1, 4)
    assert kept(run, corrections=str(path), threshold=0.2)[0]["s2/b"] == [5, 50, 52, 90, 100]
    one["excluded"] = True
    path.write_text(json.dumps(content))
    assert list(kept(run, corrections=str(path))[0]) == ["s2/b"]
    one["name"] = "other"
    path.write_text(json.dumps(content))
    with pytest.raises(UsageError, match="there is no micrograph other"):
        kept(run, corrections=str(path))


def filtered(folder, given, **settings):
    section = FilterSection(picks=str(given), **settings)
    found, tally = filter_picks(open_picked(section.picks, section.suffix), section)
    write_filtered(folder, found, ["relion", "box", "cbox", "topaz"], tally.note, section.box)
    (folder / "config.yaml").write_text(f"filter:\n  picks: {given}\n")
    return folder


def test_every_format_has_the_same_picks_and_is_filtered_again(run, tmp_path):
    first = filtered(tmp_path / "first", run, threshold=0.2, edge=6.0)
    x = [50, 52, 90, 100]
    for name in ("s1/a", "s2/b"):
        for ending in ("csv", "box", "cbox"):
            folder = "picks" if ending == "csv" else ending
            assert read_picks(first / folder / f"{name}.{ending}").x.tolist() == x
    by_name = read_star_by_micrograph(first / "relion" / "particles.star")
    assert {name: one.x.tolist() for name, one in by_name.items()} == {
        "raw/s1/a.mrc": x,
        "raw/s2/b.tif": x,
    }
    # RELION turns TIFF files over.
    assert by_name["raw/s2/b.tif"].y.tolist() == [SHAPE[0] - 1 - y for y in (50, 50, 90, 20)]
    star = first / "relion" / "raw" / "s2" / "b_autopick.star"
    assert "filtered: score >= 0.2; 6 pixels from the edges" in star.read_text()
    assert "filtered: score >= 0.2" in (first / "relion" / "particles.star").read_text()
    second = filtered(tmp_path / "second", first, top=2)  # below 0.5 as well
    assert read_picks(second / "picks" / "s1" / "a.csv").x.tolist() == [50, 52]
    assert read_picks(filtered(tmp_path / "third", first) / "picks/s2/b.csv").x.tolist() == x


def test_picks_of_other_programs_keep_their_names_and_frames(tmp_path):
    star = tmp_path / "particles.star"
    optics = placeholder(1.2)
    names = ["MotionCorr/job002/raw/x_DW.mrc", "MotionCorr/job002/raw/y_DW.tif"]
    located = [(name, 1, PICKS) for name in names]
    write_particles_star(star, located, optics_table([optics]))
    # RELION's own scores are not probabilities: all are kept unless asked.
    text = star.read_text().replace("written by DeepCryoPicker", "by another")
    star.write_text(text.replace("0.900000", "2.500000"))
    folder = filtered(tmp_path / "out", star, top=3, box=24)
    by_name = read_star_by_micrograph(folder / "relion" / "particles.star")
    assert list(by_name) == names
    for one in by_name.values():
        assert one.positions.tolist() == PICKS.positions[:3].tolist()  # y as RELION has it
    assert "1.200000" in (folder / "relion" / "micrographs.star").read_text()
    assert (folder / "picks" / "x_DW.csv").is_file()
    with pytest.raises(UsageError, match=r"filter\.edge needs the sizes"):
        kept(star, edge=3.0)


def test_files_of_single_micrographs_name_them_by_the_suffix(tmp_path):
    from deepcryopicker.io.star.relion_star import write_coordinates_star

    write_coordinates_star(tmp_path / "in" / "x_DW_autopick.star", PICKS)
    found = open_picked(str(tmp_path / "in"), ".tiff").micrographs
    assert [(one.name, str(one.named.path)) for one in found] == [("x_DW", "x_DW.tiff")]


@pytest.mark.parametrize("name", ["../../x", "/tmp/x", "a/../../x"])
def test_no_file_is_written_outside_the_run_folder(run, tmp_path, name):
    star = tmp_path / "hostile.star"
    located = [(f"{name}.mrc", 1, PICKS), ("/tmp/x/y/z.mrc", 1, PICKS)]
    write_particles_star(star, located, optics_table([placeholder(None)]))
    before = {path for path in tmp_path.parent.rglob("*") if path.is_file()}
    with pytest.raises(UsageError) if ".." in name else _nothing_raised():
        filtered(tmp_path / "out", star, box=24)
    made = {path for path in tmp_path.parent.rglob("*") if path.is_file()} - before
    assert all(path.is_relative_to(tmp_path / "out") for path in made)
    write_records(run, [record(name, "raw/x.mrc")])
    with pytest.raises(UsageError, match="leads out of the run folder"):
        kept(run)


def _nothing_raised():
    from contextlib import nullcontext

    return nullcontext()


def test_blocks_of_a_micrograph_are_not_in_files_of_relion(run, tmp_path):
    for name in ("c_block1", "c_block2"):
        write_csv(run / "picks" / f"{name}.csv", PICKS)
    blocks = [record(name, "raw/c.mrc") for name in ("c_block1", "c_block2")]
    write_records(run, [record("s1/a", "raw/s1/a.mrc"), *blocks])
    folder = filtered(tmp_path / "out", run)
    assert list(read_star_by_micrograph(folder / "relion" / "particles.star")) == ["raw/s1/a.mrc"]
    assert (folder / "picks" / "c_block2.csv").is_file()


def test_two_files_of_one_name_are_refused(tmp_path):
    star = tmp_path / "two.star"
    located = [(name, 1, PICKS) for name in ("raw/x.mrc", "raw/x.tif")]
    write_particles_star(star, located, optics_table([placeholder(None)]))
    with pytest.raises(UsageError, match="both match raw/x"):
        kept(star)


def test_names_are_below_the_common_folder():
    assert names_below([Path("a/b/x.mrc")]) == ["x"]
    assert names_below([Path("a/b/x.mrc"), Path("a/c/d/x.mrc.gz")]) == ["b/x", "c/d/x"]
    assert names_below([Path("/r/x.tif"), Path("s/x.tif")]) == ["r/x", "s/x"]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"top": 0}, "at least 1"),
        ({"distance": -1.0}, r"filter\.distance must be >= 0"),
        ({"edge": float("inf")}, r"filter\.edge"),
        ({"minsize": 9.0, "maxsize": 3.0}, "above"),
        ({"contrast": [2.0, 1.0]}, "LOW,HIGH"),
        ({"contrast": [2.0]}, "LOW,HIGH"),
        ({"labels": ["front"]}, "front"),
        ({"region": [1.0, 2.0, 3.0]}, "LEFT,TOP,RIGHT,BOTTOM"),
        ({"region": [5.0, 2.0, 3.0, 9.0]}, "is empty"),
        ({"drop": [1]}, "belong together"),
        ({"classes": "run"}, "belong together"),
        ({"suffix": "mrc"}, "suffix"),
    ],
)
def test_impossible_rules_are_refused(settings, said):
    with pytest.raises(UsageError, match=said):
        FilterSection(picks="p", **settings)
