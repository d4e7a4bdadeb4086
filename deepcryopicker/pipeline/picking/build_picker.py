"""Build the configured picker: a function from a preprocessed micrograph to picks.

Each kind of picker has a builder, which imports only the modules that this kind needs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepcryopicker.dataset.catalogue import Catalogue, Entry
from deepcryopicker.errors import UsageError
from deepcryopicker.model.weights import Trained
from deepcryopicker.picker.function import Picker, as_mrc_files, none_in_blanks
from deepcryopicker.picker.schema import (
    DenseConfig,
    FunctionPickerConfig,
    LabelerPickerConfig,
    NetworkPickerConfig,
    SlidingConfig,
)
from deepcryopicker.pipeline.picking.weights_settings import NO_WEIGHTS
from deepcryopicker.plugins.announced import component
from deepcryopicker.preprocessing.preprocessed import Preprocessed
from deepcryopicker.preprocessing.schema import PreprocessingConfig
from deepcryopicker.rivals.learned.schema import LearnedConfig
from deepcryopicker.rivals.programs.schema import ImportedConfig, ProgramConfig
from deepcryopicker.runs.folder import Run
from deepcryopicker.types import Micrograph, Picks

if TYPE_CHECKING:
    from deepcryopicker.rivals.learned.rival_weights import Learned

WithNetwork = DenseConfig | SlidingConfig
PickerConfig = (
    WithNetwork
    | LabelerPickerConfig
    | LearnedConfig
    | ProgramConfig
    | ImportedConfig
    | FunctionPickerConfig
)


@dataclass(frozen=True)
class Ingredients:
    """Arguments of all builders beside the configuration; see :func:`build_picker`."""

    catalogue: Catalogue
    preprocessing: PreprocessingConfig
    trained: "Trained | Learned | None"
    run: Run
    examples: Catalogue | None


def build_picker(
    config: PickerConfig,
    catalogue: Catalogue,
    preprocessing: PreprocessingConfig,
    trained: "Trained | Learned | None",
    run: Run,
    examples: Catalogue | None = None,
) -> Picker:
    """Return a function from a preprocessed micrograph to picks.

    Parameters
    ----------
    config : PickerConfig
    catalogue : Catalogue
        Micrographs to pick; a labeler is fitted to a sample, an external program picks them now.
    preprocessing : PreprocessingConfig
    trained : Trained, Learned or None
        Network of the picker, if it needs one.
    run : Run
    examples : Catalogue, optional
        Micrographs whose truth may be used to train the picker.

    Raises
    ------
    UsageError
        If a picker with a network has no weights.
    """
    build = next(builder for kind, builder in _BUILDERS.items() if isinstance(config, kind))
    return build(config, Ingredients(catalogue, preprocessing, trained, run, examples))


def _with_program(config: ProgramConfig, given: Ingredients) -> Picker:
    from deepcryopicker.rivals.programs.run_program import pick_with_program

    return pick_with_program(config, given.catalogue, given.examples, given.run)


def _with_files(config: ImportedConfig, given: Ingredients) -> Picker:
    from deepcryopicker.rivals.programs.imported import Imported

    entries = given.catalogue.entries
    names = dict.fromkeys(e.name if e.block is None else e.block.micrograph for e in entries)
    source = Imported(Path(config.picks), list(names))

    def imported_picks(entry: Entry, preprocessed: Preprocessed) -> Picks:
        if entry.block is None:
            return source.find(entry.name, preprocessed.diameter)
        picks = source.find(entry.block.micrograph, preprocessed.diameter)
        return entry.from_micrograph(entry.block.holds(picks))

    return imported_picks


def _with_labeler(config: LabelerPickerConfig, given: Ingredients) -> Picker:
    from deepcryopicker.labeler import interface
    from deepcryopicker.pipeline.labels.label_dataset import known, learn_labelers

    labelers = learn_labelers(given.catalogue, given.preprocessing, config.labeler, given.run)

    def pick(entry: Entry, preprocessed: Preprocessed) -> Picks:
        return interface.pick(preprocessed, known(labelers, entry))

    return none_in_blanks(pick)


def _with_learned(config: LearnedConfig, given: Ingredients) -> Picker:
    from deepcryopicker.rivals.learned.learn import finder, learn
    from deepcryopicker.rivals.learned.rival_weights import Learned

    trained = given.trained
    if trained is None and given.examples is not None:
        seed = given.run.settings["seed"]
        trained = learn(config, given.examples, given.preprocessing, seed, given.run)
    if not isinstance(trained, Learned):
        raise UsageError(NO_WEIGHTS)
    return none_in_blanks(as_mrc_files(finder(trained, config)))


def _with_network(config: WithNetwork, given: Ingredients) -> Picker:
    from deepcryopicker.picker.search import SearchResult, build_search

    if not isinstance(given.trained, Trained):
        raise UsageError(NO_WEIGHTS)
    search = build_search(given.trained, config)

    def pick(entry: Entry, preprocessed: Preprocessed) -> Picks:
        found = search(preprocessed)
        if preprocessed.config.save_stages:
            path = given.run.folder / "score_maps" / f"{entry.name}.png"
            draw(path, preprocessed.micrograph, found)
        return found.picks

    def draw(path: Path, micrograph: Micrograph, found: SearchResult) -> None:
        from deepcryopicker.picker.particles import make_surfaces
        from deepcryopicker.plots.score_maps import save_score_maps

        surfaces = make_surfaces(found.scores, found.seen.working_diameter, config)
        scale, threshold = found.seen.flat.scale, config.threshold
        save_score_maps(path, micrograph, found.scores, scale, surfaces, found.picks, threshold)

    return none_in_blanks(as_mrc_files(pick))


def _with_function(config: FunctionPickerConfig, given: Ingredients) -> Picker:
    function = component("picker", config)
    assert function is not None  # the schema is that of a plugin

    def pick(entry: Entry, preprocessed: Preprocessed) -> Picks:
        return function(preprocessed, config)

    return none_in_blanks(pick)


_BUILDERS: dict[type, Callable[[Any, Ingredients], Picker]] = {
    NetworkPickerConfig: _with_network,
    LabelerPickerConfig: _with_labeler,
    LearnedConfig: _with_learned,
    ProgramConfig: _with_program,
    ImportedConfig: _with_files,
    FunctionPickerConfig: _with_function,
}
