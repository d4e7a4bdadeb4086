"""Assign the coordinates in a folder or file to micrographs by their names.

The one answer to whose coordinates are whose: for labels and truth of a dataset, ``evaluate``,
imported picks and the Python functions.
"""

from collections.abc import Callable, Iterable, Sequence

from deepcryopicker.errors import UsageError
from deepcryopicker.io.coordinates.coordinate_sets import CoordinateSource, Known, Sources
from deepcryopicker.io.coordinates.coordinate_tables import OTHER, READ
from deepcryopicker.io.coordinates.micrograph_names import NameIndex, additions, bare_name

_SHOWN = 3  # names in a message


def assign_sources(sources: Sources, names: Sequence[str]) -> dict[str, CoordinateSource]:
    """Find the coordinates of each micrograph.

    Names match if they are equal or one ends with the other, folder by folder; or else if this
    holds without folders of jobs and without what programs add, see :func:`bare_name`. Where
    nothing matches, one and the same other addition to all names is dropped. Files of one
    micrograph come first, then RELION's lists, then tables of many.

    Parameters
    ----------
    sources : Sources
    names : sequence of str
        Names of micrographs.

    Returns
    -------
    dict of CoordinateSource
        By name of the micrograph, without micrographs that have no coordinates.

    Raises
    ------
    UsageError
        If a micrograph has two sources, or a source matches two micrographs.
    """
    chosen: dict[str, CoordinateSource] = {}
    places: list[Callable[[], Known]] = [
        lambda: sources.by_file,
        lambda: sources.by_list,
        lambda: sources.by_table,
    ]
    for known in places:
        left = [name for name in names if name not in chosen]
        if left:
            chosen |= _assign(sources, known(), left)
    sources.refuse_damaged([name for name in names if name not in chosen])
    chosen = chosen or _assign_by_addition(sources, names)
    return {name: chosen[name] for name in names if name in chosen}


def nothing_matched(sources: Sources, names: Iterable[str]) -> UsageError:
    """Return the error that shows both kinds of names where no micrograph has coordinates."""
    shown = ", ".join(list(names)[:_SHOWN])
    return UsageError(
        f"{sources.key}: no file in {sources.place} belongs to a micrograph; read are {READ}\n"
        f"micrographs: {shown}; coordinates: {sources.examples}"
    )


def _unchanged(name: str) -> str:
    return name


def _assign(sources: Sources, known: Known, names: Sequence[str]) -> dict[str, CoordinateSource]:
    """Assign sources by their names, first as they are and then without additions."""
    chosen: dict[str, CoordinateSource] = {}
    used: set[str] = set()
    for reduce in (_unchanged, bare_name):
        index = NameIndex([name for name in known if name not in used], reduce)
        owners: dict[str, str] = {}
        for name in [name for name in names if name not in chosen]:
            exact = reduce is _unchanged and name in known and name not in used
            agreeing = [name] if exact else index.matching(name)
            found = _with_positions(sources, [one for each in agreeing for one in known[each]])
            if len(found) > 1:
                raise _two_for_one(sources, found, name)
            if found:
                chosen[name] = found[0]
                owner = owners.setdefault(found[0].where, name)
                if owner != name:
                    raise UsageError(
                        f"{sources.key}: {found[0].where} matches both {owner} and {name}\n"
                        "put coordinates in the same sub-folders as the micrographs"
                    )
                used.update(agreeing)
    return chosen


def _assign_by_addition(sources: Sources, names: Sequence[str]) -> dict[str, CoordinateSource]:
    """Assign sources that have one and the same unknown addition to the names of micrographs."""
    wanted = NameIndex(names, bare_name)
    for known in (sources.by_file, sources.by_table):
        found: dict[str, dict[str, list[CoordinateSource]]] = {}
        for other, each in known.items():
            if not _with_positions(sources, each):
                continue
            for short, addition in additions(other):  # the shortest addition first
                matching = wanted.matching(short)
                if len(matching) == 1:
                    found.setdefault(addition, {}).setdefault(matching[0], []).extend(each)
                    break
        if len(found) == 1:
            (assigned,) = found.values()
            for name, each in assigned.items():
                if len(each) > 1:
                    raise _two_for_one(sources, each, name)
            return {name: each[0] for name, each in assigned.items()}
    return {}


def _with_positions(sources: Sources, found: Sequence[CoordinateSource]) -> list[CoordinateSource]:
    """Leave out files that hold something else, such as the metadata of motion correction."""
    return [one for one in found if one.name is not None or sources.kind(one.path) != OTHER]


def _two_for_one(sources: Sources, found: Sequence[CoordinateSource], name: str) -> UsageError:
    one, other = found[0], found[1]
    advice = (
        "give one of them"
        if one.name is not None and one.path != other.path
        else "give a folder with only one of them"
    )
    return UsageError(f"{sources.key}: {one.where} and {other.where} both match {name}\n{advice}")
