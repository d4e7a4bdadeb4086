"""Count what the given coordinates hold before any work, so that no count changes unseen."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from rich.markup import escape

from deepcryopicker.dataset.catalogue import Catalogue, Entry
from deepcryopicker.errors import UsageError
from deepcryopicker.io.console import console, counted
from deepcryopicker.io.coordinates.run_picks import UNLIMITED
from deepcryopicker.io.coordinates.selected_picks import Selected, read_selected

_KEY = "dataset.coordinates_threshold"


def select_coordinates(catalogue: Catalogue) -> Catalogue:
    """Read all given coordinates, print what counts as particles, and refuse damaged files.

    Scores of one set are probabilities or not: if a file has others, none is cut at a threshold
    that was not asked for.

    Returns
    -------
    Catalogue
        With one and the same kind of selection for all micrographs of a group.

    Raises
    ------
    UsageError
        A file is damaged, or no position in it counts.
    """
    entries = list(catalogue.entries)
    for group in dict.fromkeys(entry.group for entry in entries):
        members = [entry for entry in entries if entry.group == group]
        given = {entry.name: entry for entry in members if entry.truth is not None}
        if not given:
            continue
        alike, selected = _alike(list(given.values()))
        print_lacking("coordinates", [entry.name for entry in members], list(given))
        print_selected("coordinates", selected, _KEY)
        replaced = {entry.name: entry for entry in alike}
        entries = [replaced.get(entry.name, entry) for entry in entries]
    return replace(catalogue, entries=tuple(entries))


def print_lacking(what: str, names: Sequence[str], having: Sequence[str]) -> None:
    """Print how many micrographs have no coordinates, and the first of them."""
    lacking = [name for name in names if name not in set(having)]
    if lacking:
        console.print(
            f"{what}: {len(lacking)} of {counted(len(names), 'micrograph')} have none, for "
            f"example {escape(lacking[0])}"
        )


def print_selected(what: str, selected: Sequence[Selected], key: str | None) -> None:
    """Print how many positions count as particles, where some do not or a score is not used.

    Parameters
    ----------
    what : str
        First word of the line.
    selected : sequence of Selected
    key : str or None
        Key that sets the threshold, if there is one.

    Raises
    ------
    UsageError
        There are positions, and none of them counts.
    """
    given, kept = sum(one.given for one in selected), sum(len(one.picks) for one in selected)
    used = sorted({one.threshold for one in selected if one.threshold is not None})
    scores = np.concatenate([np.zeros(0), *(one.scores for one in selected)])
    named = f" ({key})" if key and used else ""
    having = f"have a score of {used[0]:g} or more{named}" if used else "are marked as good"
    if given and not kept:
        highest = f"; the highest score is {scores.max():g}" if len(scores) else ""
        raise UsageError(f"{what}: of {counted(given, 'position')}, none {having}{highest}")
    if kept < given:
        console.print(f"{what}: {kept} of {given} {having}; the others are left out")
    elif not used and len(scores) and np.ptp(scores) > 0:
        advice = f"; {key}=SCORE leaves out weaker ones" if key else ""
        console.print(
            f"{what}: all {given} count, whatever their scores "
            f"({scores.min():.3g} to {scores.max():.3g}){advice}"
        )


def _alike(entries: list[Entry]) -> tuple[list[Entry], list[Selected]]:
    """Read entries; if one has other scores than probabilities, none is cut at our threshold."""
    read = [_read(entry) for entry in entries]
    asked = any(one.selection.threshold is not None for one in entries)
    cut = any(one.threshold is not None for one in read)
    other = [one.threshold is None and not one.flagged and len(one.scores) > 0 for one in read]
    if asked or not (cut and any(other)):
        return entries, read
    uncut = [
        replace(entry, selection=replace(entry.selection, own_threshold=UNLIMITED))
        for entry in entries
    ]
    return uncut, [_read(entry) for entry in uncut]


def _read(entry: Entry) -> Selected:
    if entry.truth is None:
        raise ValueError(f"{entry.name} has no coordinates")
    return read_selected(entry.truth, entry.selection)
