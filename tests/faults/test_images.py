"""Cases 9, 20 to 27 and 34: what is wrong with an image rather than with its file."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from deepcryopicker.config.paths import CONF_DIR
from deepcryopicker.config.registry import register
from deepcryopicker.dataset.catalogue import Entry
from deepcryopicker.dataset.open_files import open_folder
from deepcryopicker.dataset.schema import FolderConfig
from deepcryopicker.dataset.simulator import KINDS, simulate
from deepcryopicker.errors import MicrographError, UsageError
from deepcryopicker.io.coordinates.formats import read_picks
from deepcryopicker.io.images.reader import read_micrograph
from deepcryopicker.io.star.relion_star import write_coordinates_star
from deepcryopicker.labeler import interface
from deepcryopicker.pipeline.inputs.open_dataset import settle_diameter
from deepcryopicker.pipeline.picking.build_picker import build_picker
from deepcryopicker.preprocessing.operators.defects import mend_lines, mend_pixels
from deepcryopicker.preprocessing.preprocessed import Preprocessed
from deepcryopicker.runs.folder import Run
from deepcryopicker.types import NO_MARGINS, Margins, Micrograph, Picks
from tests.relion_folder import write_relion_folder

from .common import write_mrc

KIND = KINDS["ribosome"]


@pytest.fixture(scope="module")
def simulated():
    return [simulate(KIND, (640, 720), 60.0, seed) for seed in range(3)]


@pytest.fixture(scope="module")
def config():
    register()
    with initialize_config_dir(str(CONF_DIR), version_base="1.3"):
        typed = ["picker=log", "dataset=folder", "dataset.micrographs=x"]
        return OmegaConf.to_object(compose("pick", overrides=typed))


@pytest.fixture(scope="module")
def picked(simulated, config):
    """Pick an image with what was learned from two good micrographs; gives (N, 2) positions."""
    diameter = float(np.median(simulated[0].diameter))

    def preprocessed(image):
        micrograph = Micrograph("m", Path("m"), np.ascontiguousarray(image, np.float32))
        return Preprocessed(micrograph, diameter, config.preprocessing)

    labeler = interface.learn([preprocessed(one.image) for one in simulated], config.picker.labeler)

    def pick(image):
        picks = interface.pick(preprocessed(image), labeler)
        return picks[picks.score >= 0.5].positions

    return pick


def shared(found, expected, within=3.0):
    """Share of the expected positions that were found, and of those found that were expected."""
    near = np.hypot(*(found[:, None] - expected).transpose(2, 0, 1)) < within
    return near.any(axis=0).mean(), near.any(axis=1).mean()


def noise(simulated, seed=1):
    image = simulated[0].image
    rng = np.random.default_rng(seed)
    return rng.normal(np.median(image), image.std(), image.shape).astype(np.float32)


def test_case_09_smaller_than_a_particle(config):
    for shape in ((1, 1), (1, 500), (96, 64)):
        preprocessed = Preprocessed(
            Micrograph("m", Path("m"), np.ones(shape, np.float32)), 60.0, config.preprocessing
        )
        with pytest.raises(MicrographError, match="is smaller than two particle diameters"):
            preprocessed.flat  # noqa: B018


@pytest.mark.parametrize("value", [0.0, 7.0, -1e30])
def test_case_20_blank_micrographs_have_no_picks(tmp_path, config, simulated, value, caplog):
    write_mrc(tmp_path / "m" / "a_blank.mrc", np.full((512, 600), value, np.float32))
    write_mrc(tmp_path / "m" / "good.mrc", simulated[0].image)
    run = Run(tmp_path, None, "test", {})
    catalogue = open_folder(FolderConfig(micrographs=str(tmp_path / "m"), diameter=60.0))
    picker = build_picker(config.picker, catalogue, config.preprocessing, None, run)
    counts = {}
    for entry in catalogue.entries:
        micrograph = entry.load()
        counts[entry.name] = len(
            picker(entry, Preprocessed(micrograph, 60.0, config.preprocessing))
        )
    assert counts["a_blank"] == 0 < counts["good"]
    assert "a_blank.mrc: every pixel has the same value" in caplog.text
    assert run.failures == []


def test_case_20_only_blank_micrographs(tmp_path, config):
    write_mrc(tmp_path / "m" / "blank.mrc", np.ones((300, 300), np.float32))
    run = Run(tmp_path, None, "test", {})
    catalogue = open_folder(FolderConfig(micrographs=str(tmp_path / "m"), diameter=60.0))
    picker = build_picker(config.picker, catalogue, config.preprocessing, None, run)
    (entry,) = catalogue.entries
    assert len(picker(entry, Preprocessed(entry.load(), 60.0, config.preprocessing))) == 0
    assert run.failures == []
    catalogue = open_folder(FolderConfig(micrographs=str(tmp_path / "m")))
    with pytest.raises(UsageError, match=r"give the diameter: dataset\.diameter=PIXELS"):
        settle_diameter(catalogue, config.preprocessing, config.labeler, run)


def test_case_20_no_picks_make_a_valid_star_file(tmp_path):
    write_coordinates_star(tmp_path / "p.star", Picks.empty())
    assert len(read_picks(tmp_path / "p.star")) == 0


@pytest.mark.parametrize("value", [1e30, -1e30, 1e6])
def test_case_21_outliers_change_no_picks(picked, simulated, value):
    image, rng = simulated[0].image.copy(), np.random.default_rng(0)
    expected = picked(image)
    image.flat[rng.choice(image.size, 80, replace=False)] = value
    assert min(shared(picked(image), expected)) >= 0.95


def test_case_21_only_outliers_are_mended():
    image = np.random.default_rng(0).normal(5, 2, (200, 300)).astype(np.float32)
    assert mend_pixels(image) is image
    hit = image.copy()
    hit[3, 4], hit[5, 6] = 1e30, -1e30
    mended = mend_pixels(hit)
    assert mended[[3, 5], [4, 6]] == pytest.approx(5, abs=0.5)
    assert (mended != hit).sum() == 2
    hit[:10] = 1e30  # a part of the image, rather than hits
    assert mend_pixels(hit)[:10] == pytest.approx(5 + 200, rel=0.3)
    flat = np.zeros((100, 100), np.float32)
    flat[5, 5] = 3  # where more than half the pixels are alike, there is no scale
    assert mend_pixels(flat) is flat


def striped(image, deviations, count=12, seed=2):
    """Shift some rows and columns by so many standard deviations, up or down."""
    rng, image = np.random.default_rng(seed), image.copy()
    for axis in (0, 1):
        lines = rng.choice(image.shape[axis], count, replace=False)
        shift = deviations * image.std() * rng.choice([-1, 1], count)
        if axis == 0:
            image[lines] += shift[:, None]
        else:
            image[:, lines] += shift
    return image


@pytest.mark.parametrize("deviations", [1, 5])
def test_case_22_stripes_add_no_picks(picked, simulated, deviations):
    empty = noise(simulated)
    assert len(picked(striped(empty, deviations))) <= len(picked(empty)) + 3
    clean = picked(simulated[0].image)
    assert min(shared(picked(striped(simulated[0].image, deviations)), clean)) >= 0.9


def test_case_22_dead_lines_add_no_picks(picked, simulated):
    empty = noise(simulated)
    before = len(picked(empty))
    for value in (0.0, empty.max() * 10):
        dead = empty.copy()
        dead[:, 300], dead[200:202], dead[100:150, 17] = value, value, value
        assert len(picked(dead)) <= before + 3


def test_case_22_only_odd_lines_are_mended():
    image = np.random.default_rng(0).normal(5, 2, (200, 300)).astype(np.float32)
    assert mend_lines(image, NO_MARGINS) is image
    shifted = image.copy()
    shifted[50] += 20
    shifted[:, 70] -= 20
    mended = mend_lines(shifted, NO_MARGINS)
    np.testing.assert_allclose(mended, image, atol=1.0)
    np.testing.assert_array_equal(np.delete(np.delete(mended, 50, 0), 70, 1),
                                  np.delete(np.delete(image, 50, 0), 70, 1))  # fmt: skip
    dead = image.copy()
    dead[50] = 0
    mended = mend_lines(dead, NO_MARGINS)
    np.testing.assert_array_equal(mended[50], image[49])
    steps = image + 100 * (np.arange(300) > 150)  # the edge of carbon
    assert mend_lines(steps, NO_MARGINS) is steps
    framed = np.pad(image, ((3, 0), (0, 0)))
    assert mend_lines(framed, Margins(top=3)) is framed


def test_case_23_no_picks_in_a_frame(picked, simulated):
    diameter = float(np.median(simulated[0].diameter))
    image = simulated[0].image
    for value in (0.0, float(image.max())):
        framed = np.pad(image, 80, constant_values=value)
        x, y = picked(framed).T
        inset = 80 + diameter / 2 - 2
        assert len(x) > 0
        assert ((x >= inset) & (x <= framed.shape[1] - inset)).all()
        assert ((y >= inset) & (y <= framed.shape[0] - inset)).all()


def test_case_24_contrast_is_given(tmp_path, picked, simulated):
    """Bright particles read as bright are the same image as dark ones; nothing is guessed."""
    image = simulated[0].image
    dark = read_micrograph(write_mrc(tmp_path / "d.mrc", image))
    bright = read_micrograph(write_mrc(tmp_path / "b.mrc", -image), polarity="bright")
    np.testing.assert_array_equal(dark.image, bright.image)
    with pytest.raises(UsageError, match=r"choose from: bright, dark"):
        FolderConfig(micrographs="x", polarity="auto")


def test_case_25_diameter_in_angstrom_without_a_pixel_size(tmp_path):
    write_mrc(tmp_path / "a.mrc", length=(40, "f", (0.0,)))
    given = {"micrographs": str(tmp_path), "diameter_angstrom": 120.0}
    with pytest.raises(UsageError, match=r"pixel size missing in .*a.mrc\nset dataset.pixel_size"):
        open_folder(FolderConfig(**given))
    assert len(open_folder(FolderConfig(**given, pixel_size=2.0)).entries) == 1
    assert len(open_folder(FolderConfig("a", str(tmp_path), diameter=60.0)).entries) == 1
    (tmp_path / "a.mrc").write_bytes(b"broken")
    write_mrc(tmp_path / "b.mrc")
    assert len(open_folder(FolderConfig(**given)).entries) == 2


@pytest.mark.parametrize(
    ("header", "given", "refused"),
    [
        (2.0, None, True),
        (3.54, None, True),
        (1.77, None, False),
        (1.78, None, False),
        (0.0, None, False),
        (1.0, None, False),
        (2, 1.9, False),
    ],
)
def test_case_25_header_and_list_disagree(tmp_path, header, given, refused):
    """The run stops, unless the user says which is right; 0 and 1.0 contradict nothing."""
    for name in "abc":
        write_mrc(
            tmp_path / f"{name}.mrc", length=(40, "f", (header * 64,)), samples=(28, "i", (64,))
        )
    (tmp_path / "a.mrc").write_bytes(b"broken")
    (tmp_path / "list.star").write_text(
        "data_optics\nloop_\n_rlnOpticsGroup #1\n_rlnOpticsGroupName #2\n"
        "_rlnMicrographPixelSize #3\n1 opticsGroup1 1.77\n\n"
        "data_micrographs\nloop_\n_rlnMicrographName #1\n_rlnOpticsGroup #2\n"
        "a.mrc 1\nb.mrc 1\nc.mrc 1\n"
    )
    listing = str(tmp_path / "list.star")
    config = FolderConfig("x", listing, diameter=60.0, pixel_size=given)
    if refused:
        binned = r" \(a factor of 2, as binning makes\)" if header == 3.54 else ""
        message = (
            rf"b\.mrc: the header has {header:g} Angstrom per pixel, the STAR file 1\.77{binned}\n"
            rf"type dataset\.pixel_size={header:g} or dataset\.pixel_size=1\.77"
        )
        with pytest.raises(UsageError, match=message):
            open_folder(config)
    else:
        assert {entry.pixel_size for entry in open_folder(config).entries} == {given or 1.77}


def test_case_26_every_micrograph_has_its_own_size_and_scale(tmp_path):
    write_mrc(tmp_path / "a.mrc", np.ones((40, 50), np.float32))
    write_mrc(tmp_path / "b.mrc", np.ones((60, 30), np.float32), length=(40, "f", (30 * 3.0,)))
    found = {}
    for name in "ab":
        entry = Entry(name, tmp_path / f"{name}.mrc", "g", diameter_angstrom=120.0)
        micrograph = entry.load()
        found[name] = (micrograph.image.shape, entry.particle_diameter(micrograph))
    assert found == {"a": ((40, 50), pytest.approx(80)), "b": ((60, 30), pytest.approx(40))}


@pytest.mark.parametrize("shape", [(701, 833), (833, 701), (509, 1201)])
def test_case_27_odd_sizes_keep_coordinates(picked, shape):
    one = simulate(KIND, shape, 60.0, 4)
    assert shared(picked(one.image), np.column_stack([one.x, one.y]), 12.0)[0] >= 0.7


def test_case_34_tiff_files_are_flipped_for_relion_alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    image = np.zeros((40, 60), np.float32)
    image[3, 7] = 1
    tifffile.imwrite("m.tif", image)
    np.testing.assert_array_equal(read_micrograph(Path("m.tif")).image, image)
    picks = Picks.create([7], [3])
    write_relion_folder(Path("out"), [(Path("m.tif"), 40, picks)], 1.0)
    assert read_picks(Path("out/m_autopick.star")).y.tolist() == [36]
    assert "flips them upside down" in Path("out/m_autopick.star").read_text()
