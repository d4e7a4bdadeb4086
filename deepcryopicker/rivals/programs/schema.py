"""Configuration of pickers that others wrote, and of picks made elsewhere (conf/picker)."""

from dataclasses import dataclass, field

from omegaconf import MISSING

from deepcryopicker.errors import UsageError
from deepcryopicker.picker.schema import check_threshold


@dataclass
class ProgramConfig:
    """What all pickers that call an installed program have in common.

    Attributes
    ----------
    threshold : float
        Score from which a candidate counts as picked. Scores are the program's own, bent so that
        0.5 is the program's default threshold.
    """

    threshold: float = 0.5

    def __post_init__(self) -> None:
        check_threshold(self.threshold)


@dataclass
class RelionLogConfig(ProgramConfig):
    """RELION's Laplacian of Gaussian, without references.

    Attributes
    ----------
    diameters : list of float
        Smallest and largest blob to look for, in particle diameters.
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
    """RELION's template matching, with class averages of a few picks.

    Attributes
    ----------
    templates : str or None
        MRC stack of references, particles bright, with its pixel size in the header; null makes
        them from true particles.
    picks : int
        So many of these, of the first micrographs, the same number of every class.
    classes : int
        Of the classification that averages them.
    least_share : float
        Averages of less than this share of the particles are left out.
    lowpass : float
        Of the references, Angstrom; without a pixel size a sixth of the diameter.
    angle : float
        Degrees between two rotations of a reference.
    """

    templates: str | None = None
    picks: int = 200
    classes: int = 10
    least_share: float = 0.05
    lowpass: float = 20.0
    angle: float = 10.0

    def __post_init__(self) -> None:
        super().__post_init__()
        for key, least, most in (
            ("picks", 10, 100_000),
            ("classes", 1, 500),
            ("least_share", 0, 1),
            ("lowpass", 1, 1000),
            ("angle", 1, 360),
        ):
            value = getattr(self, key)
            if not least <= value <= most:
                raise UsageError(f"picker.{key} must lie in [{least}, {most}], got {value:g}")


@dataclass
class TopazConfig(ProgramConfig):
    """Topaz with one of the networks that come with it.

    Attributes
    ----------
    network : str
        Name of a network of Topaz, or a file of its own. Such a file is a pickle, which runs what
        is in it: give none from strangers.
    working_diameter : float
        Pixels that a particle has after Topaz has made the micrograph smaller, about: it does so
        by whole numbers.
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
    """Topaz, its network trained on true particles first.

    Attributes
    ----------
    updates : int
        Steps of its training, of `batch` windows each.
    batch : int
    """

    updates: int = 300
    batch: int = 128

    def __post_init__(self) -> None:
        super().__post_init__()
        for key in ("updates", "batch"):
            if not 1 <= getattr(self, key) <= 1_000_000:
                raise UsageError(f"picker.{key} must lie in [1, 1000000], got {getattr(self, key)}")


@dataclass
class ImportedConfig:
    """Picks that another program has left in files.

    Attributes
    ----------
    picks : str
        Folder with a file for each micrograph, ``<stem>.csv``, ``.star``, ``.box`` and so on; or
        one table of all: a particles STAR or one of Topaz.
    threshold : float
        Score, in the file's own unit where that lies in [0, 1], from which a pick counts. Others
        are bent into it by a logistic curve.
    """

    picks: str = MISSING
    threshold: float = 0.0

    def __post_init__(self) -> None:
        check_threshold(self.threshold)
