"""Which labels a picker has used, and how many micrographs are kept from what learns by itself."""

from pathlib import Path

import pytest
from PIL import Image

from deepcryopicker.class_set.schema import ClassSetConfig
from deepcryopicker.config.schemas import TrainConfig
from deepcryopicker.dataset.catalogue import Catalogue, Entry
from deepcryopicker.io.coordinates.candidate_csv import write_csv
from deepcryopicker.labeler.schema import AutoConfig, LogConfig, TruthConfig
from deepcryopicker.picker.schema import DenseConfig, LabelerPickerConfig, SlidingConfig
from deepcryopicker.pipeline.inputs.label_use import label_use, learns_from_truth, share_held_out
from deepcryopicker.rivals.learned.schema import Eman2Config, FastRcnnConfig, PixerConfig
from deepcryopicker.rivals.programs.schema import (
    ImportedConfig,
    RelionLogConfig,
    RelionTemplateConfig,
    TopazConfig,
    TopazTrainedConfig,
)
from deepcryopicker.types import Picks

CLASSES = ClassSetConfig(["top", "background"], test=0.3)
TRAINED_BY_THEMSELVES = [
    Eman2Config(),
    PixerConfig(),
    FastRcnnConfig(),
    RelionTemplateConfig(),
    TopazTrainedConfig(),
]
NOT_TRAINED_BY_THEMSELVES = [
    DenseConfig(),
    SlidingConfig(),
    LabelerPickerConfig(labeler=LogConfig()),
    RelionLogConfig(),
    RelionTemplateConfig(templates="averages.mrcs"),
    TopazConfig(),
    ImportedConfig("picks"),
]


def configure(picker, labeler=None, **changes):
    return TrainConfig(
        picker=picker, labeler=labeler or AutoConfig(), class_set=CLASSES, dataset=None, **changes
    )


@pytest.fixture
def known(tmp_path):
    """Two micrographs with three and four true particles, and one without truth."""
    entries = []
    for name, count in (("a", 3), ("b", 4), ("c", None)):
        path, truth = tmp_path / f"{name}.png", None
        Image.new("L", (60, 50)).save(path)
        if count:
            truth = tmp_path / f"{name}.csv"
            write_csv(truth, Picks.create([10.0 * i for i in range(count)], [5.0] * count))
        entries.append(Entry(name, path, "g", truth=truth))
    return Catalogue("known", tuple(entries))


@pytest.mark.parametrize("picker", TRAINED_BY_THEMSELVES, ids=lambda one: type(one).__name__)
def test_a_picker_that_learns_from_truth_is_scored_on_other_micrographs(picker):
    assert learns_from_truth(picker)
    assert share_held_out(configure(picker)) == CLASSES.test
    assert share_held_out(configure(picker, held_out=0.5)) == 0.5
    assert share_held_out(configure(picker, until="weights")) is None  # nothing is picked


@pytest.mark.parametrize("picker", NOT_TRAINED_BY_THEMSELVES, ids=lambda one: type(one).__name__)
def test_other_pickers_hold_out_only_what_is_asked_for(picker):
    assert not learns_from_truth(picker)
    assert share_held_out(configure(picker)) is None
    assert share_held_out(configure(picker, TruthConfig())) is None
    assert share_held_out(configure(picker, held_out=0.5)) == 0.5


@pytest.mark.parametrize(
    ("picker", "labeler", "expected"),
    [
        (DenseConfig(), AutoConfig(), "none"),
        (DenseConfig(), TruthConfig(), "7 picks"),
        (SlidingConfig(), TruthConfig(), "7 picks"),
        (LabelerPickerConfig(labeler=LogConfig()), TruthConfig(), "none"),
        (Eman2Config(), AutoConfig(), "7 picks"),
        (TopazTrainedConfig(), AutoConfig(), "7 picks"),
        (TopazConfig(), AutoConfig(), "pretrained"),
        (RelionLogConfig(), AutoConfig(), "none"),
        (RelionTemplateConfig(), AutoConfig(), "7 picks"),
        (RelionTemplateConfig(picks=200), AutoConfig(), "7 picks"),
        (RelionTemplateConfig(templates="averages.mrcs"), AutoConfig(), "given templates"),
        (ImportedConfig("picks"), TruthConfig(), "imported"),
    ],
)
def test_the_labels_that_a_picker_used_are_stated(known, picker, labeler, expected):
    assert label_use(configure(picker, labeler), known) == expected


def test_templates_use_no_more_picks_than_they_are_given(known):
    many = Catalogue("many", known.entries * 3)
    assert label_use(configure(RelionTemplateConfig(picks=12)), many) == "12 picks"


def test_labels_of_other_datasets_are_called_that(known):
    config = configure(Eman2Config())
    config.held_out_member = "klh"  # its checks need a dataset of several members
    assert label_use(config, known) == "7 picks of others"


def test_without_truth_no_label_is_counted():
    bare = Catalogue("bare", (Entry("a", Path("a.mrc"), "g"),))
    assert label_use(configure(DenseConfig(), TruthConfig()), bare) == "0 picks"
