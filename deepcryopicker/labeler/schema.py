"""Configuration of the labelers (conf/labeler)."""

from dataclasses import dataclass, field

from deepcryopicker.errors import UsageError, unknown

MODES = ("robust", "paper_mean", "code")
"""Rules for the selection of candidates; see ``labeler.masks.selection.rejection_reasons``."""


@dataclass
class SelectionConfig:
    """Which candidates are good enough to train on (METHOD.md 6); lengths in diameters.

    Attributes
    ----------
    mode : str
        ``robust``: the limits below. ``paper_mean``: at least as round, square or large as the
        average of the micrograph. ``code``: the fixed limits of the authors' programs. Except for
        `rarest_shape`, the limits below apply to ``robust`` only.
    overlap : float
        Minimum intersection over union of the candidate's mask with its ideal disc or rectangle.
    isolation : float
        Minimum distance to the nearest other candidate.
    rarest_shape : float
        A shape with a smaller fraction of all good candidates of a dataset is rejected.
    """

    mode: str = "robust"
    overlap: float = 0.65
    isolation: float = 0.8
    rarest_shape: float = 0.15

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise UsageError(f"labeler.selection.mode: {unknown('mode', self.mode, MODES)}")
        for key in ("overlap", "rarest_shape"):
            if not 0 <= getattr(self, key) <= 1:
                raise UsageError(
                    f"labeler.selection.{key} must lie in [0, 1], got {getattr(self, key):g}"
                )


def averages() -> SelectionConfig:
    """Return the selection by Algorithms 1 and 2 of the paper."""
    return SelectionConfig(mode="paper_mean")


@dataclass
class MaskConfig:
    """Shapes in the cleaned mask of a clustering, as in AutoCryoPicker (METHOD.md 2, 4, 5, 6).

    Attributes
    ----------
    clusters : int
        Number of intensity clusters.
    sensitivity : float
        Of the circular Hough transform, 0-1.
    """

    clusters: int = 4
    sensitivity: float = 0.85
    selection: SelectionConfig = field(default_factory=SelectionConfig)

    def __post_init__(self) -> None:
        if not 2 <= self.clusters <= 64:
            raise UsageError(f"labeler.clusters must lie in [2, 64], got {self.clusters}")
        if not 0 < self.sensitivity < 1:
            raise UsageError(f"labeler.sensitivity must lie in (0, 1), got {self.sensitivity:g}")


@dataclass
class IbcConfig(MaskConfig):
    """Intensity-based clustering: a fixed quantisation of the grey levels (METHOD.md 2.1)."""


@dataclass
class KmeansConfig(MaskConfig):
    """k-means on the grey levels (METHOD.md 2.3)."""


@dataclass
class FcmConfig(MaskConfig):
    """Fuzzy c-means on the grey levels (METHOD.md 2.3)."""


@dataclass
class SuperKmeansConfig(MaskConfig):
    """SuperCryoPicker: k-means on the means of superpixels (METHOD.md 3)."""


@dataclass
class PaperConfig:
    """Both clusterings of the paper: AutoCryoPicker's, or SuperCryoPicker's if shapes are rare.

    In the paper's Figure 11 the former finds the round and square particles of apoferritin and KLH,
    the latter the irregular ones of the ribosome and beta-galactosidase. How a dataset is assigned
    to one of them is not said; here it is the fraction of round and square shapes.

    Attributes
    ----------
    regular : IbcConfig
        Finds round and square particles; other shapes are not used.
    irregular : SuperKmeansConfig
        Finds irregular particles; round and square shapes are not used.
    rarest_shape : float
        Minimum fraction of round and square shapes among the good candidates of `regular`.
    """

    regular: IbcConfig = field(default_factory=lambda: IbcConfig(selection=averages()))
    irregular: SuperKmeansConfig = field(
        default_factory=lambda: SuperKmeansConfig(clusters=5, selection=averages())
    )
    rarest_shape: float = 0.15

    def __post_init__(self) -> None:
        if not 0 <= self.rarest_shape <= 1:
            raise UsageError(f"labeler.rarest_shape must lie in [0, 1], got {self.rarest_shape:g}")


@dataclass
class TypicalConfig:
    """Which detections are typical enough to train on; fractions are of all detections.

    The strongest detections are not the best: contaminants and overlapping particles are darker
    than single particles, so the contrast is limited on both sides.

    Attributes
    ----------
    weakest : float
        Fraction of the weakest responses to reject.
    contrast : list of float
        Minimum and maximum quantile of the contrast within the particle's disc.
    isolation : float
        Minimum distance to the nearest other detection, in diameters.
    """

    weakest: float = 0.2
    contrast: list[float] = field(default_factory=lambda: [0.2, 0.9])
    isolation: float = 0.7

    def __post_init__(self) -> None:
        if not 0 <= self.weakest < 1:
            raise UsageError(f"labeler.typical.weakest must lie in [0, 1), got {self.weakest:g}")
        if len(self.contrast) != 2 or not 0 <= self.contrast[0] < self.contrast[1] <= 1:
            raise UsageError(
                "labeler.typical.contrast must be [least, greatest] within [0, 1], "
                f"got {self.contrast}"
            )
        if self.isolation < 0:
            raise UsageError(f"labeler.typical.isolation must be >= 0, got {self.isolation:g}")


@dataclass
class LogConfig:
    """Difference of Gaussians; the background is subtracted and outliers are clipped.

    Attributes
    ----------
    scale : float or None
        Sigma of the inner Gaussian, in diameters; null: the value with the best separation of
        particles from noise.
    clip : float
        Clipping limit in deviations from the background, so that contaminants do not dominate.
    distance : float
        Minimum distance between two detections, in diameters.
    """

    scale: float | None = None
    clip: float = 2.0
    distance: float = 0.6
    typical: TypicalConfig = field(default_factory=TypicalConfig)

    def __post_init__(self) -> None:
        if self.scale is not None and not 0.05 <= self.scale <= 0.5:
            raise UsageError(f"labeler.scale must lie in [0.05, 0.5], got {self.scale:g}")
        for key in ("clip", "distance"):
            if getattr(self, key) <= 0:
                raise UsageError(f"labeler.{key} must be > 0, got {getattr(self, key):g}")


@dataclass
class AutoConfig:
    """Round and square particles by their class averages or, if these are rare, blobs.

    Attributes
    ----------
    seeds : IbcConfig
        Finds the round and square particles to be averaged.
    blobs : LogConfig
        Finds particles without a specific shape.
    rarest_shape : float
        Minimum fraction of round and square seeds for class averages to be tried. 0 leaves the
        choice to how well they separate particles from noise: a fraction near a limit would
        decide by a single seed.
    clip : float
        Clipping limit for averages, in deviations from the background.
    """

    seeds: IbcConfig = field(default_factory=IbcConfig)
    blobs: LogConfig = field(default_factory=LogConfig)
    rarest_shape: float = 0.0
    clip: float = 3.0

    def __post_init__(self) -> None:
        if not 0 <= self.rarest_shape <= 1:
            raise UsageError(f"labeler.rarest_shape must lie in [0, 1], got {self.rarest_shape:g}")
        if self.clip <= 0:
            raise UsageError(f"labeler.clip must be > 0, got {self.clip:g}")


@dataclass
class TruthConfig:
    """The user's own picks in ``dataset.coordinates``."""


@dataclass
class StructureConfig:
    """Simulated micrographs of ``dataset.structure``, with contrast and noise of the given ones."""


LabelerConfig = (
    IbcConfig
    | KmeansConfig
    | FcmConfig
    | SuperKmeansConfig
    | LogConfig
    | AutoConfig
    | PaperConfig
    | TruthConfig
    | StructureConfig
)
