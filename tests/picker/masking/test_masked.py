"""Candidates where nothing should be picked, in masks found or given."""

from dataclasses import replace
from pathlib import Path

import mrcfile
import numpy as np
import pytest
from PIL import Image as PillowImage

from deepcryopicker.dataset.catalogue import Block, Entry
from deepcryopicker.errors import MicrographError
from deepcryopicker.picker.masking.masked import given_mask, leave_out, mask_of
from deepcryopicker.pipeline.picking.results.masks import Masks, mask_stamps
from deepcryopicker.pipeline.picking.results.pick_files import Files
from deepcryopicker.preprocessing.preprocessed import Preprocessed
from deepcryopicker.preprocessing.schema import PreprocessingConfig
from deepcryopicker.types import Micrograph, Picks

CHAIN = PreprocessingConfig(24.0, model_input="n", steps={"n": {"operation": "standardise"}})
PICKS = Picks.create([100.0, 700.0, 300.0], [200.0, 50.0, 650.0], [0.9, 0.8, 0.7], diameter=48.0)
ENTRY = Entry("grid/m", Path("m.mrc"), "g", 48.0)


@pytest.fixture
def preprocessed():
    """Noise with a black object of 300 pixels, six diameters, in the upper right corner."""
    image = np.random.default_rng(0).normal(100, 5, (800, 800)).astype(np.float32)
    image[:300, 500:] -= 60
    return Preprocessed(Micrograph("grid/m", Path("m.mrc"), image, 1.5), 48.0, CHAIN)


def test_candidates_in_a_mask_have_no_score_and_come_last():
    mask = np.zeros((400, 400), bool)
    mask[:150, 250:] = True
    left = leave_out(PICKS, mask, 0.5)
    assert left.score.tolist() == [0.9, 0.7, 0.0]
    assert left.x.tolist() == [100, 300, 700]
    assert leave_out(PICKS, None, 0.5) is PICKS
    at_the_edge = Picks.create([-0.4, 799.4], [0.0, 799.4], 0.5)
    assert leave_out(at_the_edge, mask, 0.5).score.tolist() == [0.5, 0.5]


def test_a_mask_is_found(preprocessed):
    mask = mask_of("auto", ENTRY, preprocessed)
    assert mask.shape == preprocessed.flat.image.shape == (400, 400)
    assert mask[20:130, 270:380].all()
    assert not mask[200:, :200].any()
    assert mask_of(None, ENTRY, preprocessed) is None


@pytest.mark.parametrize("largest", [1, 255])
def test_a_given_mask_has_any_size_and_scale(largest):
    image = np.zeros((80, 80), np.float32)
    image[:, 40:] = largest
    mask = given_mask(image, (401, 400))
    assert mask.shape == (401, 400)
    assert mask[:, 205:].all()
    assert not mask[:, :195].any()
    assert not given_mask(np.zeros((4, 4), np.float32), (8, 8)).any()


@pytest.mark.parametrize("below", ["m.png", "grid/m.png", None])
def test_a_folder_has_a_mask_for_each_micrograph_or_a_file_is_for_all(
    tmp_path, preprocessed, below
):
    path = tmp_path / (below or "all.png")
    path.parent.mkdir(exist_ok=True)
    picture = np.zeros((80, 80), np.uint8)
    picture[40:] = 255
    PillowImage.fromarray(picture).save(path)
    mask = mask_of(str(path if below is None else tmp_path), ENTRY, preprocessed)
    assert mask[210:].all()
    assert not mask[:190].any()


def test_a_micrograph_without_a_given_mask_is_picked_everywhere(tmp_path, preprocessed):
    assert mask_of(str(tmp_path), ENTRY, preprocessed) is None


def test_a_given_mask_is_not_squeezed_into_a_block(tmp_path, preprocessed):
    block = replace(ENTRY, block=Block("m", 0, 0, 400, 400))
    with pytest.raises(MicrographError, match="blocks of a micrograph need auto"):
        mask_of(str(tmp_path), block, preprocessed)


def test_given_masks_are_identified_by_their_content(tmp_path):
    (tmp_path / "m.png").write_bytes(b"one")
    before = mask_stamps(str(tmp_path))
    (tmp_path / "m.png").write_bytes(b"other")
    assert len(before) == 1
    assert mask_stamps(str(tmp_path)) != before
    assert mask_stamps("auto") == mask_stamps(None) == []


def test_what_hides_anything_is_written(tmp_path, preprocessed):
    paths = Files.of(tmp_path, ["g"]).masks(ENTRY)
    left = Masks("auto").leave_out(ENTRY, preprocessed, PICKS, paths)
    assert left.score.tolist() == [0.9, 0.7, 0.0]
    with mrcfile.open(tmp_path / "masks" / "grid" / "m.mrc") as file:
        assert file.data.dtype == np.int8
        assert set(np.unique(file.data)) == {0, 1}
        assert file.voxel_size.x == pytest.approx(3.0)
        mask = file.data
    np.testing.assert_array_equal(
        np.asarray(PillowImage.open(tmp_path / "masks" / "grid" / "m.png")) > 0, mask > 0
    )
    clean = Preprocessed(
        Micrograph("grid/m", Path("m.mrc"), preprocessed.micrograph.image[350:]), 48.0, CHAIN
    )
    assert Masks("auto").leave_out(ENTRY, clean, PICKS[:1], paths).score.tolist() == [0.9]
    assert list((tmp_path / "masks" / "grid").iterdir()) == []
