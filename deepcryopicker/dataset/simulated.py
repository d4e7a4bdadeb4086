"""Simulated datasets: generated once into a cache, then read like others from MRC and CSV."""

import hashlib
import json
import os
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path

import mrcfile
import numpy as np

from deepcryopicker.dataset import simulator, structures
from deepcryopicker.dataset.catalogue import Catalogue, Entry
from deepcryopicker.dataset.schema import SimulatedConfig, VariedConfig
from deepcryopicker.dataset.simulator import KINDS, Kind, SimulatedMicrograph, simulate
from deepcryopicker.dataset.simulator.micrographs.plans import Variety, plan
from deepcryopicker.dataset.simulator.variety import simulate_any
from deepcryopicker.dataset.structures.known_structures import known_structures, structures_of
from deepcryopicker.errors import UsageError
from deepcryopicker.io.coordinates.candidate_csv import write_csv
from deepcryopicker.io.files.atomic import replacing
from deepcryopicker.types import Picks

Track = Callable[[Collection[tuple[Kind, int]], str], Iterable[tuple[Kind, int]]]
TrackSeeds = Callable[[Collection[int], str], Iterable[int]]

_MOST_THREADS = 8
"""Micrographs that are simulated at once: each takes tens of times the memory of its image."""


def open_simulated(config: SimulatedConfig, track: Track) -> Catalogue:
    """Simulate the micrographs missing from the cache and return the catalogue.

    Parameters
    ----------
    config : SimulatedConfig
    track : callable
        Wraps the micrographs to be simulated in a progress bar.
    """
    folder, wanted = _wanted(config)
    missing = [
        (kind, index) for kind, index in wanted if not _paths(folder, kind.name, index)[0].exists()
    ]
    height, width = config.shape
    for kind, index in track(missing, "simulating"):
        simulated = simulate(kind, (height, width), config.dose, _seed(config, kind, index))
        _store(simulated, *_paths(folder, kind.name, index))
    return list_simulated(config)


def list_simulated(config: SimulatedConfig) -> Catalogue:
    """Return the catalogue of what is in the cache; nothing is generated."""
    folder, wanted = _wanted(config)
    entries = []
    for kind, index in wanted:
        micrograph, coordinates = _paths(folder, kind.name, index)
        if micrograph.exists():
            entries.append(
                Entry(
                    name=micrograph.stem,
                    path=micrograph,
                    group=kind.name,
                    diameter_angstrom=kind.diameter,
                    truth=coordinates,
                )
            )
    return Catalogue(config.name, tuple(entries))


def add_simulated(catalogue: Catalogue, simulated: Catalogue) -> Catalogue:
    """Append simulated micrographs to a catalogue of real micrographs.

    Their names and groups start with the name of their dataset: ``simulated_klh``.
    """
    generated = [
        replace(
            entry,
            name=f"{simulated.name}/{entry.name}",
            group=f"{simulated.name}_{entry.group}",
        )
        for entry in simulated.entries
    ]
    return replace(catalogue, entries=(*catalogue.entries, *generated))


def open_varied(config: VariedConfig, track: TrackSeeds) -> Catalogue:
    """Simulate missing micrographs into the cache, on up to eight cores; return the catalogue.

    Parameters
    ----------
    config : VariedConfig
    track : callable
        Wraps the seeds of the micrographs to be simulated in a progress bar.
    """
    known_structures(config)
    paths = _varied_paths(config)
    missing = [seed for seed, (micrograph, _) in paths.items() if not micrograph.exists()]
    variety = _variety(config)

    def make(seed: int) -> None:
        _store(simulate_any(config.side, seed, variety), *paths[seed])

    pool = ThreadPoolExecutor(min(os.cpu_count() or 1, _MOST_THREADS))
    try:
        made = {seed: pool.submit(make, seed) for seed in missing}
        for seed in track(missing, "simulating"):
            made[seed].result()
    finally:
        pool.shutdown(cancel_futures=True)
    return list_varied(config)


def list_varied(config: VariedConfig) -> Catalogue:
    """Return the catalogue of what is in the cache; nothing is generated."""
    variety = _variety(config)
    entries = [
        Entry(
            name=micrograph.stem,
            path=micrograph,
            group=config.name,
            diameter=plan(seed, variety).conditions.diameter,
            truth=coordinates,
        )
        for seed, (micrograph, coordinates) in _varied_paths(config).items()
        if micrograph.exists()
    ]
    return Catalogue(config.name, tuple(entries))


def _variety(config: VariedConfig) -> Variety:
    return Variety(tuple(config.kinds), tuple(config.instruments), tuple(structures_of(config)))


def _varied_paths(config: VariedConfig) -> dict[int, tuple[Path, Path]]:
    """Return the files of micrograph and truth by seed."""
    folder = Path(config.cache) / _key(config)
    return {
        config.seed * 1_000_000 + index: _paths(folder, config.name, index)
        for index in range(config.count)
    }


def _wanted(config: SimulatedConfig) -> tuple[Path, list[tuple[Kind, int]]]:
    """Return the cache folder, and species and number of each micrograph."""
    wanted = [(KINDS[name], i) for name in config.kinds for i in range(config.micrographs_per_kind)]
    return Path(config.cache) / _key(config), wanted


def _key(config: SimulatedConfig | VariedConfig) -> str:
    """Return the name of the cache folder, which depends on all that determines a micrograph."""
    settings = {k: v for k, v in asdict(config).items() if k in {"shape", "dose", "seed", "side"}}
    if isinstance(config, VariedConfig):
        contents = [_file_digest(path) for path in structures_of(config)]
        settings |= {"kinds": config.kinds, "instruments": config.instruments}
        settings |= {"structures": contents}
    text = json.dumps([_code_digest(), settings], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


@cache
def _code_digest() -> str:
    """Digest of the source files that micrographs are made by: a changed one makes them anew."""
    digest = hashlib.sha256()
    folders = [Path(str(package.__file__)).parent for package in (simulator, structures)]
    sources = [path for folder in folders for path in sorted(folder.rglob("*.py"))]
    for path in [Path(__file__), *sources]:
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{path.parent.name}/{path.name} {content}\n".encode())
    return digest.hexdigest()


def _file_digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UsageError(f"dataset.structures: cannot read {path}: {error.strerror}") from error


def _seed(config: SimulatedConfig, kind: Kind, index: int) -> int:
    return config.seed * 1_000_000 + sorted(KINDS).index(kind.name) * 10_000 + index


def _paths(folder: Path, name: str, index: int) -> tuple[Path, Path]:
    stem = f"{name}_{index:03d}"
    return folder / "micrographs" / f"{stem}.mrc", folder / "coordinates" / f"{stem}.csv"


def true_particles(simulated: SimulatedMicrograph) -> Picks:
    """Return the particles of a simulated micrograph, original pixels."""
    return Picks.create(
        simulated.x, simulated.y, label=simulated.label, diameter=simulated.diameter
    )


def _store(simulated: SimulatedMicrograph, micrograph: Path, coordinates: Path) -> None:
    """Write truth first: a micrograph in the cache always has its truth."""
    write_csv(coordinates, true_particles(simulated))
    with replacing(micrograph) as temporary, mrcfile.new(temporary, overwrite=True) as file:
        file.set_data(simulated.image.astype(np.float32))
        file.voxel_size = simulated.pixel_size
