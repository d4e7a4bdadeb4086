"""Slips on the command line are answered in a line or two that say what to type instead."""

import os
import subprocess
import sys

import pytest
from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins

from deepcryopicker.app.experiment_names import list_experiments
from deepcryopicker.app.hydra_app import command
from deepcryopicker.config.paths import CONF_DIR
from deepcryopicker.config.registry import COMMANDS
from deepcryopicker.config.renamed import EXPERIMENTS
from deepcryopicker.evaluate import evaluate
from deepcryopicker.report import report
from deepcryopicker.train import train

# What was typed, and what the answer must hold: the offender and what to type instead.
SLIPS = [
    ("model=compactt", "model called 'compactt'", "model=compact?"),
    ("modell=compact", "'modell'", "model=compact?"),
    ("modell.dropout=0.1", "'modell.dropout'", "model.dropout=0.1?"),
    ("clas-set=five", "'clas-set'", "class-set=five?"),
    ("optimizer.lr=1", "'optimizer.lr'", "trainer"),
    ("model.dropoutt=1", "'model.dropoutt'", "model.dropout=1?"),
    ("model.dropout=abc", "model.dropout=abc", "a number, such as model.dropout=0.2"),
    ("trainer.epochs=2.5", "trainer.epochs=2.5", "a whole number, such as trainer.epochs=12"),
    ("trainer.epochs=null", "trainer.epochs=null", "such as trainer.epochs=12"),
    ("preprocessing.save_stages=maybe", "save_stages=maybe", "true or false"),
    ("dataset.kinds=klh", "dataset.kinds=klh", "a list in square brackets, such as"),
    ("logger.wandb=true", "logger.wandb=true", "set its keys"),
    ("picker.threshold=3", "picker.threshold", "[0, 1], got 3"),
    ("baseline.threshold=3", "baseline.threshold", "[0, 1], got 3"),
    ("trainer.learning_rate=nan", "trainer.learning_rate", "finite number, got nan"),
    ("dataset.kinds=[klhh]", "klhh", "Did you mean klh?"),
    ("trainer.device=gpu", "trainer.device", "auto, cpu, cuda"),
    ("class_set=four_no_negative", "'class_set'", "class-set=four_no_negative"),
    ("baseline=log", "'baseline'", "picker@baseline=log"),
    ("class-set.classes=[top]", "'class-set.classes'", "'class_set.classes=[top]'?"),
    ("+experiment=demoo", "experiment called 'demoo'", "+experiment=demo?"),
    ("experiment=demo", "experiment=demo", "write +experiment=demo"),
    ("experiment=table9", "experiment table9 is now paper/table9", "+experiment=paper/table9"),
    ("+experiment=benchmark_klh", "benchmark_klh is now", "type +experiment=benchmark/klh"),
    ("+experiment=distanc", "called 'distanc'", "+experiment=ablation/distance?"),
    ("+experiment=paper/tabel4", "called 'paper/tabel4'", "+experiment=paper/table4?"),
    ("+experiment=benchmark", "a folder of experiments", "+experiment=benchmark/apoferritin"),
    ("experiment/rival=x", "experiment/rival=x", "write +experiment/rival=x"),
    ("--picker.threshold=3", "picker.threshold", "[0, 1], got 3"),
    ("--experiment=demoo", "experiment called 'demoo'", "+experiment=demo?"),
    ("--threshold=0.3", "--threshold", "write picker.threshold=0.3"),
    ("--weights", "--weights", "write picker.weights=VALUE"),
    ("--adapt", "--adapt", "write adapt=VALUE"),
    ("--multirunn", "--multirunn", "Did you mean --multirun?"),
    ("--nonsense", "--nonsense", "key=value"),
    ("--cfg=x", "--cfg", "choose from 'job'"),
    ("seed=1,2", "seed=1,2 is more than one value", "add -m"),
    ("seed=range(1,4)", "seed=range(1,4) is more than one value", "add -m"),
    ("+picker.threshold=0.4", "+picker.threshold=0.4", "write picker.threshold=0.4"),
    ("+model.depth=4", "'model.depth'", "dropout, widths"),
    ("++colour=red", "'colour'", "choose from: adapt, baseline"),
    ("model.backbone=resnet18", "model.backbone", "add model=timm"),
    ("dataset.micrographs=DIR", "dataset.micrographs", "add dataset=folder"),
    ("model.widths=[1", "model.widths=[1", "add ]"),
    ("dataset.name=a b=c", "dataset.name=a b=c", "quotes"),
    ("nonsense", "'nonsense'", "key=value"),
    ("model=null", "null", "--help"),
    ("preprocessing.steps.wienerr=null", "steps.wienerr", "preprocessing.steps.wiener=null?"),
    ("preprocessing.model_input=cek", "'cek'", "Did you mean cec?"),
    ("dataset=apoferritin", "dataset=apoferritin", "export DEEPCRYOPICKER_DATA=DIR"),
    ("dataset=klh", "outputs/data/klh/micrographs", "dataset.download=true"),
    ("dataset=empiar_10075", "empiar_10075", "dataset=folder dataset.micrographs=DIR"),
    ("dataset=cryoppp", "outputs/data/cryoppp/micrographs", "dataset.root=DIR"),
    ("dataset.download=true", "dataset.download", "dataset=apoferritin"),
    ("hydra/launcher=slurmm", "slurmm", "hydra/launcher=slurm?"),
    ("+experiment=no_labels", "dataset.micrographs is missing", "dataset.micrographs=..."),
]
SLIPS_OF_SEVERAL = [
    (
        ["+experiment=no_labels", "dataset.micrographs=nowhere", "dataset.diameter=60"],
        "dataset.micrographs",
        "nowhere",
    ),
    (["dataset=folder", "dataset.micrographs=.", "dataset.diameter=60"], ".mrc", "found in ."),
    (["dataset=empiar_10061", "dataset.download=true"], "EMPIAR-10061", "MotionCor"),
    (["dataset=cryoppp", "dataset.root=.", "dataset.download=true"], "cryoppp", "dataset.root=DIR"),
    (["--i", "one"], "no option --i", "write dataset.micrographs=one"),
    (["--picker.threshold", "3"], "picker.threshold", "[0, 1], got 3"),
    (
        ["+experiment=benchmark/klh", "experiment/rival@_global_=emann2"],
        "called 'emann2'",
        "experiment/rival@_global_=eman2?",
    ),
    (["-m", "seed=1,2", "model=compactt"], "'compactt'", "model=compact?"),
    (["-m", "seed=1,x"], "seed=x", "a whole number"),
]


@pytest.fixture
def answer(monkeypatch, tmp_path, capsys):
    """Type a command in an empty folder; gives its exit code and what it says on stderr."""
    monkeypatch.delenv("DEEPCRYOPICKER_DATA", raising=False)
    monkeypatch.chdir(tmp_path)

    def type_in(function, *overrides):
        monkeypatch.setattr(sys, "argv", [function.__name__, *overrides])
        code = command(function, function.__name__)
        return code, capsys.readouterr().err

    return type_in


def check(code, said, *expected):
    assert code == 2
    assert said.startswith("error: ")
    assert len(said.splitlines()) <= 3
    assert "Traceback" not in said
    assert "hydra.cc" not in said
    for part in expected:
        assert part in said


# Each takes half a second; `make test` has every third.
@pytest.mark.parametrize(
    ("typed", "offender", "instead"),
    [
        pytest.param(*slip, id=slip[0], marks=pytest.mark.thorough if number % 3 else [])
        for number, slip in enumerate(SLIPS)
    ],
)
def test_a_slip_is_answered_by_what_to_type_instead(answer, typed, offender, instead):
    check(*answer(train, typed), offender, instead)


@pytest.mark.parametrize(("typed", "offender", "instead"), SLIPS_OF_SEVERAL)
@pytest.mark.thorough
def test_a_slip_among_several_overrides_is_answered(answer, typed, offender, instead):
    check(*answer(train, *typed), offender, instead)


@pytest.fixture
def no_slurm(monkeypatch, tmp_path):
    """A machine without SLURM, whatever this one has."""
    monkeypatch.setenv("PATH", str(tmp_path))


def test_slurm_without_the_extra_names_what_to_install(answer, monkeypatch, no_slurm):
    Plugins.instance()  # has put the extra's options into the store
    launchers = ConfigStore.instance().repo["hydra"]["launcher"]
    monkeypatch.delitem(launchers, "submitit_slurm.yaml", raising=False)
    typed = ["-m", "hydra/launcher=slurm", "seed=1,2"]
    check(*answer(train, *typed), "[slurm]", "pip install 'hydra-submitit-launcher")


def test_slurm_is_missed_before_anything_is_sent(answer, no_slurm, tmp_path):
    typed = ["-m", "hydra/launcher=slurm", "seed=1,2", "hydra.sweep.dir=sweep"]
    check(*answer(train, *typed), "no sbatch or srun on the PATH", "hydra/launcher=slurm")
    assert list(tmp_path.iterdir()) == []


def test_slurm_is_for_sweeps(answer, no_slurm):
    check(*answer(train, "hydra/launcher=slurm"), "hydra/launcher=slurm", "add -m")


def test_a_key_that_slurm_does_not_have(answer, no_slurm):
    typed = ["-m", "hydra/launcher=slurm", "hydra.launcher.partitionn=x"]
    check(*answer(train, *typed), "hydra.launcher.partitionn", "hydra.launcher.partition=x?")


def test_evaluate_names_what_it_needs(answer, tmp_path):
    check(*answer(evaluate), "evaluate.picks is missing", "evaluate.picks=...")
    check(
        *answer(evaluate, "evaluate.picks=nowhere", f"evaluate.truth={tmp_path}"),
        "evaluate.picks",
        "nowhere does not exist",
    )


def test_a_refused_command_leaves_no_results(answer, tmp_path):
    check(*answer(train, "picker.threshold=3"), "picker.threshold")
    left = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    assert left <= {"config.yaml", "hydra.yaml", "overrides.yaml", "status.json"}


def test_every_old_name_of_an_experiment_has_a_new_one():
    experiments = list_experiments(CONF_DIR)
    assert set(EXPERIMENTS.values()) <= set(experiments)
    assert not set(EXPERIMENTS) & set(experiments)
    # All that are in a folder were at the top once, but for later ones.
    later = {"paper/method"}
    assert {name for name in experiments if "/" in name} == set(EXPERIMENTS.values()) | later


def test_one_run_needs_no_brackets(answer):
    check(*answer(report, "report.runs=nowhere"), "report.runs", "folder nowhere does not exist")


def test_a_home_folder_is_found(answer, monkeypatch):
    monkeypatch.setenv("HOME", "/nowhere")
    typed = ["+experiment=no_labels", "dataset.micrographs=~/mics", "dataset.diameter=60"]
    check(*answer(train, *typed), "dataset.micrographs", "/nowhere/mics")


def test_a_bug_still_shows_where_it_is(answer):
    def train(config, run):
        raise ZeroDivisionError("a bug")

    code, said = answer(train)
    assert code == 1
    assert "Traceback" in said
    assert "a bug" in said


@pytest.mark.parametrize(
    "typed",
    ["--i one", "--picker.threshold=3", "+experiment=table9", "seed=1,2", "model=compactt"],
)
def test_a_slip_is_answered_before_torch_is_loaded(tmp_path, typed):
    program = (
        "import sys\n"
        "from deepcryopicker.__main__ import main\n"
        f"code = main(['train', *{typed.split()}])\n"
        "heavy = {'torch', 'cv2', 'matplotlib', 'skimage', 'wandb'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
        "sys.exit(code)\n"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    check(answer.returncode, answer.stderr)
    assert answer.stdout == "[]\n"


def test_from_a_shell_without_input(tmp_path):
    environment = {k: v for k, v in os.environ.items() if k != "DEEPCRYOPICKER_DATA"}
    answer = subprocess.run(
        [sys.executable, "-m", "deepcryopicker.train", "model=compactt"],
        cwd=tmp_path,
        env=environment | {"HOME": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    check(answer.returncode, answer.stderr, "Did you mean model=compact?")
    assert answer.stdout == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", COMMANDS)
def test_help_explains_the_common_keys(name, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [name, "--help"])
    assert command(None, name) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"deepcryopicker {name} ")
    assert "--help-all" in said
    assert len(said.splitlines()) <= 90
    assert max(map(len, said.splitlines())) <= 100


def test_help_lists_options_and_keys(answer, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["train", "--help-all"])
    assert command(train, "train") == 0
    said = capsys.readouterr().out
    for part in ("python -m deepcryopicker.train", "class-set: ", "batch_size: 64", "--hydra-help"):
        assert part in said


@pytest.mark.thorough
def test_help_can_be_cut_short(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-m", "deepcryopicker.train", "--help"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        process.stdout.close()
        said = process.stderr.read()
        assert process.wait(timeout=60) == 0
    assert said == ""
