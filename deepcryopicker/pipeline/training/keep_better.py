"""Keep a trained network only where it stands out from noise at least as well as general weights.

A network that was trained on its own program's labels can have learned anything, and its accuracy
on such labels says nothing. What it finds in noise with the spectrum of the micrographs does.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from rich.markup import escape

from deepcryopicker.config.schemas import TrainConfig
from deepcryopicker.dataset.catalogue import Catalogue, Entry
from deepcryopicker.errors import NothingUsableError
from deepcryopicker.io.console import console, track
from deepcryopicker.logger.tracker import Tracker
from deepcryopicker.model.cards import chain_on
from deepcryopicker.model.network import Network
from deepcryopicker.model.weights import GENERAL, Trained, load_weights, save_weights
from deepcryopicker.picker.folder.assessment import (
    DOUBTFUL,
    FOUND,
    NOTHING,
    Assessment,
    assess,
    expected_by_mixture,
    gain_each,
)
from deepcryopicker.picker.folder.curve import bins_picked, calibrates, fit_curve
from deepcryopicker.picker.folder.score_counts import count_scores, no_counts
from deepcryopicker.picker.function import in_order_of_mrc
from deepcryopicker.picker.pick_counts import disc_share
from deepcryopicker.picker.schema import DenseConfig, SlidingConfig
from deepcryopicker.picker.search import build_search, search_beside_noise
from deepcryopicker.pipeline.inputs.open_dataset import spread
from deepcryopicker.pipeline.training.label_and_train import label_and_train
from deepcryopicker.preprocessing.preprocessed import Preprocessed
from deepcryopicker.runs.folder import Run

_SAMPLE = 4  # micrographs that both networks pick
_BETTER_FIRST = (FOUND, DOUBTFUL, NOTHING)


def train_or_fall_back(
    network: Network,
    catalogue: Catalogue,
    known: Catalogue,
    scored: Catalogue,
    config: TrainConfig,
    run: Run,
    tracker: Tracker,
) -> tuple[Trained | None, Catalogue, dict[str, Any]]:
    """Label and train as :func:`label_and_train` does, and return the better of two networks.

    Where nothing can be learned, or general weights stand out more clearly from noise, these take
    the place of the trained network, in the run folder too.

    Returns
    -------
    Trained or None
    Catalogue
    dict
        As of :func:`label_and_train`; ``network`` is ``trained`` or ``general``, and why.
    """
    general = load_weights(GENERAL)
    try:
        trained, scored, metrics = label_and_train(
            network, catalogue, known, scored, config, run, tracker
        )
    except NothingUsableError as error:
        if len({row["path"] for row in run.failures}) >= len(catalogue.entries):
            raise  # no micrograph can be read
        reason = " ".join(str(error).splitlines()[:1])
        return _general(general, reason, run), scored, {"network": "general", "reason": reason}
    if trained is None:
        return trained, scored, metrics
    sample = spread(list(catalogue.entries), _SAMPLE)
    ours, theirs = (
        assess_network(one, sample, what, config, run)
        for one, what in ((trained, "the trained network"), (general, "the general weights"))
    )
    order = [_BETTER_FIRST.index(each.verdict) for each in (ours, theirs)]
    if order[0] <= order[1]:
        return trained, scored, {**metrics, "network": "trained", "reason": ours.reason}
    reason = f"of the trained network: {ours.verdict}: {ours.reason}"
    general = _general(general, reason, run)
    metrics.pop("patches", None)  # of the other network
    return general, scored, {**metrics, "network": "general", "reason": reason}


def assess_network(
    trained: Trained, sample: Sequence[Entry], what: str, config: TrainConfig, run: Run
) -> Assessment:
    """Pick a sample of micrographs and noise like them, and assess the picks.

    Parameters
    ----------
    trained : Trained
    sample : sequence of Entry
    what : str
        Name of the network, for the progress.
    config : TrainConfig
    run : Run
    """
    chain = chain_on(trained.preprocessing, what)
    uses_network = isinstance(config.picker, DenseConfig | SlidingConfig)
    settings = config.picker if uses_network else DenseConfig(device=config.trainer.device)
    settings = replace(settings, max_picks=None, floor=DenseConfig().floor)
    search = build_search(trained, settings)
    counts, in_noise = no_counts(), no_counts()
    discs: list[float] = []

    def pick(entry: Entry) -> None:
        micrograph = entry.load()
        preprocessed = Preprocessed(micrograph, entry.particle_diameter(micrograph), chain)
        preprocessed = in_order_of_mrc(entry, preprocessed)
        discs.append(disc_share(1, preprocessed.diameter, micrograph.image.shape))
        if not preprocessed.is_blank:
            found, noise = search_beside_noise(search, entry, preprocessed, settings.mask)
            counts[:] += count_scores(found.score)
            in_noise[:] += count_scores(noise)

    for entry in track(sample, f"assessing {what}"):
        run.attempt("assessing", entry.name, entry.path, partial(pick, entry))
    curve = fit_curve(counts, in_noise)
    is_pick = bins_picked(settings.threshold, curve if calibrates(settings, trained) else None)
    found = expected_by_mixture(counts, curve, is_pick)
    return assess(
        found, gain_each(counts, curve), float(np.mean(discs or [0.0])) / max(len(discs), 1)
    )


def _general(general: Trained, reason: str, run: Run) -> Trained:
    """Put general weights in the place of those of the run, and say why."""
    console.print(f"[yellow]picking with the general weights: {escape(reason)}[/]")
    save_weights(run.folder, general)
    return general
