"""Pick the micrographs of a dataset that were not picked by an earlier run in the same folder."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from deepcryopicker.config.schemas import PickConfig
from deepcryopicker.dataset.catalogue import Catalogue
from deepcryopicker.dataset.shard import Shard
from deepcryopicker.io.console import console, counted, track
from deepcryopicker.io.star.relion_folder import refuse_shared_files
from deepcryopicker.model.weights import Trained
from deepcryopicker.picker.folder.curve import calibrates, shows_all
from deepcryopicker.picker.function import Picker
from deepcryopicker.picker.schema import NetworkPickerConfig
from deepcryopicker.pipeline.inputs.coordinate_check import check_coordinates
from deepcryopicker.pipeline.inputs.label_use import learns_from_truth
from deepcryopicker.pipeline.inputs.open_dataset import open_catalogue, settle_diameter
from deepcryopicker.pipeline.picking.batch import Batch
from deepcryopicker.pipeline.picking.build_picker import PickerConfig, build_picker
from deepcryopicker.pipeline.picking.later_files import later_doubt
from deepcryopicker.pipeline.picking.results.masks import mask_stamps
from deepcryopicker.pipeline.picking.results.recipe import Recipe
from deepcryopicker.pipeline.picking.weights_settings import general_weights, inherit
from deepcryopicker.pipeline.scoring.picked import Picked
from deepcryopicker.preprocessing.schema import PreprocessingConfig
from deepcryopicker.rivals.learned.schema import LearnedConfig
from deepcryopicker.runs.folder import Run
from deepcryopicker.runs.manifest import content_of, deciding
from deepcryopicker.runs.shards import shard_folders

if TYPE_CHECKING:
    from deepcryopicker.rivals.learned.rival_weights import Learned


def pick_dataset(config: PickConfig, run: Run, catalogue: Catalogue | None) -> list[Picked]:
    """Pick all micrographs of the configured dataset, or those of its shard.

    Parameters
    ----------
    config : PickConfig
    run : Run
    catalogue : Catalogue or None
        Its micrographs, if they have been listed already.
    """
    if catalogue is None:
        catalogue = open_catalogue(config.dataset, run)
    trained, preprocessing, catalogue = inherit(config, catalogue, run)
    catalogue = settle_diameter(catalogue, preprocessing, config.labeler, run)
    check_coordinates(catalogue, config.dataset, run, learns_from_truth(config.picker))
    make = partial(build_picker, config.picker, catalogue, preprocessing, trained, run)
    recipe = make_recipe(config.picker, preprocessing, make, catalogue, run, trained)
    recipe = replace(recipe, outputs=tuple(config.outputs))
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
    trained: "Trained | Learned | None" = None,
    weights: Path | None = None,
) -> Recipe:
    """Collect the settings that are common to all micrographs.

    Parameters
    ----------
    picker, preprocessing : configurations
    make_picker : callable
        Builds the configured picker.
    catalogue : Catalogue
        All micrographs, to which a labeler is fitted and which an external program picks at once.
    run : Run
    trained : Trained, Learned or None
        Network of the picker, if it needs one.
    weights : Path, optional
        Run folder with weights made by the run itself and not named in the configuration.
    """
    settings = deciding(run.settings)
    weights = weights or general_weights(picker)
    if weights is not None:
        settings["weights"] = content_of(weights)
    names: tuple[str, ...] = ()
    if not isinstance(picker, NetworkPickerConfig | LearnedConfig):
        names = tuple(f"{entry.name} {entry.path}" for entry in catalogue.entries)
    recipe = Recipe(
        preprocessing,
        make_picker,
        picker.threshold,
        settings,
        names,
        micrograph_suffix=picker.micrograph_suffix,
    )
    if not isinstance(picker, NetworkPickerConfig) or not isinstance(trained, Trained):
        return recipe
    return replace(
        recipe,
        mask=picker.mask,
        learned_from=(*names, *mask_stamps(picker.mask)),
        assess=shows_all(picker),
        recalibrate=calibrates(picker, trained),
        concurrent=not preprocessing.save_stages,  # Matplotlib draws in one thread alone
    )


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
    """Pick all micrographs and write coordinates, overlays and lists to `folder`.

    Parameters
    ----------
    catalogue : Catalogue
    recipe : Recipe
    run : Run
    folder : Path
    overlays : int
        Number of micrographs with an overlay.
    keep : bool
        Whether micrographs finished by an earlier run with the same settings are kept.
    description : str
        Name of the stage in messages and ``failures.csv``.
    shard : Shard, optional
        Pick only the micrographs of this shard.
    others : sequence of Path
        Run folders of shards, whose finished micrographs are copied.

    Returns
    -------
    list of Picked
        In the order of the catalogue.

    Raises
    ------
    NothingUsableError
        If all micrographs fail.
    """
    entries = [one for one in catalogue.entries if shard is None or shard.takes(one.name)]
    groups = list(dict.fromkeys(entry.group for entry in catalogue.entries))
    batch = Batch(recipe, run, folder, groups, keep, description)
    for group, place in batch.relion.items():
        whole = [one for one in entries if one.group == group and one.block is None]
        refuse_shared_files(place, [batch.names.path(one) for one in whole])
    for other in others:
        batch.copy_finished(other, entries)
    batch.withdraw([one.path for one in catalogue.left_out])
    left = batch.find_finished(entries)
    earlier = batch.done
    if len(left) < len(entries):
        finished = f"{len(entries) - len(left)} of {counted(len(entries), 'micrograph')}"
        console.print(f"{description}: {finished} already finished by an earlier run")
    drawn = {entry.name for entry in catalogue.entries[:overlays]}
    complete = False
    try:
        doing = description if description == "picking" else f"{description}: picking"
        batch.pick(left, drawn, partial(track, description=doing))
        complete = True
    except (KeyboardInterrupt, SystemExit):
        finished = f"{len(batch.done)} of {counted(len(entries), 'micrograph')}"
        console.print(f"{description}: {finished} finished")
        console.print(f"to continue, run the same command with hydra.run.dir={run.folder}")
        raise
    finally:
        batch.write_lists(complete)
    if entries:
        run.require(len(batch.done), description)
    run.warn("later micrographs", later_doubt(earlier, batch.done))
    done = {one.entry.name: one for one in batch.done}
    return [done[entry.name] for entry in entries if entry.name in done]
