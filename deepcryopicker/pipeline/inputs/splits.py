"""Keep micrographs apart from everything that learns: whoever is compared is scored on these."""

from dataclasses import replace

import numpy as np

from deepcryopicker.dataset.catalogue import Block, Catalogue, Entry
from deepcryopicker.io.console import console
from deepcryopicker.runs.folder import Run

_FEWEST = 3  # micrographs that are split as a whole
_PER_SIDE = 2  # blocks of those that are not


def hold_out(
    catalogue: Catalogue, share: float | None, seed: int, run: Run
) -> tuple[Catalogue, Catalogue]:
    """Part a catalogue into what may be learnt from and what is picked and scored.

    Only micrographs with truth are held out. Of a group with fewer than three of these, spatial
    blocks are: a quarter of a micrograph each, a diameter apart from the others.

    Parameters
    ----------
    catalogue : Catalogue
        With particle diameters.
    share : float or None
        Of the micrographs of each group, rounded, at least one; None holds out nothing: both
        catalogues are the given one.
    seed : int
        The same gives the same parts.
    run : Run
        A small group's micrographs are read for their size; the run notes those that fail.

    Returns
    -------
    Catalogue, Catalogue
        To learn from, and to score on.
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
            console.print(f"{group}: too few micrographs to hold some out: split into blocks")
        count = min(max(1, round(share * len(members))), len(members) - 1)
        chosen = {members[index].name for index in rng.permutation(len(members))[:count]}
        held += [entry for entry in members if entry.name in chosen]
        kept += [entry for entry in members if entry.name not in chosen]
    return replace(catalogue, entries=tuple(kept)), replace(catalogue, entries=tuple(held))


def leave_out(catalogue: Catalogue, member: str) -> tuple[Catalogue, Catalogue]:
    """Part a combined dataset into all members but one, and that one.

    Parameters
    ----------
    catalogue : Catalogue
    member : str
        The folder of its results, with which the names of its micrographs start.

    Returns
    -------
    Catalogue, Catalogue
        To learn from, and to pick and score.
    """
    inside = [entry.name.startswith(f"{member}/") for entry in catalogue.entries]
    kept = [entry for entry, out in zip(catalogue.entries, inside, strict=True) if not out]
    left = [entry for entry, out in zip(catalogue.entries, inside, strict=True) if out]
    return replace(catalogue, entries=tuple(kept)), replace(catalogue, entries=tuple(left))


def _blocks(entry: Entry, run: Run) -> list[Entry]:
    """Cut a micrograph into blocks, each an entry of its own; none if it cannot be read."""
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
    """Return start and length of the parts of a side, `guard` pixels apart."""
    edges = np.linspace(0, length, _PER_SIDE + 1)
    starts = [edges[0], *(edges[1:-1] + guard / 2.0)]
    ends = [*(edges[1:-1] - guard / 2.0), edges[-1]]
    return [
        (round(start), round(end) - round(start)) for start, end in zip(starts, ends, strict=True)
    ]
