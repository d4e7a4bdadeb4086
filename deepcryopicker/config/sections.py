"""Parts of the configuration that belong to one command each, and to no group."""

from dataclasses import dataclass

from omegaconf import MISSING

from deepcryopicker.errors import UsageError, unknown

MISSING_PICKS = ("skip", "missed")


@dataclass
class WatchingSection:
    """How a folder is followed.

    Attributes
    ----------
    every : float
        Seconds between two looks. A file is picked once it is as large as its header promises
        and did not change from one look to the next.
    idle : float or None
        Stop after so many seconds in which nothing new came; null waits for the stop file.
    patience : float
        Seconds after which a file that is not whole and does not change has failed.
    refresh : float
        Seconds after which ``summary.csv`` and RELION's lists are written anew, at most so often.
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
    """What to compare.

    Attributes
    ----------
    picks : str
        Folder with ``<stem>.csv``, ``.star``, ``.box`` or ``.cbox`` of any picker, or one file
        with the picks of many micrographs: a ``particles.star`` or Topaz's table.
    truth : str
        The same with the true particles; in a folder ``<stem>.uncertain.csv`` lists places that
        count neither way.
    radius : float or None
        Farthest a hit may lie from its particle, original pixels; null is half the median
        diameter in the truth.
    threshold : float
        Score from which a candidate counts as picked. Any number, because other programs' scores
        are not probabilities (Topaz's are log-odds); one below all scores takes every
        candidate.
    against : str or None
        Picks of a second picker, to be compared with the first.
    against_threshold : float or None
        Its threshold; null is the first one's.
    missing : str
        What truth without picks means: ``skip`` leaves the micrograph out, ``missed`` counts its
        particles as missed, because the picker found none there.
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
class ReportSection:
    """What to show.

    Attributes
    ----------
    runs : list of str
        Folders of runs and of sweeps, of which every job is taken.
    title : str
    picture_megabytes : float
        The micrographs together are made to fit into so much of the file; with 0 none is shown.
    figures : bool
        Whether to draw the paper's figures from these runs, into ``figures/`` and into the page.
    """

    runs: list[str] = MISSING
    title: str = "Particle picking report"
    picture_megabytes: float = 8.0
    figures: bool = True

    def __post_init__(self) -> None:
        if not self.runs:
            raise UsageError("report.runs is empty: name run folders, report.runs=[DIR,DIR]")
        if not 0 <= self.picture_megabytes <= 1000:
            raise UsageError(
                f"report.picture_megabytes must lie in [0, 1000], got {self.picture_megabytes:g}"
            )
