"""Configuration of external pickers, and of imported picks (conf/picker)."""

from dataclasses import dataclass, field
from typing import Any

from omegaconf import MISSING

from deepcryopicker.errors import UsageError
from deepcryopicker.picker.schema import NamingConfig, check_threshold


@dataclass
class ProgramConfig(NamingConfig):
    """Settings of all pickers that call an installed program.

    Attributes
    ----------
    threshold : float
        Candidates with at least this score count as picks. Scores of the program are mapped so
        that 0.5 is its default threshold.
    """

    threshold: float = 0.5

    def __post_init__(self) -> None:
        self.check_naming()
        check_threshold(self.threshold)


@dataclass
class RelionLogConfig(ProgramConfig):
    """RELION's Laplacian of Gaussian, without references.

    Attributes
    ----------
    diameters : list of float
        Smallest and largest blob, in particle diameters.
    """

    diameters: list[float] = field(default_factory=lambda: [0.85, 1.15])

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.diameters) != 2 or not 0 < self.diameters[0] <= self.diameters[1] <= 4:
            raise UsageError(
                "picker.diameters must be [smallest, largest], each in (0, 4] particle diameters, "
                f"got {self.diameters}"
            )


@dataclass
class RelionTemplateConfig(ProgramConfig):
    """RELION's template matching, with 2-D class averages of a few picks.

    Attributes
    ----------
    templates : str or None
        MRC stack of references, particles bright, with its pixel size in the header; null makes
        them from true particles.
    picks : int
        Number of true particles for this, from the first micrographs, the same of every class.
    classes : int
        Number of 2-D classes.
    lowpass : float
        Low-pass filter of the references, Angstrom; without pixel size a sixth of the diameter.
    """

    templates: str | None = None
    picks: int = 200
    classes: int = 10
    lowpass: float = 20.0

    def __post_init__(self) -> None:
        super().__post_init__()
        for key, least, most in (
            ("picks", 10, 100_000),
            ("classes", 1, 500),
            ("lowpass", 1, 1000),
        ):
            value = getattr(self, key)
            if not least <= value <= most:
                raise UsageError(f"picker.{key} must lie in [{least}, {most}], got {value:g}")


@dataclass
class RelionReferenceConfig(ProgramConfig):
    """RELION's matching with projections of a structure.

    Attributes
    ----------
    structure : str or None
        Atomic model (PDB, mmCIF) or density map (MRC); that of the dataset by default.
    lowpass : float
        Low-pass filter of the projections, Angstrom.
    """

    structure: Any = None
    lowpass: float = 20.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.structure is not None and not isinstance(self.structure, str):
            if len(self.structure) != 1:
                raise UsageError(
                    f"picker.structure: RELION takes one structure, not {len(self.structure)}; "
                    "choose one, picker.structure=FILE"
                )
            self.structure = self.structure[0]
        if not 1 <= self.lowpass <= 1000:
            raise UsageError(f"picker.lowpass must lie in [1, 1000], got {self.lowpass:g}")


@dataclass
class TopazConfig(ProgramConfig):
    """Topaz with one of its pretrained networks.

    Attributes
    ----------
    network : str
        Name of a network of Topaz, or a file saved by Topaz. Such a file is a pickle, which can
        run any code: use only trusted files.
    working_diameter : float
        Approximate particle diameter, pixels, after Topaz has binned the micrograph by an integer.
    """

    network: str = "resnet8_u32"
    working_diameter: float = 28.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 4 <= self.working_diameter <= 512:
            raise UsageError(
                "picker.working_diameter must lie in [4, 512] pixels, "
                f"got {self.working_diameter:g}"
            )


@dataclass
class TopazTrainedConfig(TopazConfig):
    """Topaz with a network that is first trained on true particles.

    Attributes
    ----------
    updates : int
        Number of training steps.
    batch : int
        Windows per training step.
    """

    updates: int = 300
    batch: int = 128

    def __post_init__(self) -> None:
        super().__post_init__()
        for key in ("updates", "batch"):
            if not 1 <= getattr(self, key) <= 1_000_000:
                raise UsageError(f"picker.{key} must lie in [1, 1000000], got {getattr(self, key)}")


@dataclass
class ImportedConfig(NamingConfig):
    """Picks imported from the files of another program.

    Attributes
    ----------
    picks : str
        Folder with one file per micrograph, ``<stem>.csv``, ``.star``, ``.box`` and so on; or one
        table for all: a particles STAR file or a table of Topaz.
    threshold : float
        Minimum score of a pick. Scores of the file outside of [0, 1] are first mapped to it by a
        logistic function.
    """

    picks: str = MISSING
    threshold: float = 0.0

    def __post_init__(self) -> None:
        self.check_naming()
        check_threshold(self.threshold)
