"""A run continues after one bad micrograph, stops after all of them, and writes valid JSON."""

import csv
import json
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.errors import ConfigCompositionException
from omegaconf import OmegaConf

from deepcryopicker.config import registry
from deepcryopicker.config.paths import CONF_DIR
from deepcryopicker.errors import MicrographError, NothingUsableError, UsageError
from deepcryopicker.runs import made_with, saved_config
from deepcryopicker.runs.folder import Run


@pytest.fixture
def run(tmp_path):
    return Run(tmp_path, group=None, name="test", settings={})


def fail_with(error):
    def work():
        raise error

    return work


def test_what_works_is_handed_back(run):
    assert run.attempt("picking", "a", Path("a.mrc"), lambda: 7) == 7
    assert run.failures == []
    assert list(run.folder.iterdir()) == []


def test_a_failure_is_one_line_and_one_row(run, capsys):
    error = MicrographError("header says [512] bytes, file has 100")
    assert run.attempt("picking", "sub/a", Path("/data/sub/a.mrc"), fail_with(error)) is None
    assert capsys.readouterr().out == f"SKIP /data/sub/a.mrc: {error}\n"
    with (run.folder / "failures.csv").open() as stream:
        assert list(csv.DictReader(stream)) == [
            {
                "micrograph": "sub/a",
                "path": "/data/sub/a.mrc",
                "stage": "picking",
                "reason": str(error),
            }
        ]


def test_failures_add_up(run):
    for name in "abc":
        run.attempt("picking", name, Path(f"{name}.mrc"), fail_with(MicrographError("no")))
    with (run.folder / "failures.csv").open() as stream:
        assert [row["micrograph"] for row in csv.DictReader(stream)] == ["a", "b", "c"]


def test_a_micrograph_that_fails_at_every_stage_is_reported_once(run, capsys):
    for stage in ("label", "picking", "baseline"):
        run.attempt(stage, "a", Path("a.mrc"), fail_with(MicrographError("truncated")))
    run.attempt("picking", "a", Path("a.mrc"), fail_with(MicrographError("another reason")))
    assert capsys.readouterr().out.count("SKIP") == len(run.failures) == 2


@pytest.mark.parametrize(
    "error",
    [OSError("gone"), ValueError("first\nsecond"), MemoryError(), KeyError("7"), RuntimeError("8")],
)
def test_an_unforeseen_failure_leaves_its_traceback_in_a_file(run, capsys, error):
    assert run.attempt("picking", "a", Path("a.mrc"), fail_with(error)) is None
    line = capsys.readouterr().out
    assert line.startswith(f"SKIP a.mrc: {type(error).__name__}")
    assert line.count("\n") == 1
    assert "Traceback" in (run.folder / "errors.log").read_text()


@pytest.mark.parametrize("error", [UsageError("wrong key"), KeyboardInterrupt()])
def test_wrong_usage_and_signals_stop_the_run(run, error):
    with pytest.raises(type(error)):
        run.attempt("picking", "a", Path("a.mrc"), fail_with(error))
    assert run.failures == []


def test_a_run_without_any_micrograph_stops(run):
    run.require(1, "picking")
    with pytest.raises(NothingUsableError, match=r"picking.*failures\.csv"):
        run.require(0, "picking")


def test_metrics_are_json_even_where_a_number_is_not_finite(run):
    run.write_metrics(
        {"f1": float("nan"), "nested": {"deep": [1.5, float("inf")]}, "pair": (1, None)}
    )
    text = (run.folder / "metrics.json").read_text()

    def refuse(word):
        raise AssertionError(f"{word} is not JSON")

    metrics = json.loads(text, parse_constant=refuse)
    assert metrics["f1"] is None
    assert metrics["nested"] == {"deep": [1.5, None]}
    assert metrics["pair"] == [1, None]
    assert metrics["failures"] == 0
    assert metrics["provenance"]["version"]


def test_metrics_say_what_they_were_computed_with(tmp_path):
    Run(tmp_path, group=None, name="test", settings={"seed": 7}).write_metrics({})
    source = json.loads((tmp_path / "metrics.json").read_text())["provenance"]
    assert source["seed"] == 7
    libraries = {"torch", "numpy", "scipy", "opencv-python-headless", "timm", "lightning"}
    others = {"python", "hydra-core", "torchvision", "scikit-image", "mrcfile", "wandb"}
    assert set(source["versions"]) == {*others, *libraries}
    for name in libraries:
        assert source["versions"][name] == version(name)


def test_without_a_library_its_version_is_null(monkeypatch):
    def missing(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(made_with, "version", missing)
    assert made_with.provenance()["versions"]["torch"] is None


@pytest.fixture
def again(tmp_path):
    """Compose a command's configuration, write it as a run does, and compose it from there."""
    registry.register()

    def compose_twice(command, *overrides, then=()):
        with initialize_config_dir(str(CONF_DIR), version_base="1.3"):
            first = compose(command, list(overrides))
        OmegaConf.resolve(first)
        (tmp_path / "config.yaml").write_text(saved_config.as_primary(first))
        searched = f"hydra.searchpath=[{CONF_DIR}]"
        with initialize_config_dir(str(tmp_path), version_base="1.3"):
            return first, compose("config", [searched, *then])

    return compose_twice


COMPOSED = [
    ("train", []),
    ("train", ["baseline=null", "labeler=kmeans", "model=timm", "class-set=five"]),
    ("train", ["picker@baseline=auto", "labeler@baseline.labeler=ibc", "logger=csv"]),
    ("label", ["labeler=auto", "preprocessing=matlab", "preprocessing.scale=0.7"]),
    ("label", ["dataset=folder", "dataset.micrographs=a b/*.mrc", "dataset.pixel_size=1e-5"]),
    ("pick", ["picker=auto"]),
    ("pick", ["picker=supercryopicker", "picker.labeler.selection.overlap=0.5"]),
    ("evaluate", ["evaluate.picks=p", "evaluate.truth=t"]),
]


@pytest.mark.parametrize(("command", "overrides"), COMPOSED)
@pytest.mark.thorough
def test_what_a_run_leaves_composes_to_the_same(again, command, overrides):
    first, second = again(command, *overrides)
    assert second == first
    assert registry.validated(second) == registry.validated(first)
    assert type(registry.validated(second)) is registry.COMMANDS[command]


def test_published_numbers_stay_with_the_run(tmp_path):
    """They are composed from a file, as their names hold an equals sign."""
    registry.register()
    with initialize_config_dir(str(CONF_DIR), version_base="1.3"):
        first = compose("train")
    written = saved_config.as_primary(first).replace(
        "reference: {}", "reference: {f1: {class-set=five: 0.98}}"
    )
    (tmp_path / "config.yaml").write_text(written)
    with initialize_config_dir(str(tmp_path), version_base="1.3"):
        second = compose("config", [f"hydra.searchpath=[{CONF_DIR}]"])
    assert registry.validated(second).reference == {"f1": {"class-set=five": 0.98}}
    assert saved_config.as_primary(second).count("class-set=five: 0.98") == 1


@pytest.mark.parametrize(
    ("command", "overrides", "slip"),
    [
        ("train", [], "model.dropoutt=1"),
        ("train", [], "baseline.labeler.typical.weakestt=0.1"),
        ("label", ["labeler=auto"], "labeler.seeds.selection.modee=robust"),
        ("pick", ["picker=auto"], "picker.labeler.clipp=2"),
        ("pick", [], "dataset.kind=[klh]"),
        ("pick", [], "seedd=1"),
    ],
)
@pytest.mark.thorough
def test_every_key_of_what_a_run_leaves_is_checked(again, command, overrides, slip):
    with pytest.raises(ConfigCompositionException):
        again(command, *overrides, then=[slip])
