"""Settling the particle diameter over a folder that is not all good."""

import mrcfile
import numpy as np
import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from deepcryopicker.config.paths import CONF_DIR
from deepcryopicker.config.registry import register
from deepcryopicker.dataset.open_files import open_folder
from deepcryopicker.dataset.schema import FolderConfig
from deepcryopicker.dataset.simulator import DOSE, KINDS, simulate
from deepcryopicker.pipeline.inputs.open_dataset import settle_diameter
from deepcryopicker.runs.folder import Run


@pytest.mark.thorough
def test_blank_micrograph_is_left_out_and_the_others_are_measured(tmp_path, capsys):
    simulated = simulate(KINDS["apoferritin"], (512, 512), DOSE, seed=3)
    for name, image in (("a", np.full((512, 512), 5, np.float32)), ("b", simulated.image)):
        with mrcfile.new(tmp_path / f"{name}.mrc") as file:
            file.set_data(image)
    register()
    with initialize_config_dir(str(CONF_DIR), version_base="1.3"):
        config = OmegaConf.to_object(compose("train"))
    run = Run(tmp_path / "run", None, "test", {})
    catalogue = open_folder(FolderConfig(micrographs=str(tmp_path)))
    settled = settle_diameter(catalogue, config.preprocessing, config.labeler, run)
    said = capsys.readouterr().out
    assert "SKIP" not in said
    assert "confidence" not in said
    assert "contrast: how clearly this size stands out from noise, not its accuracy" in " ".join(
        said.split()
    )
    header, row = (run.folder / "diameters.csv").read_text().splitlines()
    assert header == "what,diameter,contrast"
    assert f"estimated at {row.split(',')[1]} pixels, contrast " in said
    assert run.failures == []
    assert settled.entries[1].diameter == pytest.approx(simulated.diameter[0], rel=0.35)
