"""The presets as users get them: composed by Hydra from conf/preprocessing."""

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from deepcryopicker import composition
from deepcryopicker._conf import CONF_DIR


@pytest.fixture
def preset():
    """Compose a preset by name, with overrides as on the command line."""
    composition.register()
    with initialize_config_dir(str(CONF_DIR), version_base="1.3"):

        def composed(name, *overrides):
            given = [f"preprocessing={name}", *(f"preprocessing.{o}" for o in overrides)]
            return OmegaConf.to_object(compose("label", given).preprocessing)

        yield composed
