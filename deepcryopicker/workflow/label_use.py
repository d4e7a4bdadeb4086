"""Whose labels a picker has used: what every comparison has to say."""

from deepcryopicker.config import TrainConfig
from deepcryopicker.dataset.catalogue import Catalogue
from deepcryopicker.labeler.schema import TruthConfig
from deepcryopicker.picker.programs.schema import (
    ImportedConfig,
    RelionTemplateConfig,
    TopazConfig,
    TopazTrainedConfig,
)
from deepcryopicker.picker.schema import NetworkPickerConfig

NONE = "none"


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
        many picks.
    """
    picker = config.picker
    if isinstance(picker, ImportedConfig):
        return "imported"
    if isinstance(picker, RelionTemplateConfig):
        if picker.templates is not None:
            return "given templates"
        return f"{min(picker.picks, _count(known))} picks"
    if isinstance(picker, TopazConfig) and not isinstance(picker, TopazTrainedConfig):
        return "pretrained"
    if isinstance(picker, TopazTrainedConfig):
        return f"{_count(known)} picks"
    if isinstance(picker, NetworkPickerConfig) and isinstance(config.labeler, TruthConfig):
        return f"{_count(known)} picks"
    return NONE


def _count(known: Catalogue) -> int:
    return sum(len(truth[0]) for entry in known.entries if (truth := entry.load_truth()))
