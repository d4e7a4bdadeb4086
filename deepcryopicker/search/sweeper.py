"""Hydra sweeper whose jobs are trials of an Optuna study."""

import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.core.plugins import Plugins
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf

from deepcryopicker.errors import UsageError
from deepcryopicker.io.console import console
from deepcryopicker.runs.status import Outcome, read_outcome
from deepcryopicker.search.study import as_override, distribution_of, open_study, own_values

if TYPE_CHECKING:
    from optuna import Study
    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial

_PLUGINS = "hydra_plugins"
_OVERRIDES = "overrides"  # of a trial, so that a resumed search repeats it exactly


class SearchSweeper(Sweeper):
    """Searches the keys for which several values or an interval are given.

    Job k of the sweep is trial k. A search that was killed is resumed by the same command: trials
    that had ended are kept, those that had not are continued in their folders.

    Parameters
    ----------
    n_trials : int
        Jobs of the whole search.
    n_jobs : int
        Jobs that are launched together, for launchers that run them at the same time.
    seed : int
        Of the sampler.
    params : mapping or None
        Searched keys, as in Hydra's own sweeper.
    """

    def __init__(self, n_trials: int, n_jobs: int, seed: int, params: DictConfig | None) -> None:
        if min(n_trials, n_jobs) < 1:
            raise UsageError("hydra.sweeper.n_trials and hydra.sweeper.n_jobs must be at least 1")
        self.n_trials, self.n_jobs, self.seed = n_trials, n_jobs, seed
        self.params = {str(key): str(value) for key, value in (params or {}).items()}

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Prepare the launcher."""
        self.hydra_context, self.config = hydra_context, config
        self._loader, self._composed = hydra_context.config_loader, config
        self._launcher = self.launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> None:
        """Run the search, and print its best trial."""
        folder = Path(self._composed.hydra.sweep.dir).absolute()
        study = open_study(folder, self.seed)
        OmegaConf.save(self._composed, folder / "multirun.yaml")
        typed = [f"{key}={value}" for key, value in self.params.items()] + arguments
        overrides = OverridesParser.create(config_loader=self._loader).parse_overrides(typed)
        found = {one.get_key_element(): distribution_of(one) for one in overrides}
        searched = {key: one for key, one in found.items() if one is not None}
        fixed = [_as_typed(one) for one in overrides if found[one.get_key_element()] is None]
        if "seed" in searched:
            raise UsageError("a search has one seed; train the best trial with seeds=3 afterwards")
        if not searched:
            raise UsageError(
                "a search needs keys with several values, such as "
                "trainer.learning_rate=interval(0.001,0.01)"
            )
        if not study.get_trials():
            first = own_values(searched, self._defaults(fixed, searched))
            if first is not None:
                study.enqueue_trial(first)
        for batch in _batches(study, searched, fixed, self.n_trials, self.n_jobs):
            self._launch(study, folder, batch)
        console.print(describe(study))

    def _launch(self, study: "Study", folder: Path, batch: Sequence["FrozenTrial"]) -> None:
        """Run trials of consecutive numbers, and record their results."""
        jobs = [list(trial.user_attrs[_OVERRIDES]) for trial in batch]
        self.validate_batch_is_legal(jobs)
        self._launcher.launch(jobs, initial_job_idx=batch[0].number)
        for trial in batch:
            _record(study, trial.number, read_outcome(folder / str(trial.number)))

    def _defaults(
        self, fixed: Sequence[str], searched: dict[str, "BaseDistribution"]
    ) -> dict[str, Any]:
        """Return the values of the searched keys, and the options of groups, without a search."""
        config = self._loader.load_sweep_config(self._composed, list(fixed))
        choices = config.hydra.runtime.choices
        return {
            key: choices[key] if key in choices else OmegaConf.select(config, key.lstrip("+"))
            for key in searched
        }


def register_sweeper() -> None:
    """Register the sweeper under a name that Hydra accepts: one below ``hydra_plugins``."""
    try:
        package = import_module(_PLUGINS)
    except ImportError:  # no plugin is installed
        package = sys.modules[_PLUGINS] = ModuleType(_PLUGINS)
        package.__path__ = []  # Hydra looks for plugins there
    name = f"{_PLUGINS}.deepcryopicker"
    sys.modules[name] = module = sys.modules[__name__]
    vars(package)["deepcryopicker"] = module
    SearchSweeper.__module__ = name
    Plugins.instance().register(SearchSweeper)


def _as_typed(override: Override) -> str:
    """Write an override as it was typed."""
    return f"{override.get_key_element()}={override.get_value_element_as_str()}"


def _batches(
    study: "Study",
    searched: dict[str, "BaseDistribution"],
    fixed: Sequence[str],
    n_trials: int,
    n_jobs: int,
) -> Iterator[list["FrozenTrial"]]:
    """Yield trials to run: first those that were interrupted, then new ones."""
    from optuna.trial import TrialState

    for interrupted in study.get_trials(states=(TrialState.RUNNING,)):
        yield [interrupted]
    while (left := n_trials - _started(study)) > 0:
        numbers = []
        for _ in range(min(left, n_jobs)):
            trial = study.ask(searched)
            chosen = [as_override(key, value) for key, value in trial.params.items()]
            trial.set_user_attr(_OVERRIDES, [*fixed, *chosen])
            numbers.append(trial.number)
        yield [study.get_trials()[number] for number in numbers]


def _started(study: "Study") -> int:
    """Count the trials that have a job, without those that only wait."""
    from optuna.trial import TrialState

    return sum(trial.state != TrialState.WAITING for trial in study.get_trials())


def _record(study: "Study", number: int, outcome: Outcome | None) -> None:
    from optuna.trial import TrialState

    if outcome is not None and outcome.pruned:
        study.tell(number, state=TrialState.PRUNED)
    elif outcome is not None and outcome.finished and outcome.objective is not None:
        study.tell(number, outcome.objective)
    else:
        study.tell(number, state=TrialState.FAIL)


def describe(study: "Study") -> str:
    """Say which trial is the best, and whether it is better than the configuration itself."""
    from optuna.trial import TrialState

    trials = study.get_trials()
    if not any(trial.state == TrialState.COMPLETE for trial in trials):
        return "search: no trial has a score; it needs truth, in dataset.coordinates"
    pruned = sum(trial.state == TrialState.PRUNED for trial in trials)
    best, value = study.best_trial, study.best_value
    chosen = " ".join(as_override(key, each) for key, each in best.params.items())
    found = f"search: {len(trials)} trials, {pruned} pruned; best is job {best.number}, {value:.4f}"
    return f"{found}{_beside(trials[0], value)}\n  {chosen}"


def _beside(first: "FrozenTrial", best: float) -> str:
    """Compare the best score with that of the configuration itself, if it was the first trial."""
    if "fixed_params" not in first.system_attrs or first.value is None:
        return ""
    if best > first.value:
        return f" (the configuration itself, job {first.number}: {first.value:.4f})"
    return "; no trial is better than the configuration itself, job 0"
