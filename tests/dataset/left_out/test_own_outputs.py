"""What runs have written is never taken for micrographs, wherever it lies."""

import shutil

import cv2
import numpy as np
import pytest

from deepcryopicker.dataset.listing import NoMicrographsError, list_micrographs
from deepcryopicker.dataset.open_files import open_combined
from deepcryopicker.dataset.schema import CombinedConfig, FolderConfig
from deepcryopicker.io.images.own_pictures import is_own_picture
from deepcryopicker.plots.tiles import write_picture

CONFIG = "# python -m deepcryopicker.pick --config-dir THIS_FOLDER --config-name config\n"
WRITTEN = (
    "overlays/a.png",
    "label_overlays/sub/a.png",
    "masks/a.png",
    "panels/a.png",
    "stages/a.png",
    "stages/a/clip.png",
    "score_maps/a.png",
    "baseline/overlays/a.png",
    "program/micrographs/m0.mrc",
    "program/smaller/m0.mrc",
    "program/templates.mrcs",
    "noise/a.mrcs",
    "windows/a.mrcs",
    "averages/g.png",
    "averages.png",
    "classes.png",
    "classes.mrcs",
    "figures/figure_03_picks.png",
    "samples.png",
    "confusion.png",
    "training.png",
    "precision_recall.png",
    "wandb/run-1/files/media/images/a_1_0f.png",
)


def fill(folder, names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def a_run(folder):
    fill(folder, WRITTEN)
    (folder / "config.yaml").write_text(CONFIG)
    return folder


def listed(place):
    return sorted(path.name for _, path in list_micrographs(str(place)).micrographs)


@pytest.mark.parametrize("place", [".", "run", "outputs/pick/2026-01-01/00-00-00", "sweep/3"])
def test_run_folders_are_recognised_by_their_configuration(tmp_path, place):
    fill(tmp_path, ["a.mrc", "sub/b.png", "sub/figures/c.png"])
    a_run(tmp_path / place)
    fill(tmp_path / place, ["d.png", "grid/e.mrc"])  # real ones stay, in a run folder as well
    assert listed(tmp_path) == ["a.mrc", "b.png", "c.png", "d.png", "e.mrc"]
    assert len(list_micrographs(str(tmp_path)).left_out) == len(WRITTEN)


def test_a_linked_run_folder_is_recognised(tmp_path):
    fill(tmp_path / "data", ["a.mrc"])
    a_run(tmp_path / "elsewhere")
    (tmp_path / "data" / "latest").symlink_to(tmp_path / "elsewhere")
    assert listed(tmp_path / "data") == ["a.mrc"]


def test_the_picture_of_a_sweep(tmp_path):
    fill(tmp_path, ["a.mrc", "sweep.png", "s/sweep.png", "s/sweep.csv", "t/sweep.png"])
    (tmp_path / "t" / "multirun.yaml").touch()
    assert listed(tmp_path) == ["a.mrc", "sweep.png"]


def test_a_folder_of_outputs_is_refused_and_a_glob_leaves_them_out(tmp_path):
    run = a_run(tmp_path / "run")
    fill(tmp_path, ["a.png"])
    for given in (run / "overlays", run / "program" / "micrographs", run / "*.png"):
        with pytest.raises(NoMicrographsError, match="of this program, such as") as error:
            list_micrographs(str(given))
        assert "to use them" not in str(error.value)
    assert listed(tmp_path / "**" / "*.png") == ["a.png"]
    assert listed(run / "overlays" / "a.png") == ["a.png"]  # a single file is taken as it is


def test_other_programs_configurations_do_not_make_a_run_folder(tmp_path):
    fill(tmp_path, ["overlays/a.mrc", "masks.mrc"])
    (tmp_path / "config.yaml").write_text("model: other\n")
    assert listed(tmp_path) == ["a.mrc"]


def test_pictures_are_known_by_their_mark_after_they_were_moved(tmp_path):
    write_picture(tmp_path / "made" / "a.png", np.zeros((20, 30, 3), np.uint8))
    (tmp_path / "data").mkdir()
    shutil.move(tmp_path / "made" / "a.png", tmp_path / "data" / "slide.png")
    cv2.imwrite(str(tmp_path / "data" / "b.png"), np.zeros((20, 30), np.uint8))
    assert is_own_picture(tmp_path / "data" / "slide.png")
    assert listed(tmp_path / "data") == ["b.png"]


def test_simulated_micrographs_do_not_join_real_ones(tmp_path):
    cache = "outputs/simulated/0123456789ab/micrographs/klh_000.mrc"
    fill(tmp_path, ["a.mrc", cache])
    assert listed(tmp_path) == ["a.mrc"]
    assert listed(tmp_path / "outputs" / "simulated") == ["klh_000.mrc"]


def test_members_of_a_combined_dataset_are_listed_alike(tmp_path):
    for name in ("one", "two"):
        fill(tmp_path / name, ["a.mrc", "a_PS.mrc"])
    members = {
        name: FolderConfig(micrographs=str(tmp_path / name), diameter=50) for name in ("one", "two")
    }
    catalogue = open_combined(CombinedConfig(members=members))
    assert [entry.name for entry in catalogue.entries] == ["one/a", "two/a"]
    assert [one.path.name for one in catalogue.left_out] == ["a_PS.mrc", "a_PS.mrc"]


def test_windows_of_pictures_do_not_take_their_place(tmp_path):
    fill(tmp_path, ["a.jpg", "b.jpg"])
    a_run(tmp_path / "outputs/run")
    fill(tmp_path / "outputs/run", ["windows/b.mrcs"])
    assert listed(tmp_path) == ["a.jpg", "b.jpg"]
