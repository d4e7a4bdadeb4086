"""Find training particles in the micrographs of a dataset."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from deepcryopicker.dataset.catalogue import Catalogue, Entry
from deepcryopicker.errors import MicrographError, UsageError
from deepcryopicker.evaluation.matching import match
from deepcryopicker.evaluation.scores import Evaluated, evaluate_micrograph
from deepcryopicker.io.console import track
from deepcryopicker.labeler import interface
from deepcryopicker.labeler.interface import Labeler, LearningConfig, MaskLabeler
from deepcryopicker.labeler.schema import LabelerConfig, LogConfig, StructureConfig, TruthConfig
from deepcryopicker.labeler.truth import label_by_correction, label_by_picks
from deepcryopicker.pipeline.inputs.open_dataset import spread
from deepcryopicker.pipeline.scoring.picked import scoring_radius
from deepcryopicker.preprocessing.preprocessed import Preprocessed
from deepcryopicker.preprocessing.schema import PreprocessingConfig
from deepcryopicker.runs.attempts import Attempts
from deepcryopicker.types import Candidates, Micrograph, Picks

_LEARN_FROM = 8  # micrographs of each group


@dataclass(frozen=True)
class Labelled:
    """A micrograph with its candidates.

    Attributes
    ----------
    entry : Entry
    preprocessed : Preprocessed
    seen : Micrograph
        Input of the labeler.
    candidates : Candidates
    evaluated : Evaluated or None
        All candidates matched with the truth; None without truth.
    good : (hits, false picks) or None
        Counts of the good candidates only.
    """

    entry: Entry
    preprocessed: Preprocessed
    seen: Micrograph
    candidates: Candidates
    evaluated: Evaluated | None
    good: tuple[int, int] | None


def label_each(
    catalogue: Catalogue,
    preprocessing: PreprocessingConfig,
    labeler: LabelerConfig,
    attempts: Attempts,
    most: int | None = None,
) -> Iterator[Labelled]:
    """Label micrographs one by one, without keeping them in memory.

    Parameters
    ----------
    catalogue : Catalogue
    preprocessing : PreprocessingConfig
    labeler : LabelerConfig
    attempts : Attempts
    most : int, optional
        Maximum number of micrographs to label, spread evenly over the dataset.

    Raises
    ------
    NothingUsableError
        If all micrographs fail.
    """
    entries = list(catalogue.entries)
    if isinstance(labeler, TruthConfig):
        entries = [entry for entry in entries if entry.truth is not None]
        labelers: dict[str, Labeler] | None = None
    elif isinstance(labeler, StructureConfig):
        raise UsageError(
            "labeler=structure labels no given micrographs, it simulates others to train on: "
            "choose another labeler, or python -m deepcryopicker.train"
        )
    else:
        labelers = learn_labelers(catalogue, preprocessing, labeler, attempts)
    done = 0
    for entry in track(spread(entries, most) if most else entries, "labelling"):
        work = partial(_label, entry, preprocessing, labelers)
        labelled = attempts.attempt("label", entry.name, entry.path, work)
        if labelled is not None:
            done += 1
            yield labelled
    attempts.require(done, "labelling")


def learn_labelers(
    catalogue: Catalogue,
    preprocessing: PreprocessingConfig,
    labeler: LearningConfig,
    attempts: Attempts,
) -> dict[str, Labeler]:
    """Fit a labeler to a sample of each group of micrographs.

    Parameters
    ----------
    catalogue : Catalogue
    preprocessing : PreprocessingConfig
    labeler : LearningConfig
    attempts : Attempts

    Returns
    -------
    dict
        From the group to its labeler; without groups of blank micrographs.
    """
    learned = {}
    for group in dict.fromkeys(entry.group for entry in catalogue.entries):
        members = [entry for entry in catalogue.entries if entry.group == group]
        whole_chain = not isinstance(labeler, LogConfig)
        sample = _sample(members, preprocessing, whole_chain, attempts)
        if sample:
            learned[group] = interface.learn(sample, labeler)
            attempts.decide(f"labeler of {group}", *interface.describe(learned[group]))
    if not learned:  # a folder of blank micrographs has no picks; that is not a failure
        failed = {row["path"] for row in attempts.failures}
        attempts.require(len(catalogue.entries) - len(failed), "learning")
    return learned


def _sample(
    members: list[Entry], preprocessing: PreprocessingConfig, whole_chain: bool, attempts: Attempts
) -> list[Preprocessed]:
    """Read evenly spread micrographs, with others in place of those that fail.

    Blank micrographs are left out: if all are blank, the sample is empty.
    """
    chosen = spread(members, _LEARN_FROM)
    others = iter([entry for entry in members if entry not in chosen])

    def read(entry: Entry) -> Preprocessed | None:
        work = partial(preprocess_entry, entry, preprocessing, whole_chain)
        return attempts.attempt("read", entry.name, entry.path, work)

    sample = []
    for entry in track(chosen, "learning the labeler from"):
        preprocessed = read(entry)
        while (preprocessed is None or preprocessed.is_blank) and (
            another := next(others, None)
        ) is not None:
            preprocessed = read(another)
        if preprocessed is not None and not preprocessed.is_blank:
            sample.append(preprocessed)
    return sample


def preprocess_entry(
    entry: Entry, preprocessing: PreprocessingConfig, whole_chain: bool = False
) -> Preprocessed:
    """Read a micrograph and preprocess it, as networks see it and, if asked, to the last step."""
    micrograph = entry.load()
    preprocessed = Preprocessed(micrograph, entry.particle_diameter(micrograph), preprocessing)
    # Computed here, so that errors of a micrograph are raised here.
    preprocessed.flat  # noqa: B018
    if whole_chain and not preprocessed.is_blank:
        preprocessed.enhanced  # noqa: B018
    return preprocessed


def known(labelers: dict[str, Labeler], entry: Entry) -> Labeler:
    """Return the labeler of the group of a micrograph.

    Raises
    ------
    MicrographError
        If the group has no labeler, because no micrograph could be used.
    """
    if entry.group not in labelers:
        raise MicrographError("no other micrograph of its group could be read to learn from")
    return labelers[entry.group]


def _label(
    entry: Entry, preprocessing: PreprocessingConfig, labelers: dict[str, Labeler] | None
) -> Labelled:
    """Label one micrograph; without labelers, by its truth."""
    preprocessed, seen = preprocess_entry(entry, preprocessing), None
    if preprocessed.is_blank:
        raise MicrographError("every pixel has the same value: nothing to learn from")
    truth = entry.load_truth()
    if labelers is not None:
        labeler = known(labelers, entry)
        candidates = interface.label(preprocessed, labeler)
        seen = preprocessed.enhanced if isinstance(labeler, MaskLabeler) else None
    elif (correction := entry.load_correction()) is not None:
        candidates = label_by_correction(preprocessed, correction)
    else:
        candidates = label_by_picks(preprocessed, *(truth or (Picks.empty(), Picks.empty())))
    seen = preprocessed.flat if seen is None else seen
    if truth is None:
        return Labelled(entry, preprocessed, seen, candidates, None, None)
    radius = scoring_radius(entry, preprocessed.diameter, truth[0])
    outcome = match(candidates.picks[candidates.good], *truth, radius)
    return Labelled(
        entry,
        preprocessed,
        seen,
        candidates,
        evaluate_micrograph(entry.name, candidates.picks, *truth, radius),
        (int((outcome == 1).sum()), int((outcome == 0).sum())),
    )
