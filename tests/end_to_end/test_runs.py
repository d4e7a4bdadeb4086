"""Runs as a table: filtered, sorted, compared and exported."""

import csv
import sys

import pytest

from deepcryopicker.__main__ import main as program
from deepcryopicker.runs.__main__ import main


@pytest.fixture(scope="module")
def folder(shell, with_coordinates):
    """Three runs: two jobs of a sweep, and one that was refused."""
    given = [*with_coordinates, "overlays=0"]
    shell("label", *given, "labeler=log,ibc", run="listed/sweep", sweep=True)
    shell("pick", *given, "picker=log", run="listed/alone")
    return shell.folder / "listed"


def listed(folder, *arguments, capsys=None):
    target = folder.parent / "listed.csv"
    assert main([str(folder), *arguments, f"csv={target}"]) == 0
    return list(csv.DictReader(target.read_text(encoding="utf-8").splitlines()))


def test_every_run_is_a_row_with_options_and_numbers(folder):
    rows = {row["run"]: row for row in listed(folder)}
    assert set(rows) == {"sweep/0", "sweep/1", "alone"}
    assert (rows["alone"]["command"], rows["alone"]["picker"]) == ("pick", "labeler")
    assert [rows[f"sweep/{job}"]["labeler"] for job in range(2)] == ["log", "ibc"]
    assert float(rows["alone"]["f1"]) > 0
    assert rows["alone"]["state"] == "finished"
    assert "labeler=ibc" in rows["sweep/1"]["typed"]


def test_rows_are_filtered_by_text_and_number(folder):
    assert [row["run"] for row in listed(folder, "command=pick")] == ["alone"]
    assert [row["run"] for row in listed(folder, "typed=labeler=ibc")] == ["sweep/1"]
    assert [row["run"] for row in listed(folder, "f1=>0")] == ["alone"]
    assert listed(folder, "f1=<0") == []


def test_parquet_has_the_columns_of_csv(folder, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    target = tmp_path / "runs.parquet"
    assert main([str(folder), f"parquet={target}"]) == 0
    table, rows = parquet.read_table(target), listed(folder)
    assert table.column_names == list(rows[0])
    assert table["run"].to_pylist() == [row["run"] for row in rows]
    numbers = [float(row["f1"]) if row["f1"] else None for row in rows]
    assert table["f1"].to_pylist() == numbers


def test_parquet_without_its_library_names_it(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert main([str(folder), f"parquet={tmp_path / 'runs.parquet'}"]) == 2
    assert "pip install 'deepcryopicker[parquet]'" in capsys.readouterr().err


def test_the_best_comes_first(folder, capsys):
    values = [float(row["seconds"]) for row in listed(folder, "sort=seconds")]
    assert values == sorted(values, reverse=True)
    main([str(folder), "sort=f1"])
    assert f"best: {folder / 'alone'} with " in capsys.readouterr().out


def test_two_configurations_are_compared(folder, capsys):
    runs = [str(folder / "sweep" / job) for job in "01"]
    assert main(["compare", *runs]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["labeler", "log", "ibc"] in lines
    assert main(["compare", runs[0], runs[0]]) == 0
    assert "the two configurations are the same" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["absent"], "absent is not a folder of runs"),
        (["compare", "one"], "compare takes two run folders"),
        (["one", "two"], "type a folder of runs"),
    ],
)
def test_what_cannot_be_listed_is_refused(arguments, said, capsys):
    assert main(arguments) == 2
    assert said in capsys.readouterr().err


def test_unknown_columns_and_empty_folders_are_refused(folder, tmp_path, capsys):
    assert main([str(tmp_path)]) == 2
    assert "holds no run" in capsys.readouterr().err
    assert main([str(folder), "average_precison=1"]) == 2
    assert "Did you mean average_precision?" in capsys.readouterr().err
    assert main([str(folder), "f1=>many"]) == 2
    assert "a number belongs after >" in capsys.readouterr().err


def test_it_is_a_command_of_the_program(folder, capsys):
    assert program(["runs", str(folder)]) == 0
    assert "alone" in capsys.readouterr().out
    assert program(["runs", "--help"]) == 0
