"""Build the configured picker: a function from a preprocessed micrograph to picks."""

from pathlib import Path

from deepcryopicker.config.schemas import TrainConfig
from deepcryopicker.dataset.catalogue import Catalogue, Entry
from deepcryopicker.errors import UsageError
from deepcryopicker.model.network import Network
from deepcryopicker.model.weights import Trained
from deepcryopicker.picker.fragments import with_stride
from deepcryopicker.picker.function import Picker, none_in_blanks
from deepcryopicker.picker.particles import make_surfaces
from deepcryopicker.picker.prepare import choose_device, choose_precision
from deepcryopicker.picker.schema import (
    DenseConfig,
    LabelerPickerConfig,
    NetworkPickerConfig,
    SlidingConfig,
)
from deepcryopicker.picker.search import build_search
from deepcryopicker.pipeline.picking.weights_settings import NO_WEIGHTS
from deepcryopicker.plots.score_maps import save_score_maps
from deepcryopicker.preprocessing.preprocessed import Preprocessed
from deepcryopicker.preprocessing.schema import PreprocessingConfig
from deepcryopicker.rivals.learned.learn import finder, learn
from deepcryopicker.rivals.learned.rival_weights import Learned
from deepcryopicker.rivals.learned.schema import LearnedConfig
from deepcryopicker.rivals.programs.imported import Imported
from deepcryopicker.rivals.programs.run_program import pick_with_program
from deepcryopicker.rivals.programs.schema import ImportedConfig, ProgramConfig
from deepcryopicker.runs.folder import Run
from deepcryopicker.types import Picks

WithNetwork = DenseConfig | SlidingConfig
PickerConfig = WithNetwork | LabelerPickerConfig | LearnedConfig | ProgramConfig | ImportedConfig


def build_picker(
    config: PickerConfig,
    catalogue: Catalogue,
    preprocessing: PreprocessingConfig,
    trained: Trained | Learned | None,
    run: Run,
    examples: Catalogue | None = None,
) -> Picker:
    """Return a function from a preprocessed micrograph to picks.

    Parameters
    ----------
    config : PickerConfig
    catalogue : Catalogue
        To be picked; a labeler learns from a sample of it, a program picks it now.
    preprocessing : PreprocessingConfig
    trained : Trained, Learned or None
        What pickers with a network pick with.
    run : Run
    examples : Catalogue, optional
        Micrographs whose truth a picker may learn from that has not been trained yet.
    """
    if isinstance(config, ProgramConfig):
        return pick_with_program(config, catalogue, examples, run)
    if isinstance(config, ImportedConfig):
        return _with_files(config)
    if isinstance(config, LabelerPickerConfig):
        return none_in_blanks(_with_labeler(config, catalogue, preprocessing, run))
    if isinstance(config, LearnedConfig):
        if trained is None and examples is not None:
            trained = learn(config, examples, preprocessing, run.settings["seed"], run)
        if isinstance(trained, Learned):
            return none_in_blanks(finder(trained, config))
    elif isinstance(trained, Trained):
        return none_in_blanks(_with_network(config, preprocessing, trained, run))
    raise UsageError(NO_WEIGHTS)


def _with_files(config: ImportedConfig) -> Picker:
    source = Imported(Path(config.picks))

    def look_up(entry: Entry, preprocessed: Preprocessed) -> Picks:
        if entry.block is None:
            return source.find(entry.name, preprocessed.diameter)
        picks = source.find(entry.block.micrograph, preprocessed.diameter)
        return entry.from_micrograph(entry.block.holds(picks))

    return look_up


def _with_labeler(
    config: LabelerPickerConfig, catalogue: Catalogue, preprocessing: PreprocessingConfig, run: Run
) -> Picker:
    # Imported where they are needed: a network should not wait for the labelers.
    from deepcryopicker.labeler import interface
    from deepcryopicker.pipeline.labels.label_dataset import known, learn_labelers

    labelers = learn_labelers(catalogue, preprocessing, config.labeler, run)

    def pick(entry: Entry, preprocessed: Preprocessed) -> Picks:
        return interface.pick(preprocessed, known(labelers, entry))

    return pick


def _with_network(
    config: WithNetwork, preprocessing: PreprocessingConfig, trained: Trained, run: Run
) -> Picker:
    search = build_search(trained, config)

    def pick(entry: Entry, preprocessed: Preprocessed) -> Picks:
        found = search(preprocessed)
        if preprocessing.save_stages:
            surfaces = make_surfaces(found.scores, found.seen.working_diameter, config)
            path = run.folder / "score_maps" / f"{entry.name}.png"
            save_score_maps(
                path,
                preprocessed.micrograph,
                found.scores,
                found.seen.flat.scale,
                surfaces,
                found.picks,
                config.threshold,
            )
        return found.picks

    return pick


def prepare_network(config: TrainConfig) -> Network | None:
    """Build the network that is to be trained, and refuse what it cannot do.

    Returns
    -------
    Network or None
        None where the picker has no use for one.

    Raises
    ------
    UsageError
        If it cannot have the picker's stride, or there is no such device or precision.
    """
    picker = config.picker
    if not isinstance(picker, NetworkPickerConfig) and config.until == "picks":
        return None
    # Imported where it is needed: whoever only picks should not wait for Lightning.
    from deepcryopicker.pipeline.training.fit_network import new_network

    network = new_network(config)
    if isinstance(picker, NetworkPickerConfig):
        choose_precision(picker.precision, choose_device(picker.device))
    if isinstance(picker, DenseConfig):
        with_stride(network, picker.stride)
    return network
