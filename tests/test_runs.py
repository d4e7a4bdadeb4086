"""A run goes on after one bad micrograph, stops after all of them, and writes valid JSON."""

import csv
import json
from pathlib import Path

import pytest

from deepcryopicker.errors import MicrographError, NothingUsableError, UsageError
from deepcryopicker.runs import Run


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
def test_wrong_usage_and_signals_are_no_matter_of_one_micrograph(run, error):
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
        raise AssertionError(f"{word} is no JSON")

    metrics = json.loads(text, parse_constant=refuse)
    assert metrics["f1"] is None
    assert metrics["nested"] == {"deep": [1.5, None]}
    assert metrics["pair"] == [1, None]
    assert metrics["failures"] == 0
    assert metrics["provenance"]["version"]
