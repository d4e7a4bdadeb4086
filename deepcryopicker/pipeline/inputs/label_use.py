"""Whose labels a picker has used: what every comparison has to say."""

from deepcryopicker.config.schemas import TrainConfig
from deepcryopicker.dataset.catalogue import Catalogue
from deepcryopicker.labeler.schema import TruthConfig
from deepcryopicker.picker.schema import NetworkPickerConfig
from deepcryopicker.rivals.learned.schema import LearnedConfig
from deepcryopicker.rivals.programs.schema import (
    ImportedConfig,
    RelionTemplateConfig,
    TopazConfig,
    TopazTrainedConfig,
)

NONE = "none"


def learns_from_truth(picker: object) -> bool:
    """Whether a picker is trained by itself, on true particles that it is shown."""
    if isinstance(picker, RelionTemplateConfig):
        return picker.templates is None
    return isinstance(picker, TopazTrainedConfig | LearnedConfig)


def share_held_out(config: TrainConfig) -> float | None:
    """Return the share of micrographs to hold out: also of who learns from truth by itself."""
    if config.held_out is None and config.until == "picks" and learns_from_truth(config.picker):
        return float(config.class_set.test)
    return config.held_out


def label_use(config: TrainConfig, known: Catalogue) -> str:
    """Say in a few words which labels of the dataset a picker learns from.

    Parameters
    ----------
    config : TrainConfig
    known : Catalogue
        Micrographs whose truth it may learn from.

    Returns
    -------
    str
        ``none``; ``pretrained``, on other data; ``imported``, so that nobody can tell; or how
        many picks, and whether these are of other datasets than the one that is picked.
    """
    picker = config.picker
    of = "picks" if config.left_out is None else "picks of others"
    if isinstance(picker, ImportedConfig):
        return "imported"
    if isinstance(picker, RelionTemplateConfig):
        count = min(picker.picks, _count(known))
        return "given templates" if picker.templates else f"{count} {of}"
    with_truth = isinstance(picker, NetworkPickerConfig) and isinstance(config.labeler, TruthConfig)
    if with_truth or learns_from_truth(picker):
        return f"{_count(known)} {of}"
    return "pretrained" if isinstance(picker, TopazConfig) else NONE


def _count(known: Catalogue) -> int:
    return sum(len(truth[0]) for entry in known.entries if (truth := entry.load_truth()))
