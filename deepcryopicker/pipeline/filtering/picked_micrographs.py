"""The micrographs whose picks are filtered, of a run folder or of the files of any program."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from deepcryopicker.dataset.catalogue import Entry
from deepcryopicker.dataset.named_files import Named, NamedFiles
from deepcryopicker.errors import MicrographError, UsageError
from deepcryopicker.io.coordinates.assigned_coordinates import assign_sources
from deepcryopicker.io.coordinates.coordinate_sets import (
    CoordinateSource,
    find_sources,
    names_of,
)
from deepcryopicker.io.coordinates.micrograph_names import (
    UNCERTAIN,
    NameIndex,
    picked_name,
    plain_name,
)
from deepcryopicker.io.coordinates.run_picks import picks_of_run, threshold_near
from deepcryopicker.io.files.suffixes import EXTENSIONS, suffix_of, without_suffix
from deepcryopicker.io.files.yaml_files import part, read_yaml
from deepcryopicker.io.star.optics_groups import Optics, placeholder
from deepcryopicker.io.star.optics_reading import read_optics
from deepcryopicker.runs.manifest import Record, read_records

_KEY = "filter.picks"
_LIST = "micrographs.star"


@dataclass(frozen=True)
class PickedMicrograph:
    """A micrograph, where its picks are, and what is known of it without reading it.

    Attributes
    ----------
    name : str
        Of its outputs.
    source : CoordinateSource
    named : Named
        The file as RELION's lists name it; its height is None where positions are as RELION reads
        them.
    optics : Optics
    record : Record or None
        What a run of ours knows of it.
    group : str
        Sub-folder of RELION's files; empty for a run on one dataset.
    """

    name: str
    source: CoordinateSource
    named: Named
    optics: Optics
    record: Record | None = None
    group: str = ""

    @property
    def shape(self) -> tuple[int, int] | None:
        """H and W of the picked image, pixels, if known."""
        return None if self.record is None else (self.record.height, self.record.width)

    @property
    def diameter(self) -> float | None:
        """Particle diameter used for picking, original pixels, if known."""
        return None if self.record is None else self.record.diameter


@dataclass(frozen=True)
class PickedSet:
    """All picked micrographs, sorted by name, and the threshold of the run that wrote the picks."""

    micrographs: tuple[PickedMicrograph, ...]
    threshold: float


def open_picked(given: str, suffix: str) -> PickedSet:
    """Open the picks of a run, or the coordinate files of any program.

    Parameters
    ----------
    given : str
        A folder or file.
    suffix : str
        Ending of the names of micrographs where the files name none.

    Raises
    ------
    UsageError
        It does not exist, or holds no coordinates.
    """
    folder = Path(given).expanduser()
    records = read_records(folder) if picks_of_run(folder) != folder else []
    _refuse_names_that_lead_out([record.name for record in records])
    found = _of_run(folder, records) if records else _of_files(given, suffix)
    _refuse_names_that_lead_out([one.name for one in found])
    return PickedSet(tuple(sorted(found, key=lambda one: one.name)), threshold_near(folder))


def _refuse_names_that_lead_out(names: Iterable[str]) -> None:
    """Refuse names of which a file would lie outside the run folder; runs may come from anybody."""
    for name in names:
        if Path(name).is_absolute() or ".." in Path(name).parts or not Path(name).name:
            raise UsageError(f"{_KEY}: the micrograph name {name!r} leads out of the run folder")


def _of_run(folder: Path, records: Iterable[Record]) -> list[PickedMicrograph]:
    """List the micrographs of a run."""
    names = NamedFiles(_suffix_of_run(folder))
    lists = _optics_of_run(folder)
    known = NameIndex(lists, plain_name)
    found = []
    for record in records:
        shape = (record.height, record.width)
        entry = Entry(record.name, Path(record.path), "")
        try:
            named = names.find(entry, shape, record.pixel_size)
        except MicrographError as error:
            raise UsageError(f"{record.name}: {error}") from error
        listed = known.matching(plain_name(str(names.path(entry))))
        group, optics = lists[listed[0]] if listed else ("", placeholder(named.pixel_size))
        found.append(
            PickedMicrograph(
                record.name,
                CoordinateSource(picks_of_run(folder) / f"{record.name}.csv"),
                named,
                optics,
                record,
                group,
            )
        )
    missing = [str(one.source.path) for one in found if not one.source.path.is_file()]
    if missing:
        raise UsageError(f"{_KEY}: {missing[0]} is missing: type the command of the run again")
    return found


def _suffix_of_run(folder: Path, generations: int = 8) -> str | None:
    """Return ``picker.micrograph_suffix`` of a run, or of the run that it has filtered."""
    path = folder / "config.yaml"
    content = read_yaml(path) if path.is_file() else None
    filtered = part(content, "filter").get("picks")
    if filtered is not None and generations:
        return _suffix_of_run(Path(str(filtered)).expanduser(), generations - 1)
    suffix = part(content, "picker").get("micrograph_suffix")
    return None if suffix is None else str(suffix)


def _optics_of_run(folder: Path) -> dict[str, tuple[str, Optics]]:
    """Map the micrographs in RELION's lists of a run to their sub-folder and optics group."""
    found = {}
    for path in sorted((folder / "relion").rglob(_LIST)):
        group = path.parent.relative_to(folder / "relion").as_posix()
        for name, optics in read_optics(path).items():
            found[name] = ("" if group == "." else group, optics)
    return found


def _of_files(given: str, suffix: str) -> list[PickedMicrograph]:
    """List the micrographs of coordinate files, by the names that the files give."""
    sources = find_sources(_KEY, given)
    names = [name for name in names_of(sources) if not name.endswith(UNCERTAIN)]
    assigned = assign_sources(sources, names)
    if not assigned:
        raise UsageError(f"{_KEY}: no coordinates in {given}")
    optics = _optics_of_files(assigned.values())
    named = [source.name or picked_name(name) for name, source in assigned.items()]
    paths = [Path(one if suffix_of(Path(one)) in EXTENSIONS else f"{one}{suffix}") for one in named]
    return [
        PickedMicrograph(name, source, Named(path, None), optics.get(each) or placeholder(None))
        for name, source, path, each in zip(
            names_below(paths), assigned.values(), paths, named, strict=True
        )
    ]


def names_below(paths: Sequence[Path]) -> list[str]:
    """Return the names of micrographs: without extension, below their deepest common folder.

    Examples
    --------
    >>> names_below([Path("/data/a/x.mrc"), Path("/data/b/x.mrc")])
    ['a/x', 'b/x']
    """
    folders = [path.parent.relative_to(path.anchor).parts for path in paths]
    first, last = min(folders), max(folders)
    pairs = zip(first, last, strict=False)
    common = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    return [
        without_suffix(Path(*folder[common:], path.name)).as_posix()
        for folder, path in zip(folders, paths, strict=True)
    ]


def _optics_of_files(sources: Iterable[CoordinateSource]) -> dict[str, Optics]:
    tables = {one.path for one in sources if one.name and one.path.suffix.lower() == ".star"}
    found: dict[str, Optics] = {}
    for path in sorted(tables):
        found |= read_optics(path)
    return found
