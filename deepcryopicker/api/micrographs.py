"""Micrographs given as arrays or files, and simulated ones."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from deepcryopicker.config.options import build, read_option
from deepcryopicker.dataset.catalogue import Entry
from deepcryopicker.dataset.schema import FolderConfig, SimulatedConfig
from deepcryopicker.errors import DeepCryoPickerError, MicrographError, UsageError
from deepcryopicker.io.files.checks import check_shape
from deepcryopicker.io.images import reader
from deepcryopicker.labeler.diameter import estimate_diameter
from deepcryopicker.pipeline.inputs.open_dataset import read_to_measure
from deepcryopicker.preprocessing.schema import PreprocessingConfig
from deepcryopicker.runs.attempts import AllOrNothing
from deepcryopicker.types import Micrograph, Picks

Given = str | Path | Micrograph | npt.NDArray[Any]
"""A file, a micrograph that was read, or the pixels of one."""

GROUP, ALONE = "micrographs", "micrograph"
_KEYS = tuple(f"dataset.{each.name}" for each in fields(FolderConfig))


@dataclass(frozen=True)
class EntryInMemory(Entry):
    """A micrograph that is in memory rather than in a file."""

    micrograph: Micrograph | None = None

    def load(self) -> Micrograph:
        """Return the micrograph."""
        if self.micrograph is None:
            raise ValueError("an entry in memory needs its micrograph")
        return self.micrograph


def read_micrograph(
    path: str | Path,
    *,
    pixel_size: float | None = None,
    polarity: str = "dark",
    average_frames: bool = False,
) -> Micrograph:
    """Read an MRC, TIFF, PNG or JPEG file.

    Parameters
    ----------
    path : str or Path
    pixel_size : float, optional
        Angstrom per pixel; takes the place of what the header says.
    polarity : {"dark", "bright"}
        How particles look in the file. Bright ones are made dark: the grey values change sign.
    average_frames : bool
        Average the frames of a stack rather than refuse it; nothing is aligned.

    Returns
    -------
    Micrograph
        ``image`` is (H, W) float32, row 0 the first row of the file.

    Raises
    ------
    MicrographError
        If the file cannot be used.
    UsageError
        If an argument is wrong.
    """
    with plain_errors():
        settings = _settings(pixel_size=pixel_size, polarity=polarity)
    try:
        return reader.read_micrograph(
            Path(path), None, settings.pixel_size, polarity, average_frames
        )
    except MicrographError as error:
        raise MicrographError(f"{path}: {error}") from error


def simulate_micrograph(
    kind: str = "apoferritin",
    *,
    shape: tuple[int, int] = (1000, 1100),
    dose: float = 30.0,
    seed: int = 0,
) -> tuple[Micrograph, Picks]:
    """Simulate a micrograph; the same arguments give the same pixels.

    Parameters
    ----------
    kind : {"apoferritin", "klh", "ribosome", "beta_galactosidase"}
        Of the particles.
    shape : (int, int)
        Height and width, pixels.
    dose : float
        Electrons per square Angstrom.
    seed : int

    Returns
    -------
    Micrograph
    Picks
        Every particle.
    """
    # Imported where it is needed: micrographs from a file should not wait for the simulator.
    from deepcryopicker.dataset.simulated import true_particles
    from deepcryopicker.dataset.simulator import KINDS, simulate

    with plain_errors():
        settings = build(
            "dataset", SimulatedConfig, {"kinds": [kind], "shape": list(shape), "dose": dose}
        )
    simulated = simulate(KINDS[kind], (shape[0], shape[1]), settings.dose, seed)
    name = f"{kind}_{seed}"
    micrograph = Micrograph(name, Path(name), simulated.image, simulated.pixel_size)
    return micrograph, true_particles(simulated)


def _measured(entries: Sequence[Entry], preprocessing: PreprocessingConfig) -> float:
    """Estimate the particle diameter as the commands do; original pixels, to a tenth."""
    loaded = read_to_measure(entries, preprocessing, AllOrNothing())
    if not loaded:
        raise UsageError("every pixel has the same value: there is no diameter to measure")
    return round(
        estimate_diameter(loaded, preprocessing, read_option("labeler", "auto")).diameter, 1
    )


def with_diameter(entries: Sequence[Entry], preprocessing: PreprocessingConfig) -> list[Entry]:
    """Return entries that all have a diameter: the given one, or else that measured."""
    if all(entry.diameter or entry.diameter_angstrom for entry in entries):
        return list(entries)
    diameter = _measured(entries, preprocessing)
    return [replace(entry, diameter=diameter, estimated=True) for entry in entries]


def as_entries(
    micrographs: Sequence[Given],
    *,
    diameter: float | None = None,
    diameter_angstrom: float | None = None,
    pixel_size: float | None = None,
    polarity: str = "dark",
    argument: str = "micrographs",
) -> list[Entry]:
    """Make a catalogue's entries of what was given; files are read when they are needed.

    Arrays are called by their place in `argument`.

    Raises
    ------
    MicrographError
        If an array cannot be a micrograph.
    UsageError
        If an option is wrong, or this is not a sequence of micrographs.
    """
    alone = isinstance(micrographs, str | Path | Micrograph)
    if alone or (isinstance(micrographs, np.ndarray) and micrographs.ndim == 2):
        raise UsageError("micrographs is a list, also of a single one: [micrograph]")
    if not len(micrographs):
        raise UsageError("micrographs is empty: give arrays, files or Micrograph objects")
    with plain_errors():
        given = _settings(diameter, diameter_angstrom, pixel_size, polarity)
    entries = []
    for number, one in enumerate(micrographs):
        # Numbers keep apart files of one name in two folders.
        entry = Entry(
            f"{number:06d}",
            Path(argument if argument == ALONE else f"{argument}[{number}]"),
            GROUP,
            given.diameter,
            given.diameter_angstrom,
            given.pixel_size,
            given.polarity,
        )
        if isinstance(one, str | Path):
            entries.append(replace(entry, path=Path(one)))
        else:
            held = as_micrograph(one, entry.path, given.pixel_size, polarity)
            options = {each.name: getattr(entry, each.name) for each in fields(Entry)}
            entries.append(EntryInMemory(**options | {"path": held.path}, micrograph=held))
    return entries


def as_micrograph(
    given: Micrograph | npt.NDArray[Any], path: Path, pixel_size: float | None, polarity: str
) -> Micrograph:
    """Make a micrograph of pixels, and check them as those of files are.

    Parameters
    ----------
    given : Micrograph or (H, W) array of numbers
    path : Path
        Names an array in errors.
    pixel_size : float or None
        Angstrom; None keeps that of a Micrograph.
    polarity : {"dark", "bright"}

    Raises
    ------
    MicrographError
        If it does not have two axes, is too large, or has many NaN or infinite pixels.
    UsageError
        If particles of a Micrograph are said to be bright.
    """
    if isinstance(given, Micrograph):
        if polarity == "bright":
            raise UsageError(
                "a Micrograph has dark particles already; polarity is for arrays and files"
            )
        return given if pixel_size is None else replace(given, pixel_size=pixel_size)
    pixels = np.asarray(given)
    if pixels.ndim != 2:
        raise MicrographError(f"{path}: a micrograph has two axes, this array has {pixels.ndim}")
    if pixels.dtype.kind not in "uif":
        raise MicrographError(f"{path}: pixels are whole or real numbers, not {pixels.dtype}")
    try:
        check_shape(*pixels.shape)
        with np.errstate(over="ignore"):  # what is beyond float32 is infinite, and counted so
            image = reader.mended(np.array(pixels, np.float32), path)
    except MicrographError as error:
        raise MicrographError(f"{path}: {error}") from error
    return Micrograph(path.name, path, -image if polarity == "bright" else image, pixel_size)


@contextmanager
def plain_errors() -> Iterator[None]:
    """Name arguments as they are here, where the configuration says ``dataset.diameter``."""
    try:
        yield
    except DeepCryoPickerError as error:
        message = str(error)
        for key in sorted((*_KEYS, "dataset.kinds", "dataset.shape", "dataset.dose"), key=len):
            message = message.replace(key, key.removeprefix("dataset."))
        raise type(error)(message) from error


def _settings(
    diameter: float | None = None,
    diameter_angstrom: float | None = None,
    pixel_size: float | None = None,
    polarity: str = "dark",
) -> FolderConfig:
    """Check options as those of a dataset."""
    given = {
        "micrographs": GROUP,
        "diameter": diameter,
        "diameter_angstrom": diameter_angstrom,
        "pixel_size": pixel_size,
        "polarity": polarity,
    }
    return build("dataset", FolderConfig, given)
