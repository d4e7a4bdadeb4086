"""Pick every micrograph of a dataset that no earlier run in the same folder has picked."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from deepcryopicker.config.schemas import PickConfig
from deepcryopicker.dataset.catalogue import Catalogue
from deepcryopicker.dataset.shard import Shard
from deepcryopicker.io.console import console, track
from deepcryopicker.io.star.relion_folder import refuse_shared_files
from deepcryopicker.picker.function import Picker
from deepcryopicker.picker.schema import NetworkPickerConfig
from deepcryopicker.pipeline.inputs.open_dataset import open_catalogue, settle_diameter
from deepcryopicker.pipeline.picking.batch import Batch, Recipe
from deepcryopicker.pipeline.picking.build_picker import PickerConfig, build_picker
from deepcryopicker.pipeline.picking.weights_settings import general_weights, inherit
from deepcryopicker.pipeline.scoring.picked import Picked
from deepcryopicker.preprocessing.schema import PreprocessingConfig
from deepcryopicker.rivals.learned.schema import LearnedConfig
from deepcryopicker.runs.folder import Run
from deepcryopicker.runs.manifest import content_of, deciding
from deepcryopicker.runs.shards import shard_folders


def pick_dataset(config: PickConfig, run: Run) -> list[Picked]:
    """Pick all micrographs of the configured dataset, or those of its shard."""
    catalogue = open_catalogue(config.dataset)
    trained, preprocessing, catalogue = inherit(config, catalogue, run)
    catalogue = settle_diameter(catalogue, preprocessing, config.labeler, run)
    make = partial(build_picker, config.picker, catalogue, preprocessing, trained, run)
    recipe = make_recipe(config.picker, preprocessing, make, catalogue, run)
    shard = None if config.shard is None else Shard.parse(config.shard)
    return pick_catalogue(
        catalogue,
        recipe,
        run,
        run.folder,
        config.overlays,
        keep=not config.redo,
        shard=shard,
        others=shard_folders(run.folder) if shard is None else (),
    )


def make_recipe(
    picker: PickerConfig,
    preprocessing: PreprocessingConfig,
    make_picker: Callable[[], Picker],
    catalogue: Catalogue,
    run: Run,
    weights: Path | None = None,
) -> Recipe:
    """Put together what is the same for every micrograph.

    Parameters
    ----------
    picker, preprocessing : configurations
    make_picker : callable
        Builds what they describe.
    catalogue : Catalogue
        A labeler learns from all of it, and another program is given all of it at once.
    run : Run
    weights : Path, optional
        Run folder with weights that the configuration does not name, because the run made them.
    """
    settings = deciding(run.settings)
    weights = weights or general_weights(picker)
    if weights is not None:
        settings["weights"] = content_of(weights)
    names: tuple[str, ...] = ()
    if not isinstance(picker, NetworkPickerConfig | LearnedConfig):
        names = tuple(f"{entry.name} {entry.path}" for entry in catalogue.entries)
    return Recipe(preprocessing, make_picker, picker.threshold, settings, names)


def pick_catalogue(
    catalogue: Catalogue,
    recipe: Recipe,
    run: Run,
    folder: Path,
    overlays: int,
    keep: bool,
    description: str = "picking",
    shard: Shard | None = None,
    others: Sequence[Path] = (),
) -> list[Picked]:
    """Pick all micrographs; coordinates, overlays, ``summary.csv`` and RELION's go to `folder`.

    Parameters
    ----------
    catalogue : Catalogue
    recipe : Recipe
    run : Run
    folder : Path
    overlays : int
        How many micrographs get a picture.
    keep : bool
        Whether micrographs that an earlier run has finished in the same way are left alone.
    description : str
        Of the progress bar.
    shard : Shard, optional
        Pick only its micrographs.
    others : sequence of Path
        Run folders whose finished micrographs are taken over: those of shards.

    Returns
    -------
    list of Picked
        In the order of the catalogue.

    Raises
    ------
    NothingUsableError
        If every single micrograph fails.
    """
    entries = [one for one in catalogue.entries if shard is None or shard.takes(one.name)]
    groups = list(dict.fromkeys(entry.group for entry in catalogue.entries))
    batch = Batch(recipe, run, folder, groups, keep, description)
    for group, place in batch.relion.items():
        whole = [one for one in entries if one.group == group and one.block is None]
        refuse_shared_files(place, [one.path for one in whole])
    for other in others:
        batch.take_over(other, entries)
    left = batch.find_finished(entries)
    if len(left) < len(entries):
        console.print(f"{description}: {len(entries) - len(left)} of {len(entries)} done before")
    drawn = {entry.name for entry in catalogue.entries[:overlays]}
    try:
        batch.pick(left, drawn, partial(track, description=description))
    except (KeyboardInterrupt, SystemExit):
        console.print(f"{description}: {len(batch.done)} of {len(entries)} are finished")
        console.print(f"to go on, type the same command with hydra.run.dir={run.folder}")
        raise
    finally:
        batch.write_lists()
    if entries:
        run.require(len(batch.done), description)
    done = {one.entry.name: one for one in batch.done}
    return [done[entry.name] for entry in entries if entry.name in done]
