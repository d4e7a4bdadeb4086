"""Cases 55 to 62: weights and configurations from elsewhere run nothing, and say why not."""

import os
import pickle
import sys
from pathlib import Path

import hydra.utils
import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import load_file, save_file

from deepcryopicker.app.hydra_app import command
from deepcryopicker.errors import UsageError
from deepcryopicker.io.files.yaml_files import MOST_NODES, check_yaml, read_yaml
from deepcryopicker.model.build import build_network
from deepcryopicker.model.schema import CompactConfig
from deepcryopicker.model.weights import CARD, WEIGHTS, Trained, load_weights, save_weights
from deepcryopicker.runs.folder import Run
from deepcryopicker.runs.saved_config import read_settings
from deepcryopicker.trainer.checkpoints import is_readable

SMALL = CompactConfig(widths=[2, 2, 3, 3, 3, 4])


@pytest.fixture
def weights(tmp_path):
    folder = tmp_path / "weights"
    network = build_network(SMALL, 2).eval()
    save_weights(folder, Trained(network, SMALL, ("top", "background"), {}, 60.0, {}))
    return folder


@pytest.fixture
def marker(tmp_path):
    """A file that must not appear."""
    yield tmp_path / "marker"
    assert not (tmp_path / "marker").exists()


class Malice:
    """Touch a file when unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def change(path, **settings):
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | settings))


def test_case_55_names_in_what_people_read(tmp_path, capsys):
    """On the terminal; tests/reporting/test_assemble.py looks at the page of ``report``."""
    run = Run(tmp_path, None, "test", {})

    def fail():
        raise ValueError("<script>alert(1)</script> [bold]x[/bold]")

    path = Path("<script>alert(1)</script>[red]a[/red].mrc")
    assert run.attempt("read", "a", path, fail) is None
    said = capsys.readouterr().out
    assert f"SKIP {path}: ValueError: <script>alert(1)</script> [bold]x[/bold]" in said


@pytest.mark.parametrize("suffix", ["ckpt", "pt", "pth", "pkl", "sav"])
def test_case_56_pickles_are_refused_by_name(weights, marker, suffix):
    path = weights / f"model.{suffix}"
    torch.save(Malice(marker), path)
    with pytest.raises(UsageError, match=r"only \.safetensors is read\n(.|\n)*model\.safetensors"):
        load_weights(path)


def test_case_56_pickle_by_another_name(weights, marker):
    torch.save(Malice(marker), weights / WEIGHTS)
    with pytest.raises(UsageError, match="SHA-256"):
        load_weights(weights)
    change(weights / CARD, sha256=None)
    with pytest.raises(UsageError, match="does not fit"):
        load_weights(weights)


def test_case_56_malicious_checkpoint_of_a_training(tmp_path, marker):
    torch.save({"state_dict": Malice(marker)}, tmp_path / "last.ckpt")
    assert not is_readable(tmp_path / "last.ckpt")


def test_case_56_the_payload_would_have_worked(tmp_path):
    pickle.loads(pickle.dumps(Malice(tmp_path / "made")))
    assert (tmp_path / "made").exists()


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"classes": ["top", "side", "background"]}, "head.*expected.*3.*found"),
        ({"model": {"name": "compact", "widths": [2, 2, 3, 3, 3, 5]}}, "expected.*5.*found.*4"),
        ({"model": {"name": "timm", "backbone": "resnet18"}}, "expected.*found None"),
    ],
)
def test_case_57_weights_of_another_network(weights, settings, reason):
    change(weights / CARD, **settings)
    with pytest.raises(UsageError, match=f"does not fit model.yaml beside it: .*{reason}"):
        load_weights(weights)


def test_case_58_truncated_weights(weights):
    whole = (weights / WEIGHTS).read_bytes()
    for length in (0, 5, 100, len(whole) - 1):
        (weights / WEIGHTS).write_bytes(whole[:length])
        with pytest.raises(UsageError, match="is damaged or of another run: its SHA-256"):
            load_weights(weights)
    (weights / WEIGHTS).write_bytes(whole)
    assert load_weights(weights).classes == ("top", "background")


def test_case_58_weights_of_another_run(weights):
    state = load_file(weights / WEIGHTS)
    save_file({name: value + 1 for name, value in state.items()}, weights / WEIGHTS)
    with pytest.raises(UsageError, match="copy both files again, from one run folder"):
        load_weights(weights)


def test_case_59_weights_that_are_not_numbers(weights):
    state = load_file(weights / WEIGHTS)
    next(value for value in state.values() if value.ndim > 1)[0] = np.nan
    save_file(state, weights / WEIGHTS)
    change(weights / CARD, sha256=None)
    with pytest.raises(UsageError, match="holds NaN or infinite weights"):
        load_weights(weights)


@pytest.fixture
def typed(tmp_path, monkeypatch, capsys):
    """Type a ``pick`` that does nothing; gives the exit code and what is said."""
    monkeypatch.chdir(tmp_path)
    ran = []

    def pick(config, run):
        ran.append(config)

    def type_in(*arguments):
        ran.clear()
        where = [] if any("hydra.run.dir" in one for one in arguments) else ["hydra.run.dir=run"]
        monkeypatch.setattr(sys, "argv", ["pick", *arguments, *where])
        code = command(pick, "pick")
        assert len(ran) == (code == 0)
        return code, capsys.readouterr().err

    return type_in


def evil_sections(marker):
    opening = {"_target_": "builtins.open", "file": str(marker), "mode": "w"}
    factory = {"()": "builtins.open", "file": str(marker), "mode": "w"}
    logging = {"version": 1, "root": {"handlers": ["a"]}}
    decoded = f"{{_target_: builtins.open, file: {marker}, mode: w}}"
    return {
        "callback": {"callbacks": {"a": opening}},
        "decoded callback": {"callbacks": {"a": f"${{oc.decode:'{decoded}'}}"}},
        "nested": {
            "callbacks": {"sweep": {"_target_": "deepcryopicker.runs.sweep.Watch", "a": opening}}
        },
        "unlink": {"callbacks": {"a": {"_target_": "pathlib.Path.unlink", "_args_": ["x"]}}},
        "hub": {"callbacks": {"a": {"_target_": "torch.hub.load", "repo_or_dir": "x/y"}}},
        "system": {"callbacks": {"a": {"_target_": "os.system", "command": f"touch {marker}"}}},
        "launcher": {"launcher": {"_target_": "builtins.open"}},
        "sweeper": {"sweeper": {"_target_": "builtins.open"}},
        "logging": {"job_logging": logging | {"handlers": {"a": factory}}},
        "hydra's logging": {"hydra_logging": logging | {"handlers": {"a": factory}}},
        "opening handler": {
            "callbacks": {"a": {"_target_": "logging.FileHandler", "filename": str(marker)}}
        },
        "opening formatter": {
            "job_logging": logging
            | {
                "handlers": {},
                "formatters": {
                    "a": {"class": "logging.FileHandler", "format": str(marker), "datefmt": "w"}
                },
            }
        },
        "importing stream": {
            "job_logging": logging
            | {"handlers": {"a": {"class": "logging.StreamHandler", "stream": "ext://this"}}}
        },
        "attribute": {"job_logging": {"handlers": {"file": {".": {"baseFilename": str(marker)}}}}},
        "log file": {"job_logging": {"handlers": {"file": {"filename": str(marker)}}}},
        "environment": {"job": {"env_set": {"PATH": "/tmp"}}},
    }


SECTIONS = sorted(evil_sections(Path("marker")))


def test_case_60_the_payload_would_have_worked(tmp_path):
    made = tmp_path / "made"
    hydra.utils.instantiate({"_target_": "builtins.open", "file": str(made), "mode": "w"}).close()
    assert made.exists()


@pytest.mark.parametrize("name", SECTIONS)
@pytest.mark.parametrize("sweep", [False, True])
@pytest.mark.thorough
def test_case_60_malicious_experiment(typed, tmp_path, marker, name, sweep):
    (tmp_path / "conf" / "experiment").mkdir(parents=True)
    content = yaml.safe_dump({"hydra": evil_sections(marker)[name]})
    evil = tmp_path / "conf" / "experiment" / "evil.yaml"
    evil.write_text(f"# @package _global_\n{content}")
    mode = ["-m"] if sweep else []
    code, said = typed(*mode, "--config-dir", str(tmp_path / "conf"), "+experiment=evil")
    assert code == 2
    assert said.startswith("error: hydra.")
    assert "Traceback" not in said
    assert len(said.splitlines()) <= 2
    assert not any(path.is_file() for path in (tmp_path / "run").rglob("*"))


def test_case_60_malicious_config_of_a_run(typed, tmp_path, marker):
    """The config.yaml of a run folder that somebody sent, as one would repeat it."""
    assert typed("dataset=simulated", "seed=5")[0] == 0
    config = tmp_path / "run" / "config.yaml"
    assert typed("--config-dir", "run", "--config-name", "config", "hydra.run.dir=again")[0] == 0
    settings = yaml.safe_load(config.read_text())
    settings["hydra"] |= evil_sections(marker)["callback"]
    config.write_text(yaml.safe_dump(settings))
    code, said = typed("--config-dir", "run", "--config-name", "config", "hydra.run.dir=third")
    assert code == 2
    assert "hydra.callbacks.a._target_=builtins.open is refused" in said


def test_case_60_what_is_typed_is_checked_too(typed, marker):
    code, said = typed(
        "+hydra.callbacks.a._target_=builtins.open", f"+hydra.callbacks.a.file={marker}"
    )
    assert (code, "is refused" in said) == (2, True)
    code, said = typed("+dataset._target_=os.system")
    assert (code, "_target_" in said) == (2, True)
    assert typed("dataset=simulated", "+hydra.job.env_set.DEEPCRYOPICKER_TEST=1")[0] == 0
    os.environ.pop("DEEPCRYOPICKER_TEST", None)


def test_case_60_config_beside_weights_is_never_built(weights, marker):
    """Weights come with their run's config.yaml; nothing of it is read, whatever it says."""
    for name in ("config.yaml", ".hydra/hydra.yaml", ".hydra/config.yaml"):
        (weights / name).parent.mkdir(exist_ok=True)
        (weights / name).write_text(yaml.safe_dump({"hydra": evil_sections(marker)["callback"]}))
    assert load_weights(weights).classes == ("top", "background")


def test_case_60_target_on_the_card_is_never_built(weights, marker):
    model = {"_target_": "builtins.open", "file": str(marker), "mode": "w"}
    change(weights / CARD, preprocessing=model, provenance=model)
    assert load_weights(weights).preprocessing == model  # data; the schema refuses it next
    change(weights / CARD, model=model | {"name": "compact"})
    with pytest.raises(UsageError, match="not a model card"):
        load_weights(weights)


@pytest.mark.parametrize(
    ("override", "parts"),
    [
        ("picker.threshold=7", ["picker.threshold", "[0, 1]", "got 7"]),
        ("picker.treshold=0.5", ["'picker.treshold'", "Did you mean picker.threshold=0.5?"]),
        ("overlays=many", ["overlays", "a whole number"]),
        ("dataset.dose=-3", ["dataset.dose", "> 0", "-3"]),
    ],
)
def test_case_61_wrong_values(typed, override, parts):
    code, said = typed(override)
    assert code == 2
    assert all(part in said for part in parts)


def bomb(levels=9):
    """Ten aliases of the level before in every level: a billion values in half a kilobyte."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    for level in range(1, levels):
        lines.append(f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]")
    return "\n".join(lines)


HOSTILE = {
    "bomb": (bomb(), "expand to more than"),
    "loop": ("a: &a [*a]", "expand to more than"),
    "huge": ("a: " + "x" * 1_000_001, "larger than 1 MB"),
    "deep": ("[" * 20_000, "nested too deeply"),
    "broken": ("a: [", "is not YAML"),
    "binary": (b"\xff\xfe\x80", "is not YAML"),
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.thorough
def test_case_62_hostile_yaml(typed, tmp_path, weights, name):
    content, reason = HOSTILE[name]
    content = content if isinstance(content, bytes) else content.encode()
    path = tmp_path / "conf" / "experiment" / "evil.yaml"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    with pytest.raises(UsageError, match=reason):
        check_yaml(path)
    code, said = typed("--config-dir", str(tmp_path / "conf"), "+experiment=evil")
    assert (code, reason in said, len(said.splitlines())) == (2, True, 1)
    (weights / CARD).write_bytes(content)
    with pytest.raises(UsageError, match=reason):
        load_weights(weights)
    (weights / "config.yaml").write_bytes(content)
    assert read_settings(weights) == {}


@pytest.mark.thorough
def test_case_62_aliases_in_reason_are_fine(tmp_path):
    (tmp_path / "a.yaml").write_text("base: &b {x: 1}\nother: {<<: *b, y: 2}\nlist: [*b, *b]\n")
    assert read_yaml(tmp_path / "a.yaml")["other"] == {"x": 1, "y": 2}
    (tmp_path / "a.yaml").write_text(f"[{'1, ' * (MOST_NODES - 2)}]")
    check_yaml(tmp_path / "a.yaml")


@pytest.mark.parametrize("name", ["..", "a/b", "/tmp", ""])
def test_case_60_names_of_datasets_are_folders_of_results(typed, name):
    code, said = typed("dataset=folder", "dataset.micrographs=x", f"dataset.name='{name}'")
    assert (code, "must be a folder name without '/'" in said) == (2, True)
