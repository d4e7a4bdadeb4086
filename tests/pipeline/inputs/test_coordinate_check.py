"""What is said of coordinates that do not fit, with the keys to type; how few are looked at."""

import mrcfile
import numpy as np
import pytest

from deepcryopicker.dataset.catalogue import Entry
from deepcryopicker.dataset.open_files import open_combined, open_folder
from deepcryopicker.dataset.schema import CombinedConfig, FolderConfig, SimulatedConfig
from deepcryopicker.errors import UsageError
from deepcryopicker.frames import Reading
from deepcryopicker.io.coordinates.candidate_csv import write_csv
from deepcryopicker.pipeline.inputs.coordinate_check import (
    check_coordinates,
    warn_of_coordinates,
)
from deepcryopicker.runs.folder import Run
from deepcryopicker.types import Picks
from tests.evaluation.test_coordinate_fit import DIAMETER, SHAPE, inverse, micrograph, particles


@pytest.fixture
def run(tmp_path):
    return Run(tmp_path / "run", None, "test", {})


def written(folder, reading, count=2, pixel_size=None):
    """Micrographs and coordinates that have to be read in some way."""
    for part in ("micrographs", "truth"):
        (folder / part).mkdir(parents=True)
    for index in range(count):
        places = particles(index)
        with mrcfile.new(folder / "micrographs" / f"m{index}.mrc") as file:
            file.set_data(micrograph(places, index))
            if pixel_size:
                file.voxel_size = pixel_size
        write_csv(folder / "truth" / f"m{index}.csv", inverse(reading, places))
    return folder


def settings(folder, **more):
    return FolderConfig(
        **{"name": folder.name, "diameter": DIAMETER, **more},
        micrographs=str(folder / "micrographs"),
        coordinates=str(folder / "truth"),
    )


def refusal(config, run):
    with pytest.raises(UsageError) as caught:
        check_coordinates(open_folder(config), config, run, learning=True)
    return str(caught.value).splitlines()


def warning(config, run, capsys, catalogue=None):
    entries = (catalogue or open_folder(config)).entries
    warn_of_coordinates(entries, config, run)
    return capsys.readouterr().out.splitlines()


def test_training_is_refused_and_scores_are_warned_of(tmp_path, run, capsys):
    config = settings(written(tmp_path / "mine", Reading(from_bottom=True)))
    doubt, advice = refusal(config, run)
    assert "mine: the coordinates fit the micrographs far better turned over" in doubt
    assert advice == (
        "type dataset.coordinates_from_bottom=true, or dataset.coordinates_check=false "
        "to use them as they are"
    )
    check_coordinates(open_folder(config), config, run, learning=False)
    (line,) = warning(config, run, capsys)
    assert line.endswith(": type dataset.coordinates_from_bottom=true")
    assert warning(config, run, capsys) == []  # said once


def test_the_options_that_are_named_are_those_that_differ(tmp_path, run):
    config = settings(
        written(tmp_path / "mine", Reading(2.0, swapped=True)), coordinates_from_bottom=True
    )
    _, advice = refusal(config, run)
    assert advice.startswith(
        "type dataset.coordinates_scale=2 dataset.coordinates_swapped=true "
        "dataset.coordinates_from_bottom=false, or"
    )


@pytest.mark.parametrize("reading", [Reading(2.0, True), Reading(1.0, False, True)])
def test_with_the_options_nothing_is_said(tmp_path, run, capsys, reading):
    config = settings(
        written(tmp_path / "mine", reading),
        coordinates_scale=reading.scale,
        coordinates_swapped=reading.swapped,
        coordinates_from_bottom=reading.from_bottom,
    )
    check_coordinates(open_folder(config), config, run, learning=True)
    assert warning(config, run, capsys) == []


def test_coordinates_outside_are_refused_with_the_reading_that_fits(tmp_path, run):
    config = settings(written(tmp_path / "mine", Reading(0.5)))
    with pytest.raises(UsageError, match=r"multiplied by 0.5(.|\n)*coordinates_scale=0.5"):
        check_coordinates(open_folder(config), config, run, learning=False)


def test_coordinates_in_angstrom_are_called_so(tmp_path, run):
    folder = written(tmp_path / "mine", Reading(1 / 1.5))
    doubt, advice = refusal(settings(folder, pixel_size=1.5), run)
    assert doubt.endswith("they seem to be in Angstrom")
    assert "dataset.coordinates_scale=0.66" in advice


def test_the_key_of_a_member_is_named(tmp_path, run, capsys):
    good = settings(written(tmp_path / "good", Reading()))
    bad = settings(written(tmp_path / "bad", Reading(swapped=True)))
    config = CombinedConfig(members={"one": good, "other": bad}, simulated=SimulatedConfig())
    (line,) = warning(config, run, capsys, open_combined(config))
    assert "bad: the coordinates" in line
    assert line.endswith("type dataset.members.other.coordinates_swapped=true")


def test_the_check_can_be_left_out(tmp_path, run, capsys):
    folder = written(tmp_path / "mine", Reading(from_bottom=True))
    config = settings(folder, coordinates_check=False)
    check_coordinates(open_folder(config), config, run, learning=True)
    assert warning(config, run, capsys) == []


@pytest.mark.thorough
def test_places_anywhere_are_a_warning_alone(tmp_path, run, capsys):
    folder = written(tmp_path / "mine", Reading())
    for index in range(2):
        write_csv(folder / "truth" / f"m{index}.csv", particles(index + 10))
    config = settings(folder)
    check_coordinates(open_folder(config), config, run, learning=True)
    assert "no better than random places" in capsys.readouterr().out


def test_one_micrograph_is_enough_where_coordinates_fit_well(tmp_path, run, monkeypatch):
    config = settings(written(tmp_path / "mine", Reading(), count=3))
    read = []
    load = Entry.load
    monkeypatch.setattr(Entry, "load", lambda entry: read.append(entry.name) or load(entry))
    check_coordinates(open_folder(config), config, run, learning=True)
    assert len(read) == 1


@pytest.mark.thorough
def test_damaged_micrographs_are_passed_over(tmp_path, run, capsys):
    folder = written(tmp_path / "mine", Reading(from_bottom=True), count=3)
    (folder / "micrographs" / "m0.mrc").write_bytes(b"no image")
    config = settings(folder)
    assert "from_bottom=true" in refusal(config, run)[1]
    for path in (folder / "micrographs").iterdir():
        path.write_bytes(b"no image")
    check_coordinates(open_folder(config), config, run, learning=True)
    assert warning(config, run, capsys) == []


@pytest.mark.parametrize(
    ("change", "hint"),
    [
        (lambda x, y: (y, x), "dataset.coordinates_swapped=true"),
        (lambda x, y: (2 * x, 2 * y), "dataset.coordinates_scale=0.5"),
        (lambda x, y: (50 * x, 50 * y), "are they for another pixel size, or flipped?"),
    ],
)
def test_positions_outside_name_what_has_them_inside(tmp_path, change, hint):
    """In reading alone, where no micrograph is compared."""
    folder = written(tmp_path / "mine", Reading(), count=1)
    x, y = np.random.default_rng(0).uniform(SHAPE[0], SHAPE[1] - 1, 40), np.arange(40) * 10
    write_csv(folder / "truth" / "m0.csv", Picks.create(*change(x, y)))
    (entry,) = open_folder(settings(folder)).entries
    with pytest.raises(UsageError, match="40 positions lie outside") as caught:
        entry.load_truth()
    assert hint in str(caught.value)
