"""The card of an exported picker: that of its weights, and what its run folder says about them."""

import hashlib
from pathlib import Path
from typing import Any

from deepcryopicker.errors import UsageError
from deepcryopicker.io.files.yaml_files import part, read_yaml
from deepcryopicker.reporting.reading.run_files import UnreadableError, read_rows
from deepcryopicker.reporting.reading.run_folders import read_run

EXPORTED = "exported"
"""Section of the card for those who are given the file; picking does not read it."""
_DATA = "data.csv"  # SHA-256 of the files of a training
_SCORES = ("micrographs", "truth", "radius", "threshold", "precision", "recall", "f1")
_MORE_SCORES = ("average_precision", "label_use")
_MOST_FILES = 1000  # listed one by one


def card_to_export(card: Path, run: Path, licence: str | None) -> dict[str, Any]:
    """Return the card of an exported picker.

    Parameters
    ----------
    card : Path
        YAML beside the weights.
    run : Path
        Its folder, which need not be that of a run.
    licence : str or None
        Of the weights, in words.

    Returns
    -------
    dict
        JSON-compatible: the card, with ``exported``: ``polarity`` and ``pixel_size`` (Angstrom,
        None if only the headers have it) of the micrographs, the ``threshold`` of the run, its
        ``scores``, ``training_data`` and ``licence``.

    Raises
    ------
    UsageError
        A file of the run is damaged.
    """
    content = read_yaml(card)
    if not isinstance(content, dict):
        raise UsageError(f"{card} is not a model card")
    found = read_run(run)
    if found.command is not None and found.problem is not None and not found.metrics:
        raise UsageError(f"{run}: {found.problem}")
    dataset, scores = found.section("dataset"), found.metrics
    about = {
        "polarity": dataset.get("polarity"),
        "pixel_size": dataset.get("pixel_size"),
        "threshold": found.section("picker").get("threshold"),
        "scores": {key: scores[key] for key in (*_SCORES, *_MORE_SCORES) if key in scores},
        "training_data": _training_data(run / _DATA),
        "licence": licence,
        "data_licence": part(dataset, "source").get("licence"),
    }
    return {**content, EXPORTED: about}


def _training_data(path: Path) -> dict[str, Any] | None:
    """Return number and SHA-256 of the files of a training; None if they were not recorded."""
    try:
        rows = [row for row in read_rows(path) if row.get("sha256") and row.get("path")]
    except UnreadableError as error:
        raise UsageError(f"{path.parent}: {error}") from error
    if not rows:
        return None
    sums = sorted(row["sha256"] for row in rows)
    known: dict[str, Any] = {
        "files": len(rows),
        "sha256": hashlib.sha256("\n".join(sums).encode()).hexdigest(),
    }
    if len(rows) <= _MOST_FILES:
        known["each"] = {Path(row["path"]).name: row["sha256"] for row in rows}
    return known
