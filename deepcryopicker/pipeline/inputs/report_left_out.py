"""Report which image files are not used as micrographs: one line, and a list in the run folder."""

from collections.abc import Sequence
from pathlib import Path

from deepcryopicker.dataset.left_out.reasons import LEFT_OUT, LeftOut, count_reasons
from deepcryopicker.io.console import console, counted
from deepcryopicker.io.files.tables import write_rows
from deepcryopicker.runs.folder import Run

_COLUMNS = ("path", "reason", "used_instead", "note")


def report_left_out(left_out: Sequence[LeftOut], run: Run) -> None:
    """Print how many files are left out and why, and list them in ``left_out.csv``.

    Parameters
    ----------
    left_out : sequence of LeftOut
        Nothing is printed or written if it is empty.
    run : Run
    """
    if not left_out:
        return
    write_rows(run.folder / LEFT_OUT, [_row(one) for one in left_out], _COLUMNS)
    files = counted(len(left_out), "file")
    console.print(f"{files} left out: {count_reasons(left_out)}; see {LEFT_OUT}")


def warn_of_similar_names(alike: Sequence[tuple[Path, Path]], run: Run) -> None:
    """Warn of micrographs that may be one, with an example."""
    if not alike:
        return
    one, other = alike[0]
    more = f" ({counted(len(alike) - 1, 'other pair')})" if len(alike) > 1 else ""
    run.warn(
        "similar names",
        f"{one} and {other} have similar names{more}: if they are the same micrograph, leave one "
        "out by a glob, dataset.micrographs='DIR/*PATTERN'",
    )


def _row(one: LeftOut) -> dict[str, object]:
    return {
        "path": str(one.path),
        "reason": one.reason.value[0],
        "used_instead": None if one.used is None else str(one.used),
        "note": one.note or None,
    }
