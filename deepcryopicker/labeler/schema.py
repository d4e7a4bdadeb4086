"""Configuration of the labelers (conf/labeler)."""

from dataclasses import dataclass, field

from deepcryopicker.errors import UsageError


@dataclass
class SelectionConfig:
    """Which candidates are good enough to train on (METHOD.md 6); lengths in diameters.

    Attributes
    ----------
    overlap : float
        Least intersection over union of a candidate's mask with its ideal disc or rectangle.
    smallest_area, largest_area : float
        Limits of the mask's area, in units of its own disc's.
    isolation : float
        Least distance to the nearest other candidate.
    rarest_shape : float
        A shape with a smaller share of all good candidates of a dataset is taken for an accident.
    """

    overlap: float = 0.65
    smallest_area: float = 0.5
    largest_area: float = 1.6
    isolation: float = 0.8
    rarest_shape: float = 0.15

    def __post_init__(self) -> None:
        for key in ("overlap", "rarest_shape"):
            if not 0 <= getattr(self, key) <= 1:
                raise UsageError(
                    f"labeler.selection.{key} must lie in [0, 1], got {getattr(self, key):g}"
                )
        if not 0 <= self.smallest_area < self.largest_area:
            raise UsageError(
                "labeler.selection.smallest_area must lie in [0, largest_area), "
                f"got {self.smallest_area:g}"
            )


@dataclass
class IbcConfig:
    """Intensity-based clustering, AutoCryoPicker's way (METHOD.md 2, 4 and 6).

    Attributes
    ----------
    clusters : int
        Number of intensity clusters; the darkest one is the particles.
    smallest_component : float
        Mask components below this share of the particle's area are noise.
    smallest_radius, largest_radius : float
        Radii of circles searched for, in diameters.
    sensitivity : float
        Of the circular Hough transform, 0-1.
    """

    clusters: int = 4
    smallest_component: float = 0.25
    smallest_radius: float = 0.35
    largest_radius: float = 0.65
    sensitivity: float = 0.85
    selection: SelectionConfig = field(default_factory=SelectionConfig)

    def __post_init__(self) -> None:
        if self.clusters < 2:
            raise UsageError(f"labeler.clusters must be at least 2, got {self.clusters}")
        if not 0 < self.sensitivity < 1:
            raise UsageError(f"labeler.sensitivity must lie in (0, 1), got {self.sensitivity:g}")
        if not 0 < self.smallest_radius < self.largest_radius:
            raise UsageError(
                "labeler.smallest_radius must lie in (0, largest_radius), "
                f"got {self.smallest_radius:g}"
            )
