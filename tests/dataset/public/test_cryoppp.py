"""What is known of CryoPPP: where y counts from, published diameters, and faults of entries."""

from pathlib import Path

import cv2
import mrcfile
import numpy as np
import pytest
from omegaconf import OmegaConf

from deepcryopicker.config.paths import CONF_DIR
from deepcryopicker.dataset.open_files import open_folder
from deepcryopicker.dataset.public.cryoppp import DIAMETERS, empiar_number
from deepcryopicker.dataset.schema import CryopppConfig
from deepcryopicker.errors import UsageError

TEST_SETS = (10017, 10028, 10081, 10093, 10345, 10532, 11056)
HEADER = "X-Coordinate,Y-Coordinate,Diameter,Angle-Psi\n"


def entry(folder, micrographs=("a.mrc", "b.jpg"), diameters=(12, 12), pixel_size=None):
    """The folder of an entry: micrographs of 30x40 pixels, one particle each at (3, 4)."""
    (folder / "micrographs").mkdir(parents=True)
    truth = folder / "ground_truth" / "particle_coordinates"
    truth.mkdir(parents=True)
    for name in micrographs:
        path = folder / "micrographs" / name
        if path.suffix == ".mrc":
            with mrcfile.new(path) as file:
                file.set_data(np.arange(1200, dtype=np.float32).reshape(30, 40))
                if pixel_size:
                    file.voxel_size = pixel_size
        else:
            cv2.imwrite(str(path), np.zeros((30, 40), np.uint8))
    for name, diameter in zip(micrographs, diameters, strict=False):
        stem = name.rsplit(".", 1)[0]
        (truth / f"{stem}.csv").write_text(f"{HEADER}3,4,{diameter},0\n")
    return folder


def opened(folder, **settings):
    settings = {"coordinates_from_bottom": "auto"} | settings
    return open_folder(
        CryopppConfig(
            name="cryoppp",
            root=str(folder),
            micrographs=str(folder / "micrographs"),
            coordinates=str(folder / "ground_truth" / "particle_coordinates"),
            **settings,
        )
    )


def heights(catalogue):
    return {one.name: one.load_truth()[0].y.tolist() for one in catalogue.entries}


def test_y_counts_from_the_bottom_of_mrc_files_alone(tmp_path):
    folder = entry(tmp_path / "10017")
    assert heights(opened(folder)) == {"a": [25], "b": [4]}
    assert heights(opened(folder, coordinates_from_bottom=True)) == {"a": [25], "b": [25]}
    assert heights(opened(folder, coordinates_from_bottom=False)) == {"a": [4], "b": [4]}


def test_the_published_diameters_are_those_of_34_entries():
    assert len(DIAMETERS) == 34
    assert (DIAMETERS[10017], DIAMETERS[11056], DIAMETERS[10669]) == (108, 164, 730)


@pytest.mark.parametrize(
    ("name", "number"),
    [
        *(("10017", 10017), ("EMPIAR-10081", 10081), ("10017_lite", 10017), ("mine", None)),
        *(("20240117", None), ("12345", None), ("110017", None)),
    ],
)
def test_the_number_of_an_entry_is_in_the_name_of_its_folder(tmp_path, monkeypatch, name, number):
    assert empiar_number(tmp_path / name) == number
    (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / name)
    assert empiar_number(Path()) == number


def test_the_column_diameter_comes_before_the_table(tmp_path):
    (diameter, source) = opened(entry(tmp_path / "10017")).published["cryoppp"]
    assert (diameter, "column Diameter" in source) == (12.0, True)


@pytest.mark.parametrize("diameters", [(12, 13), ("", "")])
def test_the_table_is_used_where_the_column_is_not_constant(tmp_path, diameters):
    catalogue = opened(entry(tmp_path / "10017", diameters=diameters))
    (diameter, source) = catalogue.published["cryoppp"]
    assert (diameter, "EMPIAR-10017" in source) == (108.0, True)
    assert catalogue.groups_without_diameter == ["cryoppp"]


def test_another_folder_without_diameters_is_measured(tmp_path):
    assert opened(entry(tmp_path / "mine", diameters=("", ""))).published == {}


def test_micrographs_without_coordinates_are_counted(tmp_path):
    names = ("a.mrc", "b.mrc", "c.mrc")
    (remark,) = opened(entry(tmp_path / "10093", names)).remarks
    assert remark.startswith("cryoppp: 1 of 3 micrographs have no coordinates")
    assert opened(entry(tmp_path / "10081", names[:2])).remarks == ()


@pytest.mark.parametrize("number", ["10526", "10671"])
def test_entries_of_wrong_motion_correction_are_named(tmp_path, number):
    (remark,) = opened(entry(tmp_path / number)).remarks
    assert number in remark
    assert "motion correction" in remark


def test_the_pixel_size_of_super_resolution_is_named(tmp_path):
    folder = entry(tmp_path / "10345", pixel_size=0.673)
    (remark,) = opened(folder).remarks
    assert "dataset.pixel_size=1.345" in remark
    assert opened(folder, pixel_size=1.345).remarks == ()
    assert len(opened(folder, pixel_size=0.673).remarks) == 1
    assert opened(entry(tmp_path / "more" / "10345")).remarks == ()


def test_the_number_may_be_in_the_name_of_a_folder_below_the_root(tmp_path):
    """As the options of single entries have it: one root for all of them."""
    folder = entry(tmp_path / "10093", diameters=("", ""))
    config = CryopppConfig(
        name="cryoppp_10093",
        root=str(tmp_path),
        entry=str(folder),
        micrographs=str(folder / "micrographs"),
        coordinates=str(folder / "ground_truth" / "particle_coordinates"),
    )
    (diameter, source) = open_folder(config).published["cryoppp_10093"]
    assert (diameter, "EMPIAR-10093" in source) == (172.0, True)


@pytest.mark.parametrize("number", TEST_SETS)
def test_the_option_of_a_test_set_finds_it_below_the_root(number):
    node = OmegaConf.load(CONF_DIR / "dataset" / f"cryoppp_{number}.yaml")
    base = OmegaConf.load(CONF_DIR / "dataset" / "cryoppp.yaml")
    settings = OmegaConf.merge(base, node, {"root": "/data"})
    assert settings.entry == f"/data/{number}"
    assert settings.micrographs == f"/data/{number}/micrographs"
    assert settings.coordinates == f"/data/{number}/ground_truth/particle_coordinates"
    assert settings.name == f"cryoppp_{number}"
    assert settings.get("pixel_size") == {10345: 1.345}.get(number)
    assert number in DIAMETERS


def test_names_with_the_additions_of_cryosparc_are_matched(tmp_path):
    """As those of EMPIAR-11056, whose coordinates have plain names."""
    folder = entry(tmp_path / "11056", ("a.mrc",))
    micrographs = folder / "micrographs"
    renamed = "012345678901234567890_a_patch_aligned_doseweighted.mrc"
    (micrographs / "a.mrc").rename(micrographs / renamed)
    assert list(heights(opened(folder)).values()) == [[25]]


@pytest.mark.parametrize("value", ["yes", "Auto", "bottom", 2, None])
def test_other_words_are_refused_by_name(value):
    with pytest.raises(UsageError, match=r"coordinates_from_bottom must be true, false or auto"):
        CryopppConfig(micrographs="x", root="x", coordinates_from_bottom=value)


@pytest.mark.parametrize("scale", [0.0, -2.0, float("nan"), float("inf")])
def test_absurd_scales_are_refused_by_name(scale):
    with pytest.raises(UsageError, match=r"dataset.coordinates_scale must be > 0"):
        CryopppConfig(micrographs="x", root="x", coordinates_scale=scale)
