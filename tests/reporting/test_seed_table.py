"""Jobs of a sweep that differ in their seed alone are one row of the page."""

from deepcryopicker.reporting.content.seed_table import seeds_table
from deepcryopicker.reporting.reading.run_folders import find_runs
from deepcryopicker.runs.status import Outcome

from .common import settings_of, write_run

F1 = {("log", 0): 0.8, ("log", 1): 0.9, ("auto", 0): 0.5, ("auto", 1): 0.7}


def write_sweep(folder, choices, failed=()):
    """A sweep of so many jobs; a job is a labeler and a seed."""
    for number, (labeler, seed) in enumerate(choices):
        overrides = [f"labeler={labeler}", f"seed={seed}", "dataset=simulated"]
        _, text = settings_of("label", *overrides)
        metrics = {"f1": F1[labeler, seed], "patches": {"accuracy": 0.5}}
        outcome = Outcome(1, 2.0, "no particles") if number in failed else None
        write_run(folder / str(number), text, overrides, metrics, outcome)
    return find_runs([str(folder)])


def test_a_row_has_mean_range_and_interval(tmp_path):
    table = seeds_table(write_sweep(tmp_path / "many", F1))
    assert table.columns == ["Sweep", "Seeds", "F1", "Accuracy of windows"]
    log, auto = table.rows
    assert [cell.text for cell in log.cells] == ["many, labeler=log", "2", "0.850", "0.500"]
    # t of one degree of freedom is 12.706; the standard error of 0.8 and 0.9 is 0.05.
    assert log.cells[2].note == "0.800 to 0.900 [0.215, 1.485]"
    assert (auto.cells[0].text, auto.cells[2].text) == ("many, labeler=auto", "0.600")


def test_failed_jobs_are_not_averaged_and_counted(tmp_path):
    table = seeds_table(write_sweep(tmp_path / "many", F1, failed=[0]))
    one = table.rows[0].cells
    assert (one[1].text, one[1].note, one[2].text) == ("1", "1 of 2 done", "0.900")
    assert one[2].note == "0.900 to 0.900"


def test_seeds_alone_are_a_row_named_by_the_sweep(tmp_path):
    table = seeds_table(write_sweep(tmp_path / "seeds", [("log", 0), ("log", 1)]))
    assert [row.cells[0].text for row in table.rows] == ["seeds"]


def test_without_several_seeds_there_is_no_table(tmp_path):
    assert seeds_table(write_sweep(tmp_path / "one", [("log", 0), ("auto", 0)])) is None
    assert seeds_table(find_runs([str(tmp_path / "one" / "0")])) is None
