"""A command loads what it uses: `pick` no other picker, no training, no plots; a typo no torch."""

import gc
import subprocess
import sys

import pytest
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.utils import create_config_search_path
from hydra.core.utils import setup_globals
from hydra.errors import ConfigCompositionException, HydraException
from hydra.types import RunMode
from omegaconf import OmegaConf

from deepcryopicker.app.safety import CheckedLoader
from deepcryopicker.app.start import no_collections
from deepcryopicker.config.paths import CONF_DIR
from deepcryopicker.config.registry import register
from tests.nights import write_micrograph

# Runs a command, then prints its exit code and all that is loaded.
PROGRAM = """
import runpy, sys
try:
    runpy.run_module("deepcryopicker.pick", run_name="__main__", alter_sys=True)
except SystemExit as ended:
    print("\\n" + " ".join([str(ended.code), *sys.modules]))
"""
NOT_FOR_PICKING = (
    "deepcryopicker.class_set",
    "deepcryopicker.evaluation",
    "deepcryopicker.labeler",
    "deepcryopicker.logger",
    "deepcryopicker.paper",
    "deepcryopicker.pipeline.labels",
    "deepcryopicker.pipeline.training",
    "deepcryopicker.plots.overlays",
    "deepcryopicker.plots.result_figures",
    "deepcryopicker.plots.score_maps",
    "deepcryopicker.reporting",
    "deepcryopicker.rivals",
    "deepcryopicker.runs.slurm",
    "deepcryopicker.trainer",
)
# Packages that a schema, which every command checks, lies in.
CODELESS = {
    f"deepcryopicker.{name}"
    for name in (
        *("class_set", "labeler", "logger", "rivals", "rivals.learned", "rivals.programs"),
        "trainer",
    )
}
HEAVY = (
    *("jinja2", "lightning", "matplotlib", "pandas", "PIL", "pooch", "requests", "scipy.ndimage"),
    *("scipy.optimize", "scipy.stats", "skimage", "starfile", "sympy", "tifffile", "timm"),
    *("torch._dynamo", "torchvision", "wandb"),
)
HEAVIEST = ("torch", "scipy", "cv2", "safetensors", "mrcfile")


def loaded(*typed, folder):
    """Exit code of `pick` and the modules loaded at its end."""
    answer = subprocess.run(
        [sys.executable, "-c", PROGRAM, *typed],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    code, *modules = answer.stdout.splitlines()[-1].split()
    return int(code), modules


def within(modules, packages):
    """The modules of some packages, those without code of their own and schemas excepted."""
    return [
        name
        for name in modules
        if any(name == package or name.startswith(f"{package}.") for package in packages)
        if name not in CODELESS and not name.endswith(".schema")
    ]


def test_a_network_picks_without_the_other_pickers_and_the_training(tmp_path):
    (tmp_path / "micrographs").mkdir()
    write_micrograph(tmp_path / "micrographs" / "one.mrc", 0)
    given = ["dataset=folder", "dataset.micrographs=micrographs", "dataset.diameter=24"]
    code, modules = loaded(*given, "overlays=0", "hydra.run.dir=run", folder=tmp_path)
    assert code == 0
    assert (tmp_path / "run" / "picks" / "one.csv").is_file()
    assert within(modules, NOT_FOR_PICKING) == []
    assert within(modules, HEAVY) == []
    assert "torch" in modules


@pytest.mark.parametrize(("typed", "code"), [("picker=dens", 2), ("overlay=0", 2), ("--help", 0)])
def test_typos_and_help_are_answered_without_torch(tmp_path, typed, code):
    ended, modules = loaded(typed, "dataset=folder", folder=tmp_path)
    assert ended == code
    assert within(modules, HEAVY + HEAVIEST) == []
    assert "deepcryopicker.pipeline.picking.pick_dataset" not in modules


@pytest.fixture
def loader():
    register()
    setup_globals()
    return CheckedLoader(create_config_search_path(str(CONF_DIR)))


def ask_for_mode(loader, overrides):
    """Compose as Hydra does to learn whether a run is a single one."""
    return loader.load_configuration(
        "pick", overrides, RunMode.MULTIRUN, validate_sweep_overrides=False
    )


def test_a_single_run_is_composed_once(loader):
    overrides = ["dataset=folder", "dataset.micrographs=DIR", "hydra.job.name=x"]
    first = ask_for_mode(loader, overrides)
    overrides.append("hydra.mode=RUN")
    kept = loader.load_configuration("pick", overrides, RunMode.RUN)
    assert kept is first
    kept.hydra.mode = RunMode.RUN  # Hydra does so where it is not set
    again = ConfigLoaderImpl.load_configuration(loader, "pick", overrides, RunMode.RUN)
    assert OmegaConf.to_yaml(kept) == OmegaConf.to_yaml(again)


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        (["seed=1"], ["seed=2", "hydra.mode=RUN"]),
        (["seed=1"], ["seed=1", "hydra.mode=RUN", "overlays=0"]),
    ],
)
def test_what_is_kept_serves_the_same_command_line_only(loader, asked, wanted):
    first = ask_for_mode(loader, asked)
    assert loader.load_configuration("pick", wanted, RunMode.RUN) is not first


@pytest.mark.parametrize("typo", ["dataset=foldr", "dataset.no_such_key=1"])
def test_a_typo_is_composed_once_and_said_as_hydra_says_it(loader, typo, monkeypatch):
    overrides = [typo, "hydra.mode=RUN"]
    with pytest.raises(HydraException) as expected:
        ConfigLoaderImpl.load_configuration(loader, "pick", overrides, RunMode.RUN)
    with pytest.raises(HydraException):
        ask_for_mode(loader, [typo])
    monkeypatch.setattr(ConfigLoaderImpl, "load_configuration", None)
    with pytest.raises(HydraException) as kept:
        loader.load_configuration("pick", overrides, RunMode.RUN)
    assert (type(kept.value), str(kept.value)) == (type(expected.value), str(expected.value))


def test_several_values_of_a_single_run_are_refused_all_the_same(loader):
    ask_for_mode(loader, ["seed=1,2"])
    with pytest.raises(ConfigCompositionException, match="Ambiguous"):
        loader.load_configuration("pick", ["seed=1,2", "hydra.mode=RUN"], RunMode.RUN)


def test_collections_are_off_while_modules_load_and_on_again_after_an_error():
    def fail():
        with no_collections():
            assert not gc.isenabled()
            raise ImportError

    with pytest.raises(ImportError):
        fail()
    assert gc.isenabled()
