"""Configuration of the pickers (conf/picker)."""

from dataclasses import dataclass
from typing import Any

from omegaconf import MISSING

from deepcryopicker.errors import UsageError, unknown
from deepcryopicker.types import DEVICES

AUTO = "auto"
"""Value of a key that is decided by the micrograph."""
MAPS = ("joint", "per_class")
PADDINGS = ("mean", "none", "reflect")
PRECISIONS = ("auto", "bfloat16", "float16", "float32")
SUPPRESSIONS = ("distance", "iou", "none")
CLEANINGS = ("lower", "drop")


@dataclass(kw_only=True)
class NamingConfig:
    """Settings of all pickers: the files that their picks are written for.

    Attributes
    ----------
    micrograph_suffix : str or None
        For picks on PNG or JPG copies: the files that STAR files name instead, either by their
        suffix, such as ``.mrc``, or by a folder that holds them; picks in STAR files are then in
        their pixels. Null names the micrographs that are picked.
    """

    micrograph_suffix: str | None = None

    def check_naming(self) -> None:
        """Refuse an empty suffix."""
        if self.micrograph_suffix is not None and not self.micrograph_suffix.strip():
            raise UsageError(
                "picker.micrograph_suffix is empty: give a suffix such as .mrc, or a folder; "
                "null names the micrographs that are picked"
            )


@dataclass
class ThresholdConfig(NamingConfig):
    """Settings of pickers that find candidates with scores.

    Attributes
    ----------
    threshold : float
        Candidates with at least this score count as picks; all candidates are written.
    """

    threshold: float = 0.5

    def __post_init__(self) -> None:
        self.check_naming()
        check_threshold(self.threshold)


@dataclass
class MapConfig(ThresholdConfig):
    """From a map of class probabilities to picks, for every kind of scan.

    Attributes
    ----------
    floor : float
        Candidates with lower scores are not written.
    smoothing : float
        Sigma of the Gaussian over the score map, in diameters.
    maps : str
        Map in which maxima are found: ``joint``, the probability of any particle, where each pick
        gets its most probable class; ``per_class``, one map for each class (paper).
    max_area : float or None
        Connected areas larger than this, in particle areas, are ice or carbon: see `cleaning`.
        Typical for a particle is 0.05, at most 0.3 where a network is very sure; null switches
        this off.
    cleaning : str
        What happens to them: ``lower``, their scores are lowered in proportion, and an area is the
        top of a peak; ``drop``, nothing is picked there, and an area is all that is connected above
        the threshold by scores that are close (paper). The latter needs a larger `max_area`.
    suppression : str
        Rule for two picks of one particle: ``distance`` of their centres; ``iou``, overlap of
        their boxes (paper); ``none``. With ``picker.maps=per_class``, within each class first.
    distance : float
        Minimum distance between two picks, in diameters.
    iou : float
        Maximum intersection over union of the boxes of two picks; a box is a diameter wide.
    max_picks : int or None
        Maximum number of candidates written per micrograph, best first; null writes all.
    scale_factor : float
        Scale at which the network picks, relative to the scale at which it was trained.
    """

    floor: float = 0.0001
    smoothing: float = 0.04
    maps: str = "joint"
    max_area: float | None = 0.4
    cleaning: str = "lower"
    suppression: str = "distance"
    distance: float = 0.5
    iou: float = 0.3
    max_picks: int | None = None
    scale_factor: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        for key in ("floor", "iou"):
            if not 0 <= getattr(self, key) <= 1:
                raise UsageError(f"picker.{key} must lie in [0, 1], got {getattr(self, key):g}")
        for key in ("smoothing", "distance"):
            if getattr(self, key) < 0:
                raise UsageError(f"picker.{key} must be >= 0, got {getattr(self, key):g}")
        if self.max_area is not None and self.max_area <= 0:
            raise UsageError(
                f"picker.max_area must be > 0, got {self.max_area:g}; null switches it off"
            )
        if self.maps not in MAPS:
            raise UsageError(f"picker.maps: {unknown('kind', self.maps, MAPS)}")
        if self.suppression not in SUPPRESSIONS:
            raise UsageError(
                f"picker.suppression: {unknown('kind', self.suppression, SUPPRESSIONS)}"
            )
        if self.cleaning not in CLEANINGS:
            raise UsageError(f"picker.cleaning: {unknown('kind', self.cleaning, CLEANINGS)}")
        if self.max_picks is not None and self.max_picks < 1:
            raise UsageError(
                f"picker.max_picks must be at least 1, got {self.max_picks}; null writes all"
            )
        if not 0.25 <= self.scale_factor <= 4:
            raise UsageError(
                f"picker.scale_factor must lie in [0.25, 4], got {self.scale_factor:g}"
            )


@dataclass
class NetworkPickerConfig(MapConfig):
    """Settings of all pickers that scan with a network.

    Attributes
    ----------
    weights : str or None
        Run folder or weights file for ``pick``; null is ``general``, the weights that come with
        the program. ``train`` picks with the network that it has just trained.
    padding : str
        Values beyond the edges of the micrograph: its ``mean``, as in training, so that particles
        at the edges are found; ``reflect``, its mirror image, in which a particle and its
        reflection merge; ``none``, windows lie completely inside (paper).
    precision : str
        ``auto`` (16-bit floats on a GPU; on a CPU 8-bit integers where the network and the CPU are
        suited for them, else bfloat16 if it has instructions for it, else 32-bit floats),
        ``float32``, ``bfloat16`` or ``float16``.
    device : str
        ``auto`` (CUDA where present), ``cpu`` or ``cuda``.
    recalibrate : bool or None
        Whether scores are calibrated on the micrographs that are picked, so that 0.5 is as likely
        a particle as not there; false keeps the scores of the network, and ``train`` does not
        calibrate them either. Null: with weights for any diameter, such as the general ones; others
        are calibrated on the labels of their training.
        Never with `max_picks` or a `floor` above 0.001, which hide candidates.
    mask : str or None
        Where nothing is picked: ``auto``, film, crystals, large blobs and bare holes found in each
        micrograph; a folder with a mask image for each, or one for all, the way up of the file that
        is picked, in which nothing is picked above half of the largest value; null picks
        everywhere. Candidates there have a score of 0.
    """

    weights: str | None = None
    mask: str | None = AUTO
    recalibrate: bool | None = None
    padding: str = "mean"
    precision: str = "auto"
    device: str = "auto"

    def __post_init__(self) -> None:
        super().__post_init__()
        for key, choices in (
            ("padding", PADDINGS),
            ("precision", PRECISIONS),
            ("device", DEVICES),
        ):
            value = getattr(self, key)
            if value not in choices:
                raise UsageError(f"picker.{key}: {unknown(key, value, choices)}")


@dataclass
class DenseConfig(NetworkPickerConfig):
    """Run the network over the whole micrograph at once.

    Attributes
    ----------
    stride : int or None
        Working pixels between scores: a divisor or a multiple of the network's stride; null is
        the network's stride.
    tile : int or None
        Side of the tiles that are scanned at once, working pixels: bounds memory. Halved whenever
        memory runs out. Null is 1024 or 12 windows, whichever is more.
    """

    stride: int | None = None
    tile: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.stride is not None and self.stride < 1:
            raise UsageError(f"picker.stride must be at least 1 pixel, got {self.stride}")
        if self.tile is not None and self.tile < 256:
            raise UsageError(f"picker.tile must be at least 256 pixels, got {self.tile}")


@dataclass
class SlidingConfig(NetworkPickerConfig):
    """Classify one window after the other: the paper's scan, reference for the dense scan.

    Attributes
    ----------
    step : int or None
        Working pixels between windows; null is the network's stride.
    batch : int
        Number of windows classified at once, 1 in the paper; halved whenever memory runs out.
    """

    step: int | None = None
    batch: int = 32

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.step is not None and self.step < 1:
            raise UsageError(f"picker.step must be at least 1, got {self.step}")
        if self.batch < 1:
            raise UsageError(f"picker.batch must be at least 1, got {self.batch}")


@dataclass
class FunctionPickerConfig(ThresholdConfig):
    """A picker of a plugin; its schema is a subclass."""


@dataclass
class LabelerPickerConfig(ThresholdConfig):
    """A labeler alone, without a network, learned from the micrographs that it picks.

    Attributes
    ----------
    labeler : labeler configuration
    """

    # One of several schemas, each of them strict.
    labeler: Any = MISSING


def check_threshold(threshold: float) -> None:
    """Refuse thresholds outside [0, 1]."""
    if not 0 <= threshold <= 1:
        raise UsageError(f"picker.threshold must lie in [0, 1], got {threshold:g}")
