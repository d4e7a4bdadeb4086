"""The scores of candidates as the picker gave them, beside those calibrated on the folder."""

from pathlib import Path

from deepcryopicker.errors import UsageError
from deepcryopicker.io.coordinates.formats import RAW_SCORE, read_picks
from deepcryopicker.io.files.tables import read_rows
from deepcryopicker.io.files.text import gather
from deepcryopicker.types import Floats, Picks


def read_with_raw_scores(path: Path) -> tuple[Picks, Floats]:
    """Read the candidates of a run, and their scores before they were calibrated.

    Parameters
    ----------
    path : Path
        CSV of :func:`write_csv`.

    Returns
    -------
    Picks
    (N,) float64
        The scores of the picks, if the file has no such column.

    Raises
    ------
    UsageError
        As :func:`read_picks`, or a damaged cell in one column leaves them of different lengths.
    """
    picks = read_picks(path)
    header, rows = read_rows(path, RAW_SCORE)
    if RAW_SCORE not in header:
        return picks, picks.score
    found, _ = gather(path, header, rows, [RAW_SCORE])
    raw = found[RAW_SCORE]
    if len(raw) != len(picks):
        raise UsageError(f"{path}: {len(raw)} scores in {RAW_SCORE} for {len(picks)} picks")
    return picks, raw
