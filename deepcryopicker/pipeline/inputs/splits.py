"""Held-out micrographs: excluded from all training, and the only ones that are scored."""

from dataclasses import replace

import numpy as np

from deepcryopicker.dataset.catalogue import Block, Catalogue, Entry
from deepcryopicker.io.console import console
from deepcryopicker.runs.folder import Run

_FEWEST = 3  # smaller groups are split into blocks rather than micrographs
_PER_SIDE = 2  # blocks along each side


def hold_out(
    catalogue: Catalogue, share: float | None, seed: int, run: Run
) -> tuple[Catalogue, Catalogue]:
    """Split a catalogue into micrographs for training and micrographs that are picked and scored.

    Only micrographs with truth are held out. Groups with fewer than three of these are split into
    spatial blocks, a quarter of a micrograph each, separated by a diameter.

    Parameters
    ----------
    catalogue : Catalogue
        With particle diameters.
    share : float or None
        Share of the micrographs of each group, rounded, at least one; None returns the given
        catalogue twice.
    seed : int
        The same seed gives the same split.
    run : Run
        Micrographs of small groups are read for their size; failures are recorded.

    Returns
    -------
    Catalogue, Catalogue
        For training, and for scoring.
    """
    if share is None:
        return catalogue, catalogue
    kept: list[Entry] = []
    held: list[Entry] = []
    rng = np.random.default_rng(seed)
    for group in dict.fromkeys(entry.group for entry in catalogue.entries):
        members = [e for e in catalogue.entries if e.group == group and e.truth is not None]
        if len(members) < _FEWEST:
            members = [block for entry in members for block in _blocks(entry, run)]
            console.print(f"{group}: too few micrographs to hold out; split into spatial blocks")
        count = min(max(1, round(share * len(members))), len(members) - 1)
        chosen = {members[index].name for index in rng.permutation(len(members))[:count]}
        held += [entry for entry in members if entry.name in chosen]
        kept += [entry for entry in members if entry.name not in chosen]
    return replace(catalogue, entries=tuple(kept)), replace(catalogue, entries=tuple(held))


def hold_out_member(catalogue: Catalogue, member: str) -> tuple[Catalogue, Catalogue]:
    """Split a combined dataset into one member and all others.

    Parameters
    ----------
    catalogue : Catalogue
    member : str
        Folder of its results, the first part of the names of its micrographs.

    Returns
    -------
    Catalogue, Catalogue
        For training, and for picking and scoring.
    """
    inside = [entry.name.startswith(f"{member}/") for entry in catalogue.entries]
    kept = [entry for entry, out in zip(catalogue.entries, inside, strict=True) if not out]
    held = [entry for entry, out in zip(catalogue.entries, inside, strict=True) if out]
    return replace(catalogue, entries=tuple(kept)), replace(catalogue, entries=tuple(held))


def _blocks(entry: Entry, run: Run) -> list[Entry]:
    """Cut a micrograph into blocks, each with its own entry; empty if it cannot be read."""
    micrograph = run.attempt("read", entry.name, entry.path, entry.load)
    if micrograph is None:
        return []
    guard = entry.particle_diameter(micrograph)
    rows, columns = (_stretches(length, guard) for length in micrograph.image.shape)
    blocks = [
        Block(entry.name, top, left, height, width)
        for top, height in rows
        for left, width in columns
    ]
    return [
        replace(entry, name=f"{entry.name}_block{number}", block=block)
        for number, block in enumerate(blocks, 1)
    ]


def _stretches(length: int, guard: float) -> list[tuple[int, int]]:
    """Return start and length of the blocks along a side, `guard` pixels apart."""
    edges = np.linspace(0, length, _PER_SIDE + 1)
    starts = [edges[0], *(edges[1:-1] + guard / 2.0)]
    ends = [*(edges[1:-1] - guard / 2.0), edges[-1]]
    return [
        (round(start), round(end) - round(start)) for start, end in zip(starts, ends, strict=True)
    ]
