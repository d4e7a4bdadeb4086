"""What is on the page, as plain data: filled by whoever reads runs, drawn by the templates."""

from dataclasses import dataclass
from typing import Any

from deepcryopicker.evaluation.metrics import Curve
from deepcryopicker.evaluation.scores import Evaluated
from deepcryopicker.reporting.page.thumbnails import Picture
from deepcryopicker.types import Picks


@dataclass(frozen=True)
class Cell:
    """A cell of a table.

    Attributes
    ----------
    text : str
    number : float or None
        What the column is sorted by.
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
    """A row of a table; a part belongs to the row above it."""

    cells: list[Cell]
    part: bool = False


@dataclass(frozen=True)
class PageTable:
    """A table with a heading for each column, and what it says in a sentence."""

    title: str
    columns: list[str]
    rows: list[Row]
    note: str = ""

    def is_number(self, column: int) -> bool:
        """Whether a column holds numbers, and is set to the right."""
        return any(row.cells[column].number is not None for row in self.rows)


@dataclass(frozen=True)
class Shown:
    """A micrograph in the viewer.

    Attributes
    ----------
    name, dataset, group : str
        A dataset may have several groups, such as species.
    width, height : int
        Original pixels; a guess by the picks where there is no picture.
    picture : Picture or None
    """

    name: str
    dataset: str
    group: str
    width: int
    height: int
    picture: Picture | None = None


@dataclass(frozen=True)
class ShownPicks:
    """All candidates of a picker in one micrograph.

    Attributes
    ----------
    micrograph : int
        Index of what is shown.
    picks : Picks
    evaluated : Evaluated or None
        Beside the truth; None where there is none.
    """

    micrograph: int
    picks: Picks
    evaluated: Evaluated | None = None


@dataclass(frozen=True)
class ShownPicker:
    """A picker, whose picks can be looked at.

    Attributes
    ----------
    name : str
    dataset : str
    threshold : float
        That of the run.
    picked : list of Picked
    curve : Curve or None
        Precision over recall of all micrographs with truth.
    best_threshold : float or None
        That of the best F1.
    """

    name: str
    dataset: str
    threshold: float
    picked: list[ShownPicks]
    curve: Curve | None = None
    best_threshold: float | None = None


@dataclass(frozen=True)
class Figure:
    """A picture that corresponds to one of the paper's; without `data` the reason why not."""

    number: str
    caption: str
    file: str = ""
    data: str = ""
    reason: str = ""


@dataclass(frozen=True)
class RunFacts:
    """How the numbers of a run were made: a name, and facts as pairs of words."""

    name: str
    facts: list[tuple[str, str]]
    problem: str = ""


@dataclass(frozen=True)
class Page:
    """The whole page.

    Attributes
    ----------
    title, made : str
        The latter says by what, and when.
    headline : Table or None
        Scores of picks.
    pickers : list of Picker
    micrographs : list of Shown
    tables : list of Table
        Those that follow what can be seen.
    figures : list of Figure
    sources : list of Source
        One a run.
    notes : list of (str, str)
        Name of a picker and what a reader must know of it, such as that pictures are missing.
    """

    title: str
    made: str
    headline: PageTable | None
    pickers: list[ShownPicker]
    micrographs: list[Shown]
    tables: list[PageTable]
    figures: list[Figure]
    sources: list[RunFacts]
    notes: list[tuple[str, str]]

    @property
    def problems(self) -> list[RunFacts]:
        """Runs without results, or without all of them."""
        return [source for source in self.sources if source.problem]


Json = dict[str, Any]
