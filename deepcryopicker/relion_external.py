"""Pick as an External job of RELION, run in its project folder.

deepcryopicker-relion --o External/job005/ --in_mics CtfFind/job003/micrographs_ctf.star
--picker.weights RUN --j 4
"""

import argparse
import os
import re
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from deepcryopicker.app.hydra_app import command
from deepcryopicker.io.files.atomic import write_text
from deepcryopicker.io.star.relion_folder import SUFFIX, relion_name
from deepcryopicker.pick import pick
from deepcryopicker.runs.status import DONE, INTERRUPTED, SOME_FAILED, TERMINATED

SUCCESS, FAILURE, ABORTED = (
    f"RELION_JOB_EXIT_{outcome}" for outcome in ("SUCCESS", "FAILURE", "ABORTED")
)
ABORT_NOW = "RELION_JOB_ABORT_NOW"
NODES = "RELION_OUTPUT_NODES.star"
_POLL_SECONDS = 1.0
_PIPELINE = Path("default_pipeline.star")
# The node type of coordinates in RELION 3.1, and its words in 4 and 5.
_NODE_TYPE = 2
_WORD_OF_4, _WORD_OF_5 = "MicrographsCoords.star.relion", "MicrographCoordsGroup.star.relion"


def main(arguments: Sequence[str] | None = None) -> int:
    """Pick, report the outcome to RELION, and return the exit code of ``pick``."""
    given, others = _parser().parse_known_args(arguments)
    job = Path(given.o)
    for marker in (SUCCESS, FAILURE, ABORTED, ABORT_NOW):  # from an earlier attempt
        (job / marker).unlink(missing_ok=True)
    # Set before torch and OpenCV are imported, which read these variables only once.
    os.environ["OMP_NUM_THREADS"] = os.environ["OPENCV_FOR_THREADS_NUM"] = str(given.j)
    sys.argv = [
        "deepcryopicker-relion",
        "dataset=folder",
        *_overrides(others),
        f"dataset.micrographs='{given.in_mics}'",
        f"hydra.run.dir='{job}'",
    ]
    with _aborted_by(job / ABORT_NOW):
        code = command(pick, "pick")
    if code in (DONE, SOME_FAILED):
        _write_nodes(job, given.in_mics)
    write_text(job / _marker(code), "")
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="All other options are keys of pick: --picker.weights RUN, as passed by RELION's "
        "parameter form, or picker.weights=RUN.",
    )
    parser.add_argument("--o", required=True, metavar="FOLDER", help="job folder")
    parser.add_argument("--in_mics", required=True, metavar="STAR", help="micrographs")
    parser.add_argument("--j", type=int, default=1, metavar="N", help="threads")
    # Same as --o; RELION adds it to commands that contain relion_, even in their path.
    parser.add_argument("--pipeline_control", help=argparse.SUPPRESS)
    return parser


def _overrides(others: Sequence[str]) -> list[str]:
    """Turn ``--key value`` into ``key=value``; arguments of that form are unchanged.

    Examples
    --------
    >>> _overrides(["--picker.weights", "RUN", "overlays=0"])
    ['picker.weights=RUN', 'overlays=0']
    """
    overrides: list[str] = []
    for each in others:
        if each.startswith("--"):
            overrides.append(f"{each.removeprefix('--')}=")
        elif overrides and overrides[-1].endswith("="):
            overrides[-1] += each
        else:
            overrides.append(each)
    return overrides


@contextmanager
def _aborted_by(path: Path) -> Iterator[None]:
    """End this process by SIGTERM when the file appears."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(_POLL_SECONDS):
            if path.exists():
                os.kill(os.getpid(), signal.SIGTERM)
                return

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        over.set()


def _marker(code: int) -> str:
    """Return the name of the file that reports the outcome to RELION; skips count as success."""
    if code in (DONE, SOME_FAILED):
        return SUCCESS
    return ABORTED if code in (INTERRUPTED, TERMINATED) else FAILURE


def _write_nodes(job: Path, micrographs: str) -> None:
    """List the coordinates for the pipeline, with both kinds of node types.

    RELION 3.1 reads a number (`_NODE_TYPE`) and takes a file that names the micrographs and whose
    own name contains the suffix of the coordinate files beside it; RELION 4 and 5 read a word and
    take the list of coordinate files.
    """
    suffix_file = job / "relion" / f"coords_suffix{SUFFIX}"
    write_text(suffix_file, f"{micrographs}\n")
    pipeline = _PIPELINE.read_text("utf-8", errors="replace") if _PIPELINE.is_file() else ""
    by_word = "rlnPipeLineNodeTypeLabel" in pipeline
    node = job / "relion" / "autopick.star" if by_word else suffix_file
    # The number in "# version 50001" is that of the program that wrote the file.
    old_word = by_word and not re.search(r"^# version 5|TypeLabelDepth", pipeline, re.MULTILINE)
    word = _WORD_OF_4 if old_word else _WORD_OF_5
    text = (
        "data_output_nodes\n\nloop_\n_rlnPipeLineNodeName #1\n_rlnPipeLineNodeType #2\n"
        f"_rlnPipeLineNodeTypeLabel #3\n{relion_name(node)} {_NODE_TYPE} {word}\n"
    )
    write_text(job / NODES, text)


if __name__ == "__main__":
    sys.exit(main())
