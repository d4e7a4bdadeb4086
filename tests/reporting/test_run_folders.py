"""What run folders say of themselves is read, whatever it is, and never believed too much."""

import json

import pytest

from deepcryopicker.errors import UsageError
from deepcryopicker.paper.figures.pick_figures import is_unseen
from deepcryopicker.reporting.reading.pick_sets import PickSet, list_pick_sets
from deepcryopicker.reporting.reading.run_files import (
    UnreadableError,
    read_json,
    read_rows,
    read_settings,
)
from deepcryopicker.reporting.reading.run_folders import RunFolder, find_runs, read_run
from deepcryopicker.reporting.reading.run_sources import find_micrographs, validated_section
from deepcryopicker.runs.status import Outcome

from .common import make_dataset, make_pick_run, names_of, settings_of, write_run


@pytest.fixture
def run(tmp_path):
    data = make_dataset(tmp_path / "data", names_of(1))
    return make_pick_run(tmp_path / "run", data, names_of(1))


def test_a_run_has_command_dataset_and_results(run):
    found = read_run(run)
    assert (found.command, found.problem, found.seconds) == ("pick", None, 3.5)
    assert found.schemas["dataset"] == "folder"
    assert found.section("dataset")["name"] == "invented"
    assert found.overrides[0] == "picker=log"
    assert found.metrics["micrographs"] == 1
    assert list(find_micrographs(found)) == names_of(1)


# Ten of ten of ten: some lines that stand for a million values.
BOMB = "a0: &a0 [x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 7)
)


def damage(name, text):
    return lambda folder: (folder / name).write_text(text)


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (damage("config.yaml", "defaults: ["), "config.yaml is not YAML"),
        (damage("config.yaml", "a: 1"), "not the configuration of a run"),
        (damage("config.yaml", "defaults: {_pick: 1}"), "not the configuration of a run"),
        (damage("config.yaml", "- 1"), "not the configuration of a run"),
        (damage("config.yaml", "x" * 2**21), "larger than 1 MB"),
        (damage("config.yaml", BOMB), "config.yaml: its aliases expand to more than"),
        (damage("config.yaml", "a: !!python/object/apply:os.getcwd []"), "config.yaml is not YAML"),
        (damage("status.json", "{"), "status.json is damaged"),
        (damage("status.json", '{"code": 1}'), "status.json is damaged"),
        (damage("metrics.json", "[1]"), "metrics.json does not contain results"),
        (damage("metrics.json", "[" * 100_000), "metrics.json is damaged"),
        (lambda folder: (folder / "status.json").unlink(), "not finished"),
        (lambda folder: (folder / "config.yaml").unlink(), "not a run folder"),
        (lambda folder: Outcome(1, 1.0, "no memory").write(folder / "status.json"), "no memory"),
    ],
)
@pytest.mark.thorough
def test_what_is_wrong_with_a_folder_is_said(run, harm, said):
    harm(run)
    assert said in read_run(run).problem


def test_results_of_a_run_that_failed_later_are_not_shown(run):
    Outcome(130, 1.0).write(run / "status.json")
    found = read_run(run)
    assert found.problem == "failed: exit code 130"
    assert found.metrics == {}
    assert list_pick_sets([found]) == []


@pytest.mark.parametrize("value", ["[]", "3", '"text"', "null"])
@pytest.mark.thorough
def test_results_of_another_shape_are_ignored(run, write_report, value):
    metrics = json.loads((run / "metrics.json").read_text())
    for key in ("groups", "per_class", "per_micrograph", "patches", "labels", "provenance"):
        metrics[key] = json.loads(value)
    (run / "metrics.json").write_text(json.dumps(metrics))
    _, code, said = write_report(run, options=["report.figures=false"])
    assert (code, "Traceback" in said) == (0, False)


def test_a_folder_that_is_not_there_is_a_slip():
    with pytest.raises(UsageError, match=r"^report\.runs: folder nowhere does not exist"):
        find_runs(["nowhere"])


@pytest.mark.thorough
def test_a_sweep_gives_its_jobs_by_number_and_what_sets_them_apart(tmp_path):
    sweep = tmp_path / "ablation"
    for number, choice in enumerate(["five", "binary", *["five"] * 9]):
        overrides = [f"class-set={choice}", "until=weights", f"seed={number}"]
        _, text = settings_of("train", *overrides)
        write_run(sweep / str(number), text, overrides, {"patches": {"accuracy": 0.5}})
    runs = find_runs([str(sweep), str(sweep / "3")])
    assert [run.path.name for run in runs] == [str(number) for number in range(11)]
    assert runs[1].choices == {"class-set": "binary", "seed": "1"}
    assert runs[1].name == "class-set=binary, seed=1"


def test_the_papers_numbers_are_those_of_the_choices(tmp_path):
    overrides = ["class-set=five", "until=weights"]
    _, text = settings_of("train", "+experiment=class_ablation", "dataset=simulated", *overrides)
    write_run(tmp_path / "0", text, overrides, {})
    assert read_run(tmp_path / "0").published == {"patches.average_precision": 0.98}


@pytest.mark.parametrize("reference", ["3", "[1]", "{f1: 3}", "{f1: {class-set=five: high}}"])
def test_nonsense_is_not_a_published_number(tmp_path, reference):
    text = f"defaults: [_train]\nreference: {reference}\n"
    write_run(tmp_path / "0", text, ["class-set=five"], {})
    assert read_run(tmp_path / "0").published == {}


def test_a_dataset_is_checked_by_its_schema(run):
    text = (run / "config.yaml").read_text()
    for there, instead, said in (
        ("polarity: dark", "polarity: grey", "no polarity called 'grey'"),
        ("polarity: dark", "colour: dark", "config.yaml: dataset"),
        ("name: invented", "name: ${oc.env:HOME}", "refers to a value outside"),
        (
            "dataset@dataset: _folder",
            "dataset@dataset: _secret",
            "does not name the schema of dataset",
        ),
    ):
        assert there in text
        (run / "config.yaml").write_text(text.replace(there, instead))
        with pytest.raises(UnreadableError, match=said.replace("$", r"\$")):
            validated_section(read_run(run), "dataset")


def test_micrographs_that_are_gone_are_said_to_be(tmp_path, run):
    (tmp_path / "data" / "micrographs").rename(tmp_path / "elsewhere")
    with pytest.raises(UnreadableError, match="there is no file or folder"):
        find_micrographs(read_run(run))


def test_simulated_micrographs_are_not_generated_anew(tmp_path):
    overrides = [f"dataset.cache={tmp_path / 'cache'}"]
    write_run(tmp_path / "run", settings_of("pick", *overrides)[1], overrides, {})
    with pytest.raises(UnreadableError, match="not in their cache"):
        find_micrographs(read_run(tmp_path / "run"))
    assert not (tmp_path / "cache").exists()


def test_simulated_micrographs_beside_real_ones_are_found(tmp_path):
    data = make_dataset(tmp_path / "data", names_of(1))
    overrides = [
        "dataset=_combined",
        "+dataset@dataset.simulated=simulated",
        "+dataset@dataset.members.mine=_folder",
        f"dataset.members.mine.micrographs={data / 'micrographs'}",
        f"dataset.simulated.cache={tmp_path / 'cache'}",
    ]
    write_run(tmp_path / "run", settings_of("label", *overrides)[1], overrides, {})
    found = find_micrographs(read_run(tmp_path / "run"))
    assert list(found) == [f"mine/{name}" for name in names_of(1)]  # none generated


@pytest.mark.parametrize(
    ("member", "adapt", "unseen"),
    [(None, False, False), ("klh", False, True), ("klh", True, False)],
)
def test_a_held_out_member_is_unseen_unless_adapted_to(tmp_path, member, adapt, unseen):
    settings = {"held_out_member": member, "adapt": adapt}
    run = RunFolder(tmp_path, command="train", settings=settings)
    assert is_unseen(PickSet("run", run, tmp_path, 0.5)) == unseen


def test_a_file_that_is_none_or_no_text_is_refused(tmp_path):
    (tmp_path / "folder.json").mkdir()
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UnreadableError, match="not a regular file"):
        read_json(tmp_path / "folder.json")
    with pytest.raises(UnreadableError, match=r"bytes\.yaml is not YAML"):
        read_settings(tmp_path / "bytes.yaml")
    assert read_rows(tmp_path / "absent.csv") == []


@pytest.mark.parametrize(
    ("command", "overrides", "metrics", "used"),
    [
        ("pick", ["picker=log"], {}, "none"),
        ("pick", ["picker.weights=RUN"], {}, "as its weights"),
        ("pick", ["picker.weights=RUN"], {"label_use": "200 picks"}, "200 picks"),
        ("train", [], {}, "none"),
        ("train", ["labeler=truth"], {}, "truth"),
        ("evaluate", ["evaluate.picks=p", "evaluate.truth=t"], {}, "unknown"),
    ],
)
@pytest.mark.thorough
def test_use_of_labels(tmp_path, command, overrides, metrics, used):
    write_run(tmp_path, settings_of(command, *overrides)[1], overrides, metrics)
    (tmp_path / "picks").mkdir()
    (pick_set,) = list_pick_sets([read_run(tmp_path)])
    assert pick_set.label_use == used


def test_no_two_pickers_have_one_name(tmp_path):
    for place in ("a/run", "b/run"):
        write_run(tmp_path / place, settings_of("pick")[1], [], {})
        (tmp_path / place / "picks").mkdir()
    pick_sets = list_pick_sets(
        find_runs([str(tmp_path / "a" / "run"), str(tmp_path / "b" / "run")])
    )
    assert len({pick_set.name for pick_set in pick_sets}) == 2
    assert all(pick_set.name.startswith("run (") for pick_set in pick_sets)
