"""From run folders to everything that the page shows."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from deepcryopicker import __version__
from deepcryopicker.config.sections import ReportSection
from deepcryopicker.reporting.content import numbers
from deepcryopicker.reporting.content.differences import differences_table, placing_table
from deepcryopicker.reporting.content.provenance import source_of
from deepcryopicker.reporting.content.scored_pickers import Judgement, as_picker, judge_all
from deepcryopicker.reporting.content.shown_micrographs import shelve
from deepcryopicker.reporting.page.page_model import Figure, Page
from deepcryopicker.reporting.reading.pick_sets import list_lots
from deepcryopicker.reporting.reading.run_folders import RunFolder
from deepcryopicker.runs.folder import Run

DrawFigures = Callable[
    [Sequence[Judgement], Mapping[str, str], Sequence[RunFolder], Run], list[Figure]
]


def assemble(
    settings: ReportSection,
    runs: Sequence[RunFolder],
    run: Run,
    draw_figures: DrawFigures | None = None,
) -> Page:
    """Read, match and draw what the runs left.

    Parameters
    ----------
    settings : ReportSection
    runs : sequence of RunFolder
        Those to show.
    run : Run
        Of the report.
    draw_figures : callable, optional
        Draws the paper's figures.
    """
    judgements = judge_all(list_lots(runs), run)
    shown, places = shelve(judgements, settings.picture_megabytes)
    lots = [judgement.lot for judgement in judgements]
    datasets = {
        judgement.lot.name: _dataset(judgement, [shown[index].dataset for index in own.values()])
        for judgement, own in zip(judgements, places, strict=True)
    }
    tables = [
        differences_table(judgements, datasets),
        numbers.class_table(lots),
        numbers.protocols_table(lots),
        placing_table(lots),
        numbers.windows_table(runs),
        numbers.labels_table(runs),
        numbers.timings_table(runs),
    ]
    return Page(
        title=settings.title,
        made=f"DeepCryoPicker {__version__}, {datetime.now():%Y-%m-%d %H:%M}",
        headline=numbers.picks_table(lots, datasets),
        pickers=[
            as_picker(judgement, datasets[judgement.lot.name], own)
            for judgement, own in zip(judgements, places, strict=True)
            if judgement.judged
        ],
        micrographs=shown,
        tables=[table for table in tables if table is not None],
        figures=[] if draw_figures is None else draw_figures(judgements, datasets, runs, run),
        sources=[source_of(one, [lot for lot in lots if lot.run is one]) for one in runs],
        notes=[(each.lot.name, note) for each in judgements for note in each.notes],
    )


def _dataset(judgement: Judgement, there: Sequence[str]) -> str:
    """Name the dataset that a picker is compared on: foreign picks lie on another run's."""
    found = set(there)
    return found.pop() if len(found) == 1 else judgement.lot.dataset
