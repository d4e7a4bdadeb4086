"""Find training particles in the micrographs of a dataset."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from deepcryopicker.dataset.catalogue import Catalogue, Entry
from deepcryopicker.errors import MicrographError, UsageError
from deepcryopicker.evaluation.matching import match
from deepcryopicker.evaluation.scores import Evaluated, evaluate_micrograph
from deepcryopicker.labeler import label
from deepcryopicker.labeler.label import Labeler
from deepcryopicker.labeler.schema import LabelerConfig, TruthConfig
from deepcryopicker.labeler.truth import label_by_picks
from deepcryopicker.preprocessing.schema import PreprocessingConfig
from deepcryopicker.preprocessing.views import Views
from deepcryopicker.progress import track
from deepcryopicker.runs import Run
from deepcryopicker.types import Candidates
from deepcryopicker.workflow.opening import spread
from deepcryopicker.workflow.picking import scoring_radius

_LEARN_FROM = 8  # micrographs of each group


@dataclass(frozen=True)
class Labelled:
    """One micrograph, its stages, and its candidates.

    Attributes
    ----------
    entry : Entry
    views : Views
    candidates : Candidates
    evaluated : Evaluated or None
        All candidates beside the truth; None where there is none.
    good : (hits, false picks) or None
        Of the good candidates alone.
    """

    entry: Entry
    views: Views
    candidates: Candidates
    evaluated: Evaluated | None
    good: tuple[int, int] | None


def label_each(
    catalogue: Catalogue,
    preprocessing: PreprocessingConfig,
    labeler: LabelerConfig,
    run: Run,
    most: int | None = None,
) -> Iterator[Labelled]:
    """Label micrograph after micrograph; only the current one is held.

    Parameters
    ----------
    catalogue : Catalogue
    preprocessing : PreprocessingConfig
    labeler : LabelerConfig
    run : Run
    most : int, optional
        Label at most so many micrographs, spread evenly over the dataset.

    Raises
    ------
    NothingUsableError
        If every single micrograph fails.
    """
    entries = list(catalogue.entries)
    if isinstance(labeler, TruthConfig):
        entries = [entry for entry in entries if entry.truth is not None]
        labelers: dict[str, Labeler] = {}
    else:
        labelers = learn_labelers(catalogue, preprocessing, labeler, run)
    done = 0
    for entry in track(spread(entries, most) if most else entries, "labelling"):
        work = partial(_label, entry, preprocessing, labelers.get(entry.group))
        labelled = run.attempt("label", entry.name, entry.path, work)
        if labelled is not None:
            done += 1
            yield labelled
    run.require(done, "labelling")


def learn_labelers(
    catalogue: Catalogue, preprocessing: PreprocessingConfig, labeler: LabelerConfig, run: Run
) -> dict[str, Labeler]:
    """Learn, for every group of micrographs, from a sample of it."""
    if isinstance(labeler, TruthConfig):
        raise UsageError("picker.labeler=truth picks nothing new; choose another labeler")
    learned = {}
    for group in dict.fromkeys(entry.group for entry in catalogue.entries):
        members = [entry for entry in catalogue.entries if entry.group == group]
        sample = []
        for entry in track(spread(members, _LEARN_FROM), "learning"):
            views = run.attempt(
                "read", entry.name, entry.path, partial(_views, entry, preprocessing)
            )
            if views is not None:
                sample.append(views)
        if sample:
            learned[group] = label.learn(sample, labeler)
    run.require(len(learned), "learning")
    return learned


def _views(entry: Entry, preprocessing: PreprocessingConfig) -> Views:
    micrograph = entry.load()
    views = Views(micrograph, entry.particle_diameter(micrograph), preprocessing)
    views.flat  # noqa: B018 - what is wrong with a micrograph shows here
    return views


def _label(entry: Entry, preprocessing: PreprocessingConfig, labeler: Labeler | None) -> Labelled:
    views = _views(entry, preprocessing)
    truth = entry.load_truth()
    if labeler is not None:
        candidates = label.label(views, labeler)
    elif truth is not None:
        candidates = label_by_picks(views, truth[0])
    else:
        raise MicrographError("no other micrograph of its group could be read to learn from")
    if truth is None:
        return Labelled(entry, views, candidates, None, None)
    radius = scoring_radius(entry, views.diameter, truth[0])
    outcome = match(candidates.picks[candidates.good], *truth, radius)
    return Labelled(
        entry,
        views,
        candidates,
        evaluate_micrograph(entry.name, candidates.picks, *truth, radius),
        (int((outcome == 1).sum()), int((outcome == 0).sum())),
    )
