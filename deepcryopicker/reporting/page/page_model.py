"""Contents of the page as plain data, filled from run folders and drawn by the templates."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from deepcryopicker.evaluation.metrics import Curve
from deepcryopicker.evaluation.scores import Evaluated
from deepcryopicker.reporting.page.thumbnails import Picture
from deepcryopicker.types import Picks

DASH = "–"
"""What stands for an unknown value in a table."""


@dataclass(frozen=True)
class Cell:
    """A cell of a table.

    Attributes
    ----------
    text : str
    number : float or None
        Value for sorting the column.
    note : str
        Small print below, such as an interval.
    paper : str
        The published number.
    """

    text: str
    number: float | None = None
    note: str = ""
    paper: str = ""


@dataclass(frozen=True)
class Row:
    """A row of a table; a `part` belongs to the row above it."""

    cells: list[Cell]
    part: bool = False


@dataclass(frozen=True)
class PageTable:
    """A table with title, column headings and an explanation."""

    title: str
    columns: list[str]
    rows: list[Row]
    note: str = ""

    def without_empty_columns(self) -> "PageTable":
        """Return the table without columns that have nothing but dashes."""
        kept = [
            column
            for column in range(len(self.columns))
            if any(row.cells[column].text not in ("", DASH) for row in self.rows)
        ]
        rows = [replace(row, cells=[row.cells[column] for column in kept]) for row in self.rows]
        return replace(self, columns=[self.columns[column] for column in kept], rows=rows)

    def is_number(self, column: int) -> bool:
        """Whether a column holds numbers, which are right-aligned."""
        return any(row.cells[column].number is not None for row in self.rows)


@dataclass(frozen=True)
class Shown:
    """A micrograph in the viewer.

    Attributes
    ----------
    name, dataset, group : str
        A dataset may have several groups, such as different proteins.
    width, height : int
        Original pixels; estimated from the picks if there is no picture.
    pixel_size : float or None
        Angstrom per original pixel.
    picture : Picture or None
    """

    name: str
    dataset: str
    group: str
    width: int
    height: int
    pixel_size: float | None = None
    picture: Picture | None = None


@dataclass(frozen=True)
class ShownPicks:
    """All candidates of a picker in one micrograph.

    Attributes
    ----------
    micrograph : int
        Index of the micrograph on the page.
    picks : Picks
    evaluated : Evaluated or None
        Picks matched with truth; None without truth.
    classes : (N,) int64 or None
        2-D class of every pick, 0 for none.
    """

    micrograph: int
    picks: Picks
    evaluated: Evaluated | None = None
    classes: npt.NDArray[np.int64] | None = None


@dataclass(frozen=True)
class Correcting:
    """How corrected picks are saved.

    Attributes
    ----------
    file : str
        Name of downloads, without ending.
    weights : str or None
        Weights of the network that picked.
    filter, train : str
        Commands that apply the corrections and learn from them; empty where there are none.
    star : dict or None
        ``head`` of a particles.star, and for each micrograph its ``name`` and ``group`` there, its
        ``height`` if RELION turns it over, and the ``scale`` of the named file.
    """

    file: str = "picks"
    weights: str | None = None
    filter: str = ""
    train: str = ""
    star: dict[str, Any] | None = None


@dataclass(frozen=True)
class ClassTiles:
    """The averages of a run of ``classes``: its folder, and of each class the number of picks.

    Attributes
    ----------
    run : str
    count : list of int
    like_random : list of bool
        Whether an average is no better than those of random places.
    pictures : list of str
        WebP as base64.
    """

    run: str
    count: list[int]
    like_random: list[bool]
    pictures: list[str]


@dataclass(frozen=True)
class ShownPicker:
    """A picker whose picks are shown in the viewer.

    Attributes
    ----------
    name : str
    dataset : str
    threshold : float
        Threshold of the run.
    picked : list of ShownPicks
    curve : Curve or None
        Precision over recall of all micrographs with truth.
    best_threshold : float or None
        Threshold of the best F1.
    correcting : Correcting
    """

    name: str
    dataset: str
    threshold: float
    picked: list[ShownPicks]
    curve: Curve | None = None
    best_threshold: float | None = None
    correcting: Correcting = field(default_factory=Correcting)


@dataclass(frozen=True)
class Figure:
    """A figure corresponding to one of the paper; without `data`, the reason why it is missing."""

    number: str
    caption: str
    file: str = ""
    data: str = ""
    reason: str = ""


@dataclass(frozen=True)
class ClassSheet:
    """A picture of class averages; `data` is a PNG in base64."""

    caption: str
    data: str


@dataclass(frozen=True)
class RunFacts:
    """How the numbers of a run were made: a name, and facts as pairs of key and value."""

    name: str
    facts: list[tuple[str, str]]
    problem: str = ""


@dataclass(frozen=True)
class Page:
    """The complete page.

    Attributes
    ----------
    title, made : str
        `made` is version and date.
    headline : PageTable or None
        Scores of picks.
    pickers : list of ShownPicker
    micrographs : list of Shown
    total : int
        Number of all micrographs of the pickers, of which `micrographs` are shown.
    tables : list of PageTable
        Shown below the viewer.
    sheets : list of ClassSheet
    classes : ClassTiles or None
        Classes that can be left out.
    figures : list of Figure
    sources : list of RunFacts
        One for each run.
    notes : list of (str, str)
        Name of a picker and a limitation of its results, such as missing pictures.
    """

    title: str
    made: str
    headline: PageTable | None
    pickers: list[ShownPicker]
    micrographs: list[Shown]
    total: int
    tables: list[PageTable]
    sheets: list[ClassSheet]
    classes: ClassTiles | None
    figures: list[Figure]
    sources: list[RunFacts]
    notes: list[tuple[str, str]]

    @property
    def problems(self) -> list[RunFacts]:
        """Runs without results or with incomplete results."""
        return [source for source in self.sources if source.problem]

    @property
    def is_part(self) -> bool:
        """Whether there are more micrographs than a page of this size holds."""
        return len(self.micrographs) < self.total


Json = dict[str, Any]
