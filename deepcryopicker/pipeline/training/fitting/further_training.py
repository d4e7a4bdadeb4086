"""Training on crops of whole micrographs, after that on windows or alone."""

from collections.abc import Sequence
from functools import partial

from deepcryopicker.class_set.sampling_sites import Sites
from deepcryopicker.class_set.schema import ClassSetConfig
from deepcryopicker.class_set.target_map import target_map, used_for_training
from deepcryopicker.config.schemas import TrainConfig
from deepcryopicker.errors import UsageError
from deepcryopicker.io.console import track
from deepcryopicker.labeler.schema import TruthConfig
from deepcryopicker.model.network import Network
from deepcryopicker.model.weights import name_of
from deepcryopicker.pipeline.inputs.open_dataset import spread
from deepcryopicker.pipeline.training.labelled_windows import LabelledMicrograph
from deepcryopicker.preprocessing.preprocessed import Preprocessed
from deepcryopicker.runs.attempts import Attempts
from deepcryopicker.trainer.crop_training import LabelledImage, labelled_image, train_on_crops
from deepcryopicker.trainer.fit import in_bfloat16
from deepcryopicker.types import Mask, particle_classes

_ON_CROPS = 2400  # micrographs, which are kept in memory
_CROPS_A_WINDOW_STEP = 2
_CROPS = "reading for crops"


def train_further(
    network: Network,
    sources: Sequence[LabelledMicrograph],
    windows: int,
    config: TrainConfig,
    attempts: Attempts,
) -> bool:
    """Train a network, in place, on crops, as configured.

    Parameters
    ----------
    network : Network
        Trained on windows, or with random weights where there are no epochs on windows.
    sources : sequence of LabelledMicrograph
    windows : int
        Number of windows that it was trained on.
    config : TrainConfig
    attempts : Attempts

    Returns
    -------
    bool
        Whether there was anything to do.
    """
    steps = crop_steps(network, windows, config)
    if steps:
        _train_on_crops(network, sources, steps, config, attempts)
    return bool(steps)


def crop_steps(network: Network, windows: int, config: TrainConfig) -> int:
    """Return the number of steps on crops: as configured, or by the number of windows.

    Labels that were found without supervision leave out particles, which would be learned as
    background.
    """
    trainer = config.trainer
    if trainer.crop_steps is not None:
        return trainer.crop_steps
    if not (network.dense and isinstance(config.labeler, TruthConfig)):
        return 0
    batches = -(-max(windows, trainer.epoch_windows) // trainer.batch_size)
    return _CROPS_A_WINDOW_STEP * trainer.epochs * batches


def require_crop_training(network: Network, config: TrainConfig) -> None:
    """Refuse training on crops as configured, before micrographs are labelled for it.

    Raises
    ------
    UsageError
        The edges of a window change what the network finds, or training on crops alone has more
        than one round.
    """
    if config.trainer.epochs == 0 and (config.rounds or 1) > 1:
        raise UsageError(
            f"rounds={config.rounds}: training on crops alone (trainer.epochs=0) has one round; "
            "leave rounds out"
        )
    if config.trainer.crop_steps and not network.dense:
        raise UsageError(
            f"trainer.crop_steps={config.trainer.crop_steps}: the edges of a window change what "
            f"model={name_of(config.model)} finds; set trainer.crop_steps=0"
        )


def _train_on_crops(
    network: Network,
    sources: Sequence[LabelledMicrograph],
    steps: int,
    config: TrainConfig,
    attempts: Attempts,
) -> None:
    """Train on crops of the micrographs of the training split."""
    groups = [one.entry.group for one in sources]
    used = used_for_training([one.sites for one in sources], groups, config.class_set, config.seed)
    labelled: list[LabelledImage] = []

    def read(source: LabelledMicrograph, learned: Mask) -> None:
        seen = Preprocessed(source.entry.load(), source.diameter, config.preprocessing)
        labelled.append(with_targets(seen, source.sites, learned, network, config.class_set))

    pairs = [(one, learned) for one, learned in zip(sources, used, strict=True) if learned.any()]
    for source, learned in track(spread(pairs, _ON_CROPS), _CROPS):
        entry = source.entry
        attempts.attempt(_CROPS, entry.name, entry.path, partial(read, source, learned))
    attempts.require(len(labelled), _CROPS)
    particles, trainer = particle_classes(tuple(config.class_set.classes)), config.trainer
    train_on_crops(
        network,
        labelled,
        particles,
        steps,
        trainer.jitter,
        trainer.sharpness,
        config.seed,
        bfloat16=in_bfloat16(trainer),
        from_start=trainer.epochs == 0 and config.start_from is None,
    )


def with_targets(
    seen: Preprocessed, sites: Sites, used: Mask, network: Network, class_set: ClassSetConfig
) -> LabelledImage:
    """Label a micrograph at every output of a network.

    Parameters
    ----------
    seen : Preprocessed
    sites : Sites
    used : (N,) bool
        Sites to learn from.
    network : Network
    class_set : ClassSetConfig
    """
    flat, stride = seen.flat, network.stride
    height, width = (-(-size // stride) for size in flat.image.shape)
    shape = (height, width)
    target = target_map(sites, used, shape, flat.scale, seen.diameter, stride, class_set)
    return labelled_image(flat.image, target, network)
