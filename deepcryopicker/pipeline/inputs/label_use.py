"""The labels on which a picker was trained, reported with every comparison."""

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
    """Whether a picker has its own training, on true particles."""
    if isinstance(picker, RelionTemplateConfig):
        return picker.templates is None
    return isinstance(picker, TopazTrainedConfig | LearnedConfig)


def trains_on_truth(config: TrainConfig) -> bool:
    """Whether the network, the picker or the baseline is trained on true particles."""
    labels = isinstance(config.labeler, TruthConfig)
    network = isinstance(config.picker, NetworkPickerConfig) or config.until != "picks"
    return (labels and network) or any(map(learns_from_truth, (config.picker, config.baseline)))


def share_held_out(config: TrainConfig) -> float | None:
    """Return the share of micrographs to hold out, also for pickers with their own training."""
    if config.held_out is None and config.until == "picks" and learns_from_truth(config.picker):
        return float(config.class_set.test)
    return config.held_out


def label_use(config: TrainConfig, known: Catalogue) -> str:
    """Describe in a few words the labels of the dataset on which a picker is trained.

    Parameters
    ----------
    config : TrainConfig
    known : Catalogue
        Micrographs whose truth may be used for training.

    Returns
    -------
    str
        ``none``; ``pretrained``, on other data; ``imported``, unknown; or the number of picks,
        and whether they belong to other datasets than the one picked.
    """
    picker = config.picker
    of = "picks" if config.held_out_member is None else "picks of others"
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
