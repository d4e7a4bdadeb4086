"""From run folders to everything that the page shows."""

from collections.abc import Sequence
from datetime import datetime

from deepcryopicker import __version__
from deepcryopicker.reporting.page.model import Page
from deepcryopicker.results import numbers
from deepcryopicker.results.differences import differences_table, placing_table
from deepcryopicker.results.figures.gallery import draw_figures
from deepcryopicker.results.folders import RunFolder
from deepcryopicker.results.lots import list_lots
from deepcryopicker.results.micrographs import shelve
from deepcryopicker.results.pickers import Judgement, as_picker, judge_all
from deepcryopicker.results.provenance import source_of
from deepcryopicker.runs import Run
from deepcryopicker.sections import ReportSection


def assemble(settings: ReportSection, runs: Sequence[RunFolder], run: Run) -> Page:
    """Read, match and draw what the runs left.

    Parameters
    ----------
    settings : ReportSection
    runs : sequence of RunFolder
        Those to show.
    run : Run
        Of the report.
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
        figures=draw_figures(judgements, datasets, runs, run) if settings.figures else [],
        sources=[source_of(one, [lot for lot in lots if lot.run is one]) for one in runs],
        notes=[(each.lot.name, note) for each in judgements for note in each.notes],
    )


def _dataset(judgement: Judgement, there: Sequence[str]) -> str:
    """Name the dataset that a picker is compared on: foreign picks lie on another run's."""
    found = set(there)
    return found.pop() if len(found) == 1 else judgement.lot.dataset
