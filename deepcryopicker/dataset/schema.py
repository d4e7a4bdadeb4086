"""Configuration of the datasets (conf/dataset)."""

from dataclasses import dataclass, field
from typing import Any

from omegaconf import MISSING

from deepcryopicker.dataset.public.schema import MapsConfig, SourceConfig
from deepcryopicker.errors import UsageError, unknown

POLARITIES = ("dark", "bright")
AUTO = "auto"
SPECIES = ("apoferritin", "klh", "ribosome", "beta_galactosidase")
MICROGRAPH_KINDS = (
    *("particles", "ice", "thick_ice", "carbon", "contaminated", "stain", "empty_ice"),
    *("empty_carbon", "empty_stain", "crystalline", "empty_contaminated", "cracked", "bare"),
    "spoiled",
)
INSTRUMENTS = ("any", "counting", "k3", "ccd", "film", "leginon", "epu", "processed")


def _check_folder(key: str, name: str) -> None:
    """Refuse a name that would put results outside the run folder."""
    if not name or "/" in name or name in (".", ".."):
        raise UsageError(f"{key} must be a folder name without '/', got '{name}'")


@dataclass
class FolderConfig:
    """Micrographs on disk, with or without truth.

    Attributes
    ----------
    name : str
        Of the dataset, for tables.
    micrographs : str
        A file, a folder (searched with its sub-folders; image files that are not micrographs are
        left out), a quoted glob, a STAR with ``_rlnMicrographName`` or a text file with one path
        per line.
    coordinates : str or None
        Folder or file of true particles: ``.csv``, ``.star``, ``.box``, ``.cbox``, Topaz's tables
        or cryoSPARC's ``.cs``, one file for each micrograph or one table of all; also a job folder
        of RELION and a run folder of ours. Positions in ``<stem>.uncertain.csv`` are ignored in
        scores. Used for scoring, and by ``labeler=truth``.
    diameter : float or None
        Particle diameter, original pixels; null estimates it from the data.
    diameter_angstrom : float or None
        The same in Angstrom.
    pixel_size : float or None
        Angstrom per pixel; null reads it from the header of the file.
    polarity : str
        ``dark`` or ``bright`` particles.
    structure : str, list of str or None
        File of the particle's structure: an atomic model (``.pdb``, ``.cif``) or a density map
        (``.mrc``, ``.map``); of a mixture, a list of several.
    average_frames : bool
        Average the frames of a stack (MRC, TIFF) rather than refuse it. For movies whose motion
        has been corrected; frames are not aligned.
    coordinates_from_bottom : bool or str
        Whether y in `coordinates` counts upwards from the last row of the file; ``auto``: for MRC
        files, not for pictures, as in CryoPPP.
    coordinates_swapped : bool
        Whether x and y are swapped in `coordinates`.
    coordinates_scale : float
        Factor from `coordinates` to original pixels: 2 if they are of micrographs binned twice.
    coordinates_threshold : float or None
        Least score of a true particle in `coordinates`; those without a score always count. Null:
        in files of ours the threshold of their run, or 0.5; in those of others, none.
    coordinates_classes : bool
        Whether RELION's class numbers in `coordinates` are kinds of views: 1 top, 2 side.
    coordinates_check : bool
        Whether to compare the fit of `coordinates` to a few micrographs with that of other
        readings. Training on coordinates that fit far better in another reading is refused.
    """

    name: str = "folder"
    micrographs: str = MISSING
    coordinates: str | None = None
    diameter: float | None = None
    diameter_angstrom: float | None = None
    pixel_size: float | None = None
    polarity: str = "dark"
    structure: Any = None  # a file or a list of files
    average_frames: bool = False
    # Any, because a combined dataset cannot merge a key of two types; see __post_init__.
    coordinates_from_bottom: Any = False
    coordinates_swapped: bool = False
    coordinates_scale: float = 1.0
    coordinates_threshold: float | None = None
    coordinates_classes: bool = False
    coordinates_check: bool = True

    def __post_init__(self) -> None:
        for key in ("diameter", "diameter_angstrom", "pixel_size", "coordinates_scale"):
            value = getattr(self, key)
            if value is not None and not 0 < value < float("inf"):
                raise UsageError(f"dataset.{key} must be > 0, got {value:g}")
        if self.diameter is not None and self.diameter_angstrom is not None:
            raise UsageError("give dataset.diameter or dataset.diameter_angstrom, not both")
        if self.polarity not in POLARITIES:
            raise UsageError(f"dataset.polarity: {unknown('polarity', self.polarity, POLARITIES)}")
        least = self.coordinates_threshold
        if least is not None and not -float("inf") < least < float("inf"):
            raise UsageError(f"dataset.coordinates_threshold must be a number, got {least:g}")
        if self.coordinates_from_bottom not in (True, False, AUTO):
            raise UsageError(
                "dataset.coordinates_from_bottom must be true, false or auto, got "
                f"'{self.coordinates_from_bottom}'"
            )
        _check_folder("dataset.name", self.name)


@dataclass
class PublicConfig(FolderConfig):
    """A public dataset: a folder of known layout, and the source of its files.

    Attributes
    ----------
    root : str
        Folder of the dataset.
    download : bool
        Whether to download missing files into the sub-folders ``micrographs`` and
        ``coordinates`` of `root`; otherwise the network is not used.
    source : source
    """

    root: str = MISSING
    download: bool = False
    source: SourceConfig = field(default_factory=SourceConfig)


@dataclass
class CryopppConfig(PublicConfig):
    """An entry of CryoPPP or CryoPPP_Lite; null diameters are those of its authors.

    Attributes
    ----------
    entry : str or None
        Folder of the entry, whose name holds its EMPIAR number; null is `root`. The options of
        single entries look for it below `root`.
    """

    entry: str | None = None


@dataclass
class SimulatedConfig:
    """Simulated micrographs with exact truth; no download, no network.

    Attributes
    ----------
    name : str
        Of the dataset, for tables.
    kinds : list of str
        Particle species; each micrograph holds one.
    micrographs_per_kind : int
    shape : list of int
        Height and width, pixels.
    dose : float
        Electrons per square Angstrom.
    seed : int
    cache : str
        Folder in which generated micrographs are kept for the next run.
    """

    name: str = "simulated"
    kinds: list[str] = field(default_factory=lambda: list(SPECIES))
    micrographs_per_kind: int = 4
    shape: list[int] = field(default_factory=lambda: [1000, 1100])
    dose: float = 30.0
    seed: int = 0
    cache: str = "outputs/simulated"

    def __post_init__(self) -> None:
        if not self.kinds:
            raise UsageError(f"dataset.kinds is empty: choose from {', '.join(SPECIES)}")
        for kind in self.kinds:
            if kind not in SPECIES:
                raise UsageError(f"dataset.kinds: {unknown('particle', kind, SPECIES)}")
        if self.micrographs_per_kind < 1:
            raise UsageError(
                f"dataset.micrographs_per_kind must be at least 1, got {self.micrographs_per_kind}"
            )
        if len(self.shape) != 2 or not all(256 <= side <= 8192 for side in self.shape):
            raise UsageError(
                "dataset.shape must be [height, width], each in [256, 8192], "
                f"got {list(self.shape)}"
            )
        if self.dose <= 0:
            raise UsageError(f"dataset.dose must be > 0, got {self.dose:g}")


@dataclass
class VariedConfig:
    """Simulated micrographs of all kinds, for the general model (docs/simulator.md).

    Attributes
    ----------
    name : str
        Of the dataset, for tables.
    count : int
        Number of micrographs.
    side : float
        Side of the square micrographs, particle diameters.
    kinds : list of str
        Kinds of micrographs, equally many of each; empty: all, in the shares of the documentation.
    instruments : list of str
        The same for what cameras and programs make of them.
    structures : list of str
        Files of structures (PDB, mmCIF, MRC) that half of the micrographs with particles show,
        those of kind ``particles`` excepted; the others show random forms.
    maps : MapsConfig or None
        Published density maps that are used as well.
    download : bool
        Whether to download those of them that are missing.
    seed : int
    cache : str
        Folder in which generated micrographs are kept for the next run.
    """

    name: str = "varied"
    count: int = 300
    side: float = 20.0
    kinds: list[str] = field(default_factory=list)
    instruments: list[str] = field(default_factory=list)
    structures: list[str] = field(default_factory=list)
    maps: MapsConfig | None = None
    download: bool = False
    seed: int = 0
    cache: str = "outputs/varied"

    def __post_init__(self) -> None:
        for kind in self.kinds:
            if kind not in MICROGRAPH_KINDS:
                raise UsageError(
                    f"dataset.kinds: {unknown('kind of micrograph', kind, MICROGRAPH_KINDS)}"
                )
        for name in self.instruments:
            if name not in INSTRUMENTS:
                raise UsageError(f"dataset.instruments: {unknown('instrument', name, INSTRUMENTS)}")
        if self.count < 1:
            raise UsageError(f"dataset.count must be at least 1, got {self.count}")
        if not 8 <= self.side <= 100:
            raise UsageError(
                f"dataset.side must lie in [8, 100] particle diameters, got {self.side:g}"
            )


@dataclass
class CombinedConfig:
    """Several datasets at once, each with its own diameter and truth.

    Attributes
    ----------
    name : str
        Of the combination, for tables.
    members : dict
        Configuration of each member by the folder of its results.
    download : bool
        Whether to download missing files of its public members.
    simulated : SimulatedConfig or None
        Simulated micrographs to add.
    """

    name: str = "combined"
    members: dict[str, FolderConfig] = field(default_factory=dict)
    download: bool = False
    simulated: SimulatedConfig | None = None

    def __post_init__(self) -> None:
        if not self.members:
            raise UsageError("dataset.members is empty: name datasets, as in dataset=paper")
        for name in self.members:
            _check_folder("dataset.members", name)
        if self.simulated is not None:
            _check_folder("dataset.simulated", self.simulated.name)
            if self.simulated.name in self.members:
                raise UsageError(
                    f"dataset.simulated: its name, {self.simulated.name}, is one of "
                    "dataset.members; choose another name"
                )
