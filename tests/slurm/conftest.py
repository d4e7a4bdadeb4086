"""The cluster of the tests, and commands typed on it."""

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.slurm.cluster import PROGRAMS, Cluster, clean_environment, configure, tail

SMALL = (
    "dataset.kinds=[apoferritin]",
    "dataset.micrographs_per_kind=3",
    "dataset.shape=[384,448]",
    "class_set.samples_per_class=32",
    "trainer.epoch_windows=1",
    "logger=csv",
    "baseline=null",
    "overlays=0",
)


@pytest.fixture(scope="session")
def cluster():
    """The running cluster."""
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if missing:
        pytest.fail(f"no {', '.join(missing)} here: apt-get install slurm-wlm munge", pytrace=False)
    if os.geteuid() != 0:
        pytest.fail("only root can start a SLURM of its own", pytrace=False)
    # pytest's own folders are closed to others, and too deep for the name of a socket.
    with tempfile.TemporaryDirectory(prefix="slurm-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        configure(folder)
        started = Cluster(folder, clean_environment() | {"SLURM_CONF": str(folder / "slurm.conf")})
        try:
            started.start()
            yield started
        except AssertionError as error:
            logs = "\n".join(f"--- {name}\n{log}" for name, log in started.logs().items())
            pytest.fail(f"SLURM does not start: {error}\n{logs}", pytrace=False)
        finally:
            started.stop()


@dataclass(frozen=True)
class Answer:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Desk:
    """Types commands in a folder of its own."""

    cluster: Cluster
    folder: Path

    def start(self, *overrides):
        """Start a training, with -m first a sweep, and do not wait for it."""
        return subprocess.Popen(
            [sys.executable, "-m", "deepcryopicker.train", *overrides, *SMALL],
            cwd=self.folder,
            env=self.cluster.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def finish(self, process, seconds=300):
        """Wait for a command that was started."""
        try:
            out, err = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            raise AssertionError(f"not ended after {seconds} s\n{out}\n{err}") from None
        return Answer(process.returncode, out, err)

    def __call__(self, *overrides):
        """Type a command and wait for its end."""
        return self.finish(self.start(*overrides))

    def job_logs(self):
        """Return the tail of every job's log, by path."""
        paths = sorted(self.folder.rglob(".submitit/*/*_log.*"))
        return {str(path.relative_to(self.folder)): tail(path) for path in paths}


@pytest.fixture(scope="session")
def desk(cluster, tmp_path_factory):
    """A folder on the login node."""
    return Desk(cluster, tmp_path_factory.mktemp("desk"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Show the end of SLURM's logs and of the jobs' below a failure."""
    report = yield
    fixtures = getattr(item, "funcargs", {})
    if report.failed and "desk" in fixtures:
        logs = fixtures["desk"].cluster.logs() | fixtures["desk"].job_logs()
        report.sections += [(name, log) for name, log in logs.items() if log]
    return report
