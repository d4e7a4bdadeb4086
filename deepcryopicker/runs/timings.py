"""Durations of the stages of a run."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager

from deepcryopicker.io.files.atomic import write_text
from deepcryopicker.runs.folder import TIMINGS, Run


@contextmanager
def timed(run: Run, stage: str) -> Iterator[None]:
    """Add the duration of a stage to ``timings.json``, also if it ends in an exception.

    Resumed runs add to the durations of earlier attempts; for a killed run only the stages that
    had ended are counted.
    """
    start = time.monotonic()
    try:
        yield
    finally:
        path = run.folder / TIMINGS
        seconds = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        seconds[stage] = round(seconds.get(stage, 0.0) + time.monotonic() - start, 2)
        write_text(path, json.dumps(seconds, indent=2) + "\n")
