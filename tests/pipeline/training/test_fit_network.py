"""Weights that a training begins with: those shipped fit the experiments that begin with them."""

import pytest
import torch
from hydra import compose, initialize_config_dir

from deepcryopicker.config import registry
from deepcryopicker.config.paths import CONF_DIR
from deepcryopicker.errors import UsageError
from deepcryopicker.pipeline.training.fitting.fit_network import (
    count_rounds,
    fit_and_test,
    new_network,
)


def configured(*given):
    registry.register()
    with initialize_config_dir(str(CONF_DIR), version_base="1.3"):
        return registry.validated(compose("train", list(given)))


def test_training_without_labels_begins_with_the_general_weights():
    config = configured("+experiment=no_labels", "dataset.micrographs=.", "dataset.diameter=60")
    random = configured(
        "+experiment=no_labels", "dataset.micrographs=.", "dataset.diameter=60", "start_from=null"
    )
    begun, other = new_network(config).state_dict(), new_network(random).state_dict()
    assert begun.keys() == other.keys()
    assert not all(torch.equal(begun[key], other[key]) for key in begun)


def test_weights_of_another_preprocessing_or_network_are_refused():
    common = ("+experiment=no_labels", "dataset.micrographs=.", "dataset.diameter=60")
    with pytest.raises(UsageError, match="trained with another preprocessing"):
        new_network(configured(*common, "preprocessing.working_diameter=30"))
    with pytest.raises(UsageError, match="trained with another model; use model=context"):
        new_network(configured(*common, "model=compact"))


def test_networks_whose_windows_have_edges_are_not_trained_on_crops():
    paper = ("+experiment=klh", "model=deepcryopicker")
    with pytest.raises(UsageError, match=r"model=convolutional finds; set trainer\.crop_steps=0"):
        new_network(configured(*paper, "trainer.crop_steps=10"))
    new_network(configured("+experiment=klh", "trainer.crop_steps=10"))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ((), 1),
        (("labeler=truth",), 2),
        (("labeler=truth", "rounds=3"), 3),
        (("labeler=truth", "trainer.epochs=0", "trainer.crop_steps=9"), 1),
    ],
)
def test_training_on_crops_alone_has_one_round(given, expected):
    assert count_rounds(configured("+experiment=klh", *given)) == expected


def test_more_rounds_on_crops_alone_are_refused():
    config = configured("+experiment=klh", "trainer.epochs=0", "trainer.crop_steps=9", "rounds=2")
    with pytest.raises(UsageError, match=r"crops alone \(trainer.epochs=0\) has one round"):
        new_network(config)


def test_no_epochs_and_no_crops_are_refused():
    with pytest.raises(UsageError, match=r"trainer\.epochs=0 .* set trainer\.crop_steps"):
        configured("+experiment=klh", "trainer.epochs=0")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_missing_gpu_is_refused_without_training_on_windows_too(tmp_path):
    crops = ("trainer.epochs=0", "trainer.crop_steps=9", "trainer.device=cuda")
    config = configured("+experiment=klh", *crops)
    with pytest.raises(UsageError, match=r"trainer\.device=cuda, but torch finds no GPU"):
        fit_and_test(new_network(config), None, [], config, tmp_path, None)
