"""What the labelers must find in the real micrographs; the authors' chain through the command.

The limits are acceptance criteria: what was measured when the labelers were made, less a margin.
"""

import cv2
import numpy as np
import pytest
from hydra import compose, initialize_config_dir

from deepcryopicker.config.paths import CONF_DIR
from deepcryopicker.config.registry import register, validated
from deepcryopicker.io.coordinates.formats import read_picks
from deepcryopicker.pipeline.inputs.open_dataset import open_catalogue, settle_diameter
from deepcryopicker.pipeline.labels.label_dataset import label_each
from deepcryopicker.pipeline.labels.label_files import count, summarise_labels
from deepcryopicker.runs.folder import Run

pytestmark = [pytest.mark.real, pytest.mark.thorough]

# The least that is accepted: of all candidates, then of the good ones.
LIMITS = {
    "apoferritin": {"precision": 0.95, "recall": 0.95, "purity": 0.99, "yield": 0.3},
    "klh": {
        "precision": 0.9,
        "recall": 0.8,
        "class_accuracy": 0.95,
        "purity": 0.95,
        "yield": 0.3,
    },
    "ribosome": {"precision": 0.95, "recall": 0.9, "purity": 0.98, "yield": 0.3},
    "beta_galactosidase": {"best_f1": 0.8, "purity": 0.83, "yield": 0.3},
}
# Original pixels; of KLH the top views', whose side views have 160.
DIAMETERS = {"apoferritin": 60, "klh": 144, "ribosome": 92, "beta_galactosidase": 108}


def configure(real_data, *overrides):
    """The configuration of ``label``."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEEPCRYOPICKER_DATA", str(real_data.resolve()))
        register()
        with initialize_config_dir(str(CONF_DIR), version_base="1.3"):
            return validated(compose("label", list(overrides)))


@pytest.fixture(scope="session")
def labels(real_data, tmp_path_factory):
    """Label a dataset with the defaults, once; the row of it in ``metrics.json``."""
    known = {}

    def label(dataset):
        if dataset not in known:
            config = configure(real_data, f"dataset={dataset}")
            run = Run(tmp_path_factory.mktemp(dataset), None, "test", {})
            rows, evaluated = [], []
            catalogue = open_catalogue(config.dataset)
            for one in label_each(catalogue, config.preprocessing, config.labeler, run):
                rows.append(count(one))
                if one.evaluated is not None:
                    evaluated.append(one.evaluated)
            assert run.failures == []
            assert len(rows) == len(catalogue.entries)
            (known[dataset],) = summarise_labels(rows, evaluated)
        return known[dataset]

    return label


@pytest.mark.parametrize(
    ("dataset", "score"), [(name, score) for name, limits in LIMITS.items() for score in limits]
)
def test_labels_are_good_enough(labels, dataset, score):
    assert labels(dataset)[score] >= LIMITS[dataset][score]


SLOW = ("apoferritin", "klh", "beta_galactosidase")  # some 20 s each on two cores


@pytest.mark.parametrize(
    "dataset",
    [pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else []) for name in DIAMETERS],
)
def test_the_diameter_is_estimated(real_data, tmp_path, dataset):
    config = configure(real_data, f"dataset={dataset}", "dataset.diameter=null")
    run = Run(tmp_path, None, "test", {})
    catalogue = open_catalogue(config.dataset)
    settled = settle_diameter(catalogue, config.preprocessing, config.labeler, run)
    (diameter,) = {entry.diameter for entry in settled.entries}
    assert diameter == pytest.approx(DIAMETERS[dataset], rel=0.12)


# The authors' pictures of the steps that they published.
GOLDEN = {
    "normalise": "Normalized",
    "cec": "CEC",
    "equalise": "HE",
    "wiener": "Restored",
    "clahe_unclipped": "Adaptive_Histogram_Equlaizer",
    "restretch": "Gaudided",
    "opening": "Morphological",
}
ONE = "May08_03.13.02.bin_avg"


@pytest.fixture(scope="session")
def as_the_authors(shell, real_data):
    """The authors' chain and clustering, through the command."""
    micrograph = (real_data / "apoferritin" / "micrographs" / f"{ONE}.png").resolve()
    return shell(
        "label",
        "dataset=folder",
        f"dataset.micrographs={micrograph}",
        "dataset.diameter=60",
        "preprocessing=matlab",
        "labeler=ibc",
        "preprocessing.save_stages=true",
        run="as_the_authors",
    )


def read(path):
    levels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert levels is not None, f"{path} is missing"
    return levels


@pytest.mark.parametrize("step", GOLDEN)
def test_a_stage_is_the_authors_on_every_pixel(as_the_authors, real_data, step):
    stage = read(as_the_authors.folder / "stages" / ONE / f"{step}.png")
    golden = read(real_data / "golden" / "apoferritin" / f"{GOLDEN[step]}.png")
    assert stage.dtype == np.uint16
    levels = np.floor(stage * (255 / 65535) + 0.5)
    np.testing.assert_array_equal(levels, golden)


def test_the_rescaled_micrograph_is_the_authors(as_the_authors, real_data):
    stage = read(as_the_authors.folder / "stages" / ONE / "rescaled.png")
    golden = read(real_data / "golden" / "apoferritin" / "originalImage.png")
    assert stage.dtype == np.uint16
    np.testing.assert_array_equal(stage, golden)


def test_the_authors_chain_is_clustered_at_its_own_scale(as_the_authors):
    assert (as_the_authors.code, as_the_authors.err) == (0, "")
    assert read(as_the_authors.folder / "masks" / f"{ONE}.png").shape == (600, 620)
    assert len(read_picks(as_the_authors.folder / "picks" / f"{ONE}.csv")) >= 150
