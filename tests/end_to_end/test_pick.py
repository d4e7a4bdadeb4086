"""``pick``: repeats the run that trained the weights, and refuses what does not fit them."""

import shutil

import pytest
import yaml

from deepcryopicker.io.coordinates.formats import read_picks
from tests.nights import DONE_IN_DOUBT


def code_of_verdict(answer):
    """The exit code that the verdict of a run asks for: a network of few steps may be doubted."""
    (verdict,) = answer.metrics["verdicts"].values()
    return 0 if verdict["verdict"] == "particles found" else DONE_IN_DOUBT


SMALL = (
    "dataset.kinds=[apoferritin]",
    "dataset.micrographs_per_kind=3",
    "dataset.shape=[384,448]",
)


@pytest.fixture
def in_folder(simulated):
    """Overrides for the simulated micrographs as anybody's folder."""
    return ["dataset=folder", f"dataset.micrographs={simulated / 'micrographs'}"]


def refused(answer, *expected):
    assert answer.code == 2
    assert answer.err.startswith("error: ")
    assert len(answer.err.splitlines()) <= 3
    for part in expected:
        assert part in answer.err


def test_weights_repeat_the_picks_of_their_run(shell, trained):
    answer = shell("pick", f"picker.weights={trained.folder}", *SMALL, run="repeat")
    assert answer.code == code_of_verdict(answer)
    assert answer.err == ""
    assert answer.out.splitlines()[-1] == f"run folder: {answer.folder}"
    assert answer.picks() == trained.picks()
    for key in ("f1", "average_precision", "picks", "per_micrograph"):
        assert answer.metrics[key] == trained.metrics[key]


def test_a_folder_takes_the_diameter_from_the_weights(shell, trained, in_folder):
    weights = trained.folder / "model.safetensors"
    answer = shell("pick", f"picker.weights={weights}", *in_folder, run="folder")
    assert answer.code == code_of_verdict(answer)
    assert "estimated" not in answer.out
    assert answer.picks() == trained.picks()


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("preprocessing=matlab", ["preprocessing.working_diameter=30", "trained with 24"]),
        ("preprocessing.steps.clip.low=1", ["preprocessing.steps.clip.low=1", "with 0.1;"]),
        ("preprocessing.steps.flatten=null", ["preprocessing.steps.flatten", "null"]),
        ("preprocessing.model_input=clip", ["preprocessing.model_input=clip", "standardise"]),
    ],
)
@pytest.mark.thorough
def test_what_the_weights_were_not_trained_with_is_refused(
    shell, trained, in_folder, override, expected
):
    answer = shell("pick", f"picker.weights={trained.folder}", *in_folder, override)
    refused(answer, *expected, "weights", "leave")


@pytest.mark.parametrize("override", ["preprocessing=default", "dataset.diameter=59.1"])
def test_what_agrees_with_the_weights_may_be_given(shell, trained, in_folder, override):
    run = f"agreed_{override.partition('=')[0]}"
    answer = shell("pick", f"picker.weights={trained.folder}", *in_folder, override, run=run)
    assert answer.code == code_of_verdict(answer)


def test_damaged_micrographs_are_skipped_where_they_come(shell, trained, simulated, tmp_path):
    for path in (simulated / "micrographs").iterdir():
        shutil.copy(path, tmp_path)
    whole = path.read_bytes()
    for name in ("a_first", "apoferritin_000_again", "z_last"):
        (tmp_path / f"{name}.mrc").write_bytes(whole[:50_000])
    given = ["dataset=folder", f"dataset.micrographs={tmp_path}"]
    answer = shell("pick", f"picker.weights={trained.folder}", *given, run="damaged")
    assert answer.code == 3
    skipped = [line for line in answer.out.splitlines() if line.startswith("SKIP")]
    names = ["a_first", "apoferritin_000_again", "z_last"]
    assert [name in line for name, line in zip(names, skipped, strict=True)] == [True] * 3
    assert all("truncated" in line for line in skipped)
    assert answer.picks() == trained.picks()


def test_weights_that_are_not_there_are_refused(shell, in_folder):
    refused(shell("pick", "picker.weights=nowhere", *in_folder), "picker.weights", "nowhere")


def damage(card, how):
    settings = yaml.safe_load(card.read_text())
    settings.update(how)
    card.write_text(yaml.safe_dump(settings))


@pytest.mark.parametrize(
    "how",
    [
        {"model": {"name": "compactt"}},
        {"model": None},
        {"model": {"name": "compact", "widths": [1, 2, 3, 4, 5, 6], "dropout": 0.2}},
        {"model": {"name": "compact", "depth": 3}},
        {"classes": 7},
        {"classes": ["top"]},
        {"diameter": "wide"},
        {"preprocessing": {}},
        {"preprocessing": "default"},
        {"preprocessing": {"working_diameter": "x", "model_input": "a", "steps": {"a": {}}}},
        {"preprocessing": {"working_diameter": 24, "model_input": "a", "steps": ["a"]}},
    ],
    ids=str,
)
@pytest.mark.thorough
def test_a_damaged_card_is_refused(shell, trained, in_folder, tmp_path, how):
    for name in ("model.yaml", "model.safetensors"):
        shutil.copy(trained.folder / name, tmp_path / name)
    damage(tmp_path / "model.yaml", how)
    refused(shell("pick", f"picker.weights={tmp_path}", *in_folder), "model.yaml")


@pytest.mark.parametrize(
    "content", [b"", b"[1, 2", b"\xff\xfe\x00", b"!!python/object:os.system x"]
)
def test_a_card_that_is_none_is_refused(shell, trained, in_folder, tmp_path, content):
    shutil.copy(trained.folder / "model.safetensors", tmp_path)
    (tmp_path / "model.yaml").write_bytes(content)
    refused(shell("pick", f"picker.weights={tmp_path}", *in_folder), "model.yaml")


@pytest.mark.parametrize(
    "option",
    [
        "auto",
        pytest.param("autocryopicker", marks=pytest.mark.thorough),
        "log",
        pytest.param("supercryopicker", marks=pytest.mark.thorough),
    ],
)
def test_a_picker_without_a_network_needs_no_weights(shell, in_folder, simulated, option):
    given = [f"dataset.coordinates={simulated / 'coordinates'}", "dataset.diameter=59.1"]
    answer = shell("pick", f"picker={option}", *given, *in_folder, run=option)
    assert (answer.code, answer.err) == (0, "")
    assert answer.metrics["truth"] > 0
    assert 0 < answer.metrics["average_precision"] <= 1
    assert answer.metrics["best_f1"] >= 0.5
    assert sorted(answer.picks()) == [f"apoferritin_{index:03d}.csv" for index in range(3)]
    for path in (answer.folder / "picks").iterdir():
        assert path.read_text().splitlines()[0] == "x,y,score,class,diameter,size,contrast"
        picks = read_picks(path)
        assert ((picks.score >= 0) & (picks.score <= 1)).all()
        assert len(set(picks.score)) > 1  # a ranking
    assert (answer.folder / "relion" / "autopick.star").is_file()
    assert not (answer.folder / "model.yaml").exists()


def test_a_labeler_picks_what_it_labels(shell, in_folder):
    """At the threshold of a score of 0.5; its weaker finds are candidates of the picker only."""
    given = [*in_folder, "dataset.diameter=59.1"]
    picked = shell("pick", "picker=auto", *given, run="auto_picked")
    labelled = shell("label", "labeler=auto", *given, run="auto_labelled")
    for name in labelled.picks():
        picks, labels = (read_picks(one.folder / "picks" / name) for one in (picked, labelled))
        strong = picks[picks.score >= 0.5]
        assert len(picks) > len(strong)
        for column in ("x", "y", "score"):
            assert getattr(strong, column).tolist() == getattr(labels, column).tolist()


def test_the_truth_cannot_be_a_picker(shell, in_folder):
    answer = shell("pick", "picker=auto", "labeler@picker.labeler=truth", *in_folder)
    refused(answer, "picker.labeler", "truth", "labeler@picker.labeler=auto")
    assert answer.out == ""


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("picker.labeler=ibc", ["'picker.labeler'", "write labeler@picker.labeler=ibc"]),
        ("picker.labeler=null", ["'picker.labeler'", "write labeler@picker.labeler=OPTION"]),
        ("picker/labeler=ibc", ["'picker/labeler'", "labeler@picker.labeler=ibc?"]),
        ("picker.labeler.clusters=3", ["picker.labeler.clusters", "labeler@picker.labeler=ibc"]),
        ("picker.labeler.blobs.clip=-1", ["picker.labeler.blobs.clip must be > 0"]),
        ("picker.labeler.seeds.clusters=x", ["picker.labeler.seeds.clusters", "a whole number"]),
        ("picker.floor=0.1", ["picker.floor", "picker=dense or ", "or picker=sliding"]),
    ],
)
def test_slips_within_a_picker_are_answered_in_its_keys(shell, in_folder, typed, expected):
    refused(shell("pick", "picker=auto", typed, *in_folder), *expected)


def test_keys_of_pickers_without_a_network_name_their_options(shell, in_folder):
    answer = shell("pick", "picker.labeler.clip=2", *in_folder)
    refused(answer, "picker.labeler", "picker=auto or picker=autocryopicker")


def test_score_maps_are_drawn_if_asked_for(shell, trained):
    given = [f"picker.weights={trained.folder}", *SMALL, "preprocessing.save_stages=true"]
    answer = shell("pick", *given, run="drawn")
    assert answer.code == code_of_verdict(answer)
    assert answer.picks() == trained.picks()
    drawn = {path.stem for path in (answer.folder / "score_maps").glob("*.png")}
    assert drawn == {name.removesuffix(".csv") for name in trained.picks()}
    assert not (trained.folder / "score_maps").exists()


def test_some_unreadable_micrographs_are_skipped(shell, trained, partly_damaged):
    given = ["dataset=folder", f"dataset.micrographs={partly_damaged}"]
    answer = shell("pick", f"picker.weights={trained.folder}", *given, run="partly")
    assert answer.code == 3
    assert answer.picks() == trained.picks()
    assert "cut.mrc" in (answer.folder / "failures.csv").read_text()


def test_only_unreadable_micrographs_are_a_failure(shell, partly_damaged, tmp_path):
    shutil.copy(partly_damaged / "cut.mrc", tmp_path)
    given = ["dataset=folder", f"dataset.micrographs={tmp_path}", "dataset.diameter=59"]
    answer = shell("pick", "picker=log", *given, run="none")
    assert answer.code == 1
    assert answer.err == (
        f"error: read: no micrograph could be used; see {shell.folder / 'none' / 'failures.csv'}\n"
    )
    assert (answer.folder / "failures.csv").is_file()


def test_outputs_mirror_sub_folders(shell, simulated, tmp_path):
    for number, path in enumerate(sorted((simulated / "micrographs").iterdir())[:2]):
        (tmp_path / f"grid{number}").mkdir()
        shutil.copy(path, tmp_path / f"grid{number}" / "same.mrc")
    given = ["dataset=folder", f"dataset.micrographs={tmp_path}", "dataset.diameter=59"]
    answer = shell("pick", "picker=log", *given, run="grids")
    assert answer.code == 0
    for number in range(2):
        assert (answer.folder / "picks" / f"grid{number}" / "same.csv").is_file()
