"""The runs that most tests of the report look at."""

import contextlib
import io
import signal
import sys

import pytest

from deepcryopicker.app import hydra_app
from deepcryopicker.report import report
from deepcryopicker.runs.status import Outcome

from .common import HOSTILE, as_list, make_dataset, make_pick_run, names_of


@pytest.fixture(scope="session")
def write_report(tmp_path_factory):
    """Run the command; gives the page's path, the exit code and what was said."""

    def run(*paths, options=()):
        folder = tmp_path_factory.mktemp("report")
        said, argv, terminate = io.StringIO(), sys.argv, signal.getsignal(signal.SIGTERM)
        sys.argv = ["report", as_list(paths), *options, f"hydra.run.dir={folder}"]
        try:
            with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
                code = hydra_app.command(report, "report")
        finally:
            sys.argv = argv
            signal.signal(signal.SIGTERM, terminate)
        return folder / "report.html", code, said.getvalue()

    return run


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    """Three micrographs with truth, one of them with a hostile name."""
    return make_dataset(tmp_path_factory.mktemp("data"), [*names_of(2), HOSTILE])


@pytest.fixture(scope="session")
def runs(tmp_path_factory, data):
    """A good picker, a poor one, one without truth, one that failed, and no run at all."""
    folder = tmp_path_factory.mktemp("runs")
    names = [*names_of(2), HOSTILE]
    make_pick_run(folder / "good", data, names)
    make_pick_run(folder / "poor", data, names, skill=0.1)
    untold = make_dataset(folder / "untold_data", ["lonely"], with_truth=False)
    make_pick_run(folder / "untold", untold, ["lonely"])
    failed = Outcome(1, 2.0, "picking: no micrograph could be used")
    make_pick_run(folder / "failed", data, names, outcome=failed)
    (folder / "foreign").mkdir()
    (folder / "foreign" / "notes.txt").write_text("nothing of ours")
    return {path.name: path for path in sorted(folder.iterdir()) if path.name != "untold_data"}


@pytest.fixture(scope="session")
def page(write_report, runs):
    """The page of all of them."""
    path, code, _ = write_report(*runs.values())
    assert code == 0
    return path
