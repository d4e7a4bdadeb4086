"""Stop trainings of a search that are worse than half of the others at the same epoch."""

import math
from collections.abc import Mapping
from pathlib import Path

from deepcryopicker.errors import PrunedError
from deepcryopicker.search.study import STUDY, open_study
from deepcryopicker.trainer.curves import EPOCH_AP, OnEpoch


def watch_epochs(folder: Path) -> OnEpoch | None:
    """Return what reports every epoch of a job of a search to its study, or None.

    Parameters
    ----------
    folder : Path
        Run folder of the job; its name is the number of the trial.

    Returns
    -------
    callable or None
        Takes a row of the training curves, and raises `PrunedError` where the average precision on
        the validation windows is below the median of the other trials at that epoch. None where the
        run is not part of a search.
    """
    if not folder.name.isdigit() or not (folder.parent / STUDY).is_file():
        return None
    from optuna.trial import Trial, TrialState

    study = open_study(folder.parent)
    trials = study.get_trials(deepcopy=False)
    number = int(folder.name)
    if number >= len(trials) or trials[number].state != TrialState.RUNNING:
        return None
    trial = Trial(study, trials[number]._trial_id)
    reported = set(trials[number].intermediate_values)

    def report(row: Mapping[str, float]) -> None:
        epoch = int(row["epoch"])
        # Reported before an interruption, or there is no particle to rank.
        if epoch in reported or not math.isfinite(row[EPOCH_AP]):
            return
        trial.report(row[EPOCH_AP], epoch)
        if trial.should_prune():
            raise PrunedError(
                f"pruned after {epoch + 1} epochs: its average precision on the validation "
                f"windows, {row[EPOCH_AP]:.3f}, is below the median of the other trials"
            )

    return report
