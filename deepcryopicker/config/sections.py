"""Sections of the configuration that belong to a single command."""

from dataclasses import dataclass, field

from omegaconf import MISSING

from deepcryopicker.errors import UsageError, unknown
from deepcryopicker.io.files.suffixes import EXTENSIONS
from deepcryopicker.types import SHAPES

MISSING_PICKS = ("skip", "missed")


@dataclass
class WatchingSection:
    """How ``pick watch=true`` watches a folder.

    Attributes
    ----------
    every : float
        Seconds between two polls. A file is picked once it has the size given in its header and
        has not changed since the previous poll.
    idle : float or None
        Stop after this many seconds without a new file; null waits for the stop file.
    patience : float
        Seconds after which an incomplete file that no longer changes counts as failed.
    refresh : float
        Minimum seconds between updates of ``summary.csv``, RELION's lists, and what depends on
        scores that are calibrated on the folder.
    """

    every: float = 5.0
    idle: float | None = None
    patience: float = 300.0
    refresh: float = 300.0

    def __post_init__(self) -> None:
        for key in ("every", "idle", "patience", "refresh"):
            value = getattr(self, key)
            if value is not None and value <= 0:
                raise UsageError(f"watching.{key} must be > 0 seconds, got {value:g}")


@dataclass
class EvaluateSection:
    """Picks and truth to compare.

    Attributes
    ----------
    picks : str
        Folder with ``<stem>.csv``, ``.star``, ``.box`` or ``.cbox`` of any picker, or one file
        with the picks of many micrographs: a ``particles.star`` or Topaz's table.
    truth : str
        The true particles in the same formats; in a folder, ``<stem>.uncertain.csv`` lists
        positions where picks are not counted.
    radius : float or None
        Maximum distance of a hit from its particle, original pixels; null is half the median
        diameter in the truth.
    threshold : float
        Candidates with at least this score count as picks. Any number, because scores of other
        programs are not probabilities (Topaz's are log-odds); a very low one takes all candidates.
    against : str or None
        Picks of a second picker, to be compared with the first.
    against_threshold : float or None
        Threshold of the second picker; null is that of the first.
    missing : str
        Treatment of micrographs with truth but without a file of picks: ``skip`` them, or count
        their particles as ``missed``.
    """

    picks: str = MISSING
    truth: str = MISSING
    radius: float | None = None
    threshold: float = 0.5
    against: str | None = None
    against_threshold: float | None = None
    missing: str = "skip"

    def __post_init__(self) -> None:
        if self.radius is not None and self.radius <= 0:
            raise UsageError(f"evaluate.radius must be > 0 pixels, got {self.radius:g}")
        if self.missing not in MISSING_PICKS:
            raise UsageError(f"evaluate.missing: {unknown('choice', self.missing, MISSING_PICKS)}")
        if self.against is None and self.against_threshold is not None:
            raise UsageError("evaluate.against_threshold needs evaluate.against=DIR")


@dataclass
class ClassesSection:
    """How picks are sorted into 2-D classes.

    Attributes
    ----------
    count : int or None
        Most classes; null: one for sixty picks, 2 to 50.
    """

    count: int | None = None

    def __post_init__(self) -> None:
        if self.count is not None and not 1 <= self.count <= 200:
            raise UsageError(f"classes.count must lie in [1, 200], got {self.count}")


@dataclass
class FilterSection:
    """Which picks are kept; a key that is null keeps all.

    Attributes
    ----------
    picks : str
        A run folder, or the picks of any program: a folder, or one file.
    threshold : float or None
        Minimum score. Null is the threshold of the run, or that of `corrections`; picks of other
        programs are then all kept.
    top : int or None
        Most picks of a micrograph, the best first.
    distance : float or None
        Minimum distance of two picks, original pixels; of two that are nearer, the better is kept.
    labels : list of str or None
        Kinds of views to keep, such as ``[top, side]``.
    minsize, maxsize : float or None
        Range of sizes, original pixels: measured at each pick, or the diameters in files of other
        programs.
    contrast : list of float or None
        ``[LOW,HIGH]``: range of contrasts, standard deviations of the micrograph.
    maxscore : float or None
        Largest score; contaminants may have the highest.
    edge : float or None
        Minimum distance from the edges of the micrograph, original pixels.
    region : list of float or None
        ``[LEFT,TOP,RIGHT,BOTTOM]``, original pixels: the part of every micrograph to keep.
    mask : str or None
        Where nothing is kept: a folder of images with the names of micrographs, such as
        ``RUN/masks``, or one image for all; as in ``picker.mask``.
    micrographs, without : str or None
        Micrographs to keep, or to leave out: a pattern of names such as ``grid2_*``, or a file
        that lists them (text, CSV or STAR).
    classes : str or None
        Run folder of ``classes`` that has sorted these picks.
    drop : list of int
        Numbers of its classes to leave out. Picks that are in no class, for example because the
        edge cuts them, are kept.
    corrections : str or None
        The file ``corrections.json`` of a report: added picks are added, removed ones removed.
    box : int or None
        Side of the boxes in BOX and CBOX files, original pixels; null: the diameters of the picks.
    suffix : str
        Ending of the names of micrographs in RELION's files, where the picks name no files.
    """

    picks: str = MISSING
    threshold: float | None = None
    top: int | None = None
    distance: float | None = None
    labels: list[str] | None = None
    minsize: float | None = None
    maxsize: float | None = None
    contrast: list[float] | None = None
    maxscore: float | None = None
    edge: float | None = None
    region: list[float] | None = None
    mask: str | None = None
    micrographs: str | None = None
    without: str | None = None
    classes: str | None = None
    drop: list[int] = field(default_factory=list)
    corrections: str | None = None
    box: int | None = None
    suffix: str = ".mrc"

    def __post_init__(self) -> None:
        for key in ("top", "box"):
            count = getattr(self, key)
            if count is not None and count < 1:
                raise UsageError(f"filter.{key} must be at least 1, got {count}")
        for key in ("distance", "minsize", "maxsize", "edge"):
            value = getattr(self, key)
            if value is not None and not 0 <= value < float("inf"):
                raise UsageError(f"filter.{key} must be >= 0 pixels, got {value:g}")
        low, high = self.minsize, self.maxsize
        if low is not None and high is not None and low > high:
            raise UsageError(f"filter.minsize={low:g} is above filter.maxsize={high:g}")
        if self.contrast is not None and (
            len(self.contrast) != 2 or not self.contrast[0] <= self.contrast[1]
        ):
            raise UsageError(f"filter.contrast must be [LOW,HIGH], got {self.contrast}")
        for label in self.labels or ():
            if label not in SHAPES:
                raise UsageError(f"filter.labels: {unknown('kind of view', label, SHAPES)}")
        self._check_region()
        if bool(self.drop) != (self.classes is not None):
            raise UsageError(
                "filter.classes=RUN and filter.drop=[1,2] belong together: the run of classes, and "
                "the numbers of those to leave out"
            )
        if self.suffix not in EXTENSIONS:
            raise UsageError(f"filter.suffix: {unknown('suffix', self.suffix, sorted(EXTENSIONS))}")

    def _check_region(self) -> None:
        if self.region is None:
            return
        if len(self.region) != 4:
            raise UsageError(
                f"filter.region must be [LEFT,TOP,RIGHT,BOTTOM] in pixels, got {self.region}"
            )
        left, top, right, bottom = self.region
        if left >= right or top >= bottom:
            raise UsageError(
                f"filter.region={self.region} is empty: LEFT < RIGHT and TOP < BOTTOM, y counts "
                "from the first row"
            )


@dataclass
class ViewSection:
    """What the local server shows.

    Attributes
    ----------
    run : str
        Run folder whose picks are corrected.
    also : list of str
        Other runs on the page, such as another picker's or one of ``classes``.
    port : int
        Of this machine; 0 takes any that is free.
    """

    run: str = MISSING
    also: list[str] = field(default_factory=list)
    port: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.port < 2**16:
            raise UsageError(f"view.port must lie in [0, 65535], got {self.port}")


@dataclass
class ReportSection:
    """Contents of a report.

    Attributes
    ----------
    runs : list of str
        Folders of runs, and of sweeps with all their jobs.
    title : str
    picture_megabytes : float
        Maximum total size of the micrographs in the page; 0 shows none.
    figures : bool
        Whether to draw the paper's figures from these runs, into ``figures/`` and the page.
    """

    runs: list[str] = MISSING
    title: str = "Particle picking report"
    picture_megabytes: float = 8.0
    figures: bool = True

    def __post_init__(self) -> None:
        if not self.runs:
            raise UsageError("report.runs is empty: give run folders, report.runs=[DIR,DIR]")
        if not 0 <= self.picture_megabytes <= 1000:
            raise UsageError(
                f"report.picture_megabytes must lie in [0, 1000], got {self.picture_megabytes:g}"
            )
