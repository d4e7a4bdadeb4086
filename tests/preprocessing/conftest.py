"""Presets composed by Hydra: those of conf/preprocessing, and the authors' variants kept here."""

from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from deepcryopicker.config import registry
from deepcryopicker.config.paths import CONF_DIR

PRESETS = Path(__file__).with_name("presets")


@pytest.fixture
def preset():
    """Compose a preset by name, with overrides as on the command line."""
    registry.register()
    with initialize_config_dir(str(CONF_DIR), version_base="1.3"):

        def composed(name, *overrides):
            given = [f"preprocessing={name}", *(f"preprocessing.{o}" for o in overrides)]
            given.append(f"hydra.searchpath=[file://{PRESETS}]")
            return OmegaConf.to_object(compose("label", given).preprocessing)

        yield composed
