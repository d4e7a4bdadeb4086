"""Pick micrographs with a trained network or a labeler: ``python -m deepcryopicker.pick``.

python -m deepcryopicker.pick picker.weights=RUN dataset=folder dataset.micrographs=DIR
python -m deepcryopicker.pick picker=log dataset=folder dataset.micrographs=DIR
python -m deepcryopicker.pick picker.weights=RUN dataset=folder dataset.micrographs=DIR watch=true
"""

import sys

from deepcryopicker.app.hydra_app import command
from deepcryopicker.app.start import no_collections
from deepcryopicker.config.schemas import PickConfig
from deepcryopicker.io.console import console
from deepcryopicker.pipeline.picking.freed_memory import keep_freed_memory
from deepcryopicker.runs.folder import Run


def pick(config: PickConfig, run: Run) -> float | None:
    """Pick all micrographs and score those with truth."""
    # Imported first, as it loads no torch: a wrong path is then answered within a second or two.
    from deepcryopicker.dataset.named_files import NamedFiles
    from deepcryopicker.pipeline.inputs.given_paths import check_paths, open_on_disk

    check_paths(config)
    names = NamedFiles(config.picker.micrograph_suffix)
    catalogue = None if config.watch else open_on_disk(config.dataset, run)
    if catalogue is not None:
        names.check(catalogue.entries)
    keep_freed_memory()
    with no_collections(keep=True):
        from deepcryopicker.pipeline.inputs.coordinate_check import warn_of_coordinates
        from deepcryopicker.pipeline.picking.pick_dataset import pick_dataset
        from deepcryopicker.pipeline.picking.pick_doubts import report_verdicts, warn_of_picks
        from deepcryopicker.pipeline.scoring.score import score, tabulate

    if config.watch:
        from deepcryopicker.pipeline.picking.watch import pick_arrivals

        picked = pick_arrivals(config, run)
    else:
        picked = pick_dataset(config, run, catalogue)
    warn_of_picks(picked, config.picker.threshold, run)
    report_verdicts(picked, run, ends_in_doubt=True)
    scores = score(picked, config.picker.threshold)
    run.write_metrics(scores)
    if config.logger.wandb.enabled:
        from deepcryopicker.pipeline.scoring.pick_curves import curve_of

        curve = curve_of(picked)
        run.curves = {} if curve is None else {"picks": curve}
    console.print(tabulate({"picks": scores}, title=config.dataset.name))
    warn_of_coordinates([one.entry for one in picked], config.dataset, run)
    return scores.get("average_precision")


if __name__ == "__main__":
    sys.exit(command(pick, "pick"))
