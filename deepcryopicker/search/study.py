"""The study in the folder of a search, and the values that Optuna proposes, as overrides."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.core.override_parser.types import ChoiceSweep, IntervalSweep, Override, RangeSweep

from deepcryopicker.errors import UsageError

if TYPE_CHECKING:
    from optuna import Study
    from optuna.distributions import BaseDistribution

STUDY = "search.db"
"""SQLite file of the trials, in the folder of the search."""

_NAME = "search"
_WAIT = 60  # seconds for the file, which other jobs may hold
_STARTUP = 5  # trials that are neither pruned nor chosen by the sampler
_DIGITS = 6  # of floats in overrides


def open_study(folder: Path, seed: int | None = None) -> "Study":
    """Open the study of a search, or start it.

    Parameters
    ----------
    folder : Path
        Of the search.
    seed : int, optional
        Of the sampler, a tree-structured Parzen estimator (Bergstra et al., 2011).

    Raises
    ------
    UsageError
        If Optuna is not installed.
    """
    try:
        import optuna
    except ImportError as error:
        raise UsageError(
            "hydra/sweeper=optuna needs Optuna: pip install 'deepcryopicker[search]'"
        ) from error

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    folder.mkdir(parents=True, exist_ok=True)
    storage = optuna.storages.RDBStorage(
        f"sqlite:///{folder / STUDY}", engine_kwargs={"connect_args": {"timeout": _WAIT}}
    )
    return optuna.create_study(
        storage=storage,
        study_name=_NAME,
        load_if_exists=True,
        direction="maximize",
        sampler=optuna.samplers.TPESampler(seed=seed, n_startup_trials=_STARTUP),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=_STARTUP),
    )


def distribution_of(override: Override) -> "BaseDistribution | None":
    """Translate the values of an override into a distribution; None for a single value.

    ``choice`` and lists of values are categories; ``interval`` is a float, ``int(interval)`` and
    ``range`` an integer (a float with a float step), ``tag(log, ...)`` is uniform in the logarithm.

    Raises
    ------
    UsageError
        If the values are neither.
    """
    from optuna.distributions import (
        CategoricalDistribution,
        FloatDistribution,
        IntDistribution,
    )

    if not override.is_sweep_override():
        return None
    value: Any = override.value()
    log = "log" in getattr(value, "tags", ())
    try:
        if isinstance(value, IntervalSweep):
            low, high = value.start, value.end
            if isinstance(low, int) and isinstance(high, int):
                return IntDistribution(low, high, log=log)
            return FloatDistribution(float(low or 0), float(high or 0), log=log)
        if isinstance(value, RangeSweep) and not value.shuffle:
            return _range(value)
        if isinstance(value, ChoiceSweep) or override.is_discrete_sweep():
            return CategoricalDistribution(list(override.sweep_string_iterator()))
    except ValueError as error:
        raise UsageError(f"{override.key_or_group}: {error}") from error
    raise UsageError(f"{override.key_or_group}: a search takes choice, range or interval")


def _range(value: RangeSweep) -> "BaseDistribution":
    """Translate ``range(start, stop, step)``, which leaves out `stop`."""
    from optuna.distributions import FloatDistribution, IntDistribution

    start, stop, step = value.start or 0, value.stop or 0, value.step
    if all(isinstance(each, int) for each in (start, stop, step)):
        return IntDistribution(int(start), int(stop) - 1, step=int(step))
    return FloatDistribution(float(start), float(stop) - float(step), step=float(step))


def as_override(key: str, value: object) -> str:
    """Write a value that Optuna proposes as it would be typed; floats with six digits."""
    return f"{key}={value:.{_DIGITS}g}" if isinstance(value, float) else f"{key}={value}"


def own_values(
    distributions: Mapping[str, "BaseDistribution"], defaults: Mapping[str, Any]
) -> dict[str, Any] | None:
    """Return the values of a configuration itself, the first trial of a search.

    Parameters
    ----------
    distributions : mapping
        Searched keys.
    defaults : mapping
        From keys to values, and from groups to options, without a search.

    Returns
    -------
    dict or None
        None if a value lies outside of what is searched.
    """
    found: dict[str, Any] = {}
    for key, distribution in distributions.items():
        value = defaults.get(key)
        categories: Sequence[Any] | None = getattr(distribution, "choices", None)
        if categories is not None:
            value = next((one for one in categories if one == _typed(value)), None)
        if value is None or not _contains(distribution, value):
            return None
        found[key] = value
    return found


def _typed(value: object) -> str:
    """Write a value as it would be typed."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value).replace("'", "").replace(", ", ",")


def _contains(distribution: "BaseDistribution", value: object) -> bool:
    if hasattr(distribution, "choices"):
        return True
    low: float = getattr(distribution, "low", 0.0)
    high: float = getattr(distribution, "high", 0.0)
    return isinstance(value, int | float) and low <= value <= high
