"""What the data decided in a run is in its folder, with the reason."""

import json

from deepcryopicker.runs.folder import Run


def test_decisions_are_written_with_the_metrics(tmp_path):
    run = Run(tmp_path, None, "run", {})
    run.decide("diameter of klh, pixels", 148.0, "estimated: diameters.csv")
    run.decide("diameter of klh, pixels", 150.0, "given")  # the later one holds
    run.write_metrics({})
    plan = json.loads((tmp_path / "plan.json").read_text())
    assert plan == {"diameter of klh, pixels": {"value": 150.0, "why": "given"}}


def test_a_run_that_decides_nothing_has_no_plan(tmp_path):
    Run(tmp_path, None, "run", {}).write_metrics({})
    assert not (tmp_path / "plan.json").exists()
