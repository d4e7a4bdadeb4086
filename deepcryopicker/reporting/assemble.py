"""Assemble the contents of the page from run folders."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from deepcryopicker import __version__
from deepcryopicker.config.sections import ReportSection
from deepcryopicker.reporting.content import numbers
from deepcryopicker.reporting.content.class_sheets import class_sheets
from deepcryopicker.reporting.content.class_tiles import class_tiles, with_classes
from deepcryopicker.reporting.content.correcting import correcting
from deepcryopicker.reporting.content.differences import differences_table, placing_table
from deepcryopicker.reporting.content.provenance import source_of
from deepcryopicker.reporting.content.scored_pickers import (
    WITHOUT_TRUTH,
    ScoredPicker,
    as_picker,
    score_pickers,
)
from deepcryopicker.reporting.content.seed_table import seeds_table
from deepcryopicker.reporting.content.shown_micrographs import list_micrographs
from deepcryopicker.reporting.content.verdicts import verdicts_table
from deepcryopicker.reporting.page.page_model import Figure, Page
from deepcryopicker.reporting.reading.pick_sets import list_pick_sets
from deepcryopicker.reporting.reading.run_folders import RunFolder
from deepcryopicker.runs.folder import Run

DrawFigures = Callable[
    [Sequence[ScoredPicker], Mapping[str, str], Sequence[RunFolder], Run], list[Figure]
]


def assemble(
    settings: ReportSection,
    runs: Sequence[RunFolder],
    run: Run,
    draw_figures: DrawFigures | None = None,
    limited: bool = True,
) -> Page:
    """Read the results of the runs and draw their micrographs.

    Parameters
    ----------
    settings : ReportSection
    runs : sequence of RunFolder
        Runs to show.
    run : Run
        Run of the report.
    draw_figures : callable, optional
        Draws the paper's figures.
    limited : bool
        Whether to show only as many micrographs as a file of bounded size holds.
    """
    scored_pickers = score_pickers(list_pick_sets(runs), run)
    shown, places, total = list_micrographs(scored_pickers, settings.picture_megabytes, limited)
    pick_sets = [scored.pick_set for scored in scored_pickers]
    datasets = {
        scored.pick_set.name: _dataset(scored, [shown[index].dataset for index in own.values()])
        for scored, own in zip(scored_pickers, places, strict=True)
    }
    tables = [
        seeds_table(runs),
        verdicts_table(pick_sets),
        differences_table(scored_pickers, datasets),
        numbers.class_table(pick_sets),
        numbers.protocols_table(pick_sets),
        placing_table(pick_sets),
        numbers.windows_table(runs),
        numbers.labels_table(runs),
        numbers.timings_table(runs),
    ]
    pickers = [
        replace(
            as_picker(scored, datasets[scored.pick_set.name], own),
            correcting=correcting(scored, own),
        )
        for scored, own in zip(scored_pickers, places, strict=True)
        if scored.micrographs
    ]
    classes, members = class_tiles(runs) or (None, {})
    if classes is not None:
        names = [list(own) for own in places if own]
        pickers = [with_classes(*pair, members) for pair in zip(pickers, names, strict=True)]
    # Without any truth nothing is said about what truth would show.
    has_truth = any(one.evaluated for scored in scored_pickers for one in scored.micrographs)
    notes = [(each.pick_set.name, note) for each in scored_pickers for note in each.notes]
    return Page(
        title=settings.title,
        made=f"DeepCryoPicker {__version__}, {datetime.now():%Y-%m-%d %H:%M}",
        headline=numbers.picks_table(pick_sets, datasets),
        pickers=pickers,
        micrographs=shown,
        total=total,
        tables=[table for table in tables if table is not None],
        sheets=class_sheets(runs, None if classes is None else classes.run),
        classes=classes,
        figures=draw_figures(scored_pickers, datasets, runs, run)
        if draw_figures is not None and has_truth
        else [],
        sources=[
            source_of(one, [pick_set for pick_set in pick_sets if pick_set.run is one])
            for one in runs
        ],
        notes=notes if has_truth else [pair for pair in notes if pair[1] != WITHOUT_TRUTH],
    )


def _dataset(scored: ScoredPicker, there: Sequence[str]) -> str:
    """Return the dataset of a picker; foreign picks belong to the dataset of another run."""
    found = set(there)
    return found.pop() if len(found) == 1 else scored.pick_set.dataset
