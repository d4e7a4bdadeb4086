"""Find training particles without labels: ``python -m deepcryopicker.label``.

python -m deepcryopicker.label dataset=folder dataset.micrographs=DIR dataset.diameter=60
"""

import sys
from functools import partial

from deepcryopicker.app.hydra_app import command
from deepcryopicker.config.schemas import LabelConfig
from deepcryopicker.io.console import console
from deepcryopicker.runs.folder import Run


def label(config: LabelConfig, run: Run) -> float | None:
    """Write candidates with flag and reason to ``picks/``, masks, panels and a summary.

    Returns
    -------
    float or None
        F1 of all candidates, averaged over groups with truth.
    """
    # Imported first, as it loads little: a wrong path is then answered within a second or two.
    from deepcryopicker.pipeline.inputs.given_paths import open_on_disk

    catalogue = open_on_disk(config.dataset, run)
    from deepcryopicker.io.files.tables import write_rows
    from deepcryopicker.labeler.schema import TruthConfig
    from deepcryopicker.pipeline.inputs.coordinate_check import (
        check_coordinates,
        warn_of_coordinates,
    )
    from deepcryopicker.pipeline.inputs.open_dataset import open_catalogue, settle_diameter
    from deepcryopicker.pipeline.inputs.polarity import PolarityCheck
    from deepcryopicker.pipeline.labels import label_files as files
    from deepcryopicker.pipeline.labels.label_dataset import label_each
    from deepcryopicker.pipeline.scoring.pick_outcomes import write_outcomes
    from deepcryopicker.pipeline.scoring.picked import OUTCOMES
    from deepcryopicker.plots.result_tables import make_table

    if catalogue is None:
        catalogue = open_catalogue(config.dataset, run)
    catalogue = settle_diameter(catalogue, config.preprocessing, config.labeler, run)
    learning = isinstance(config.labeler, TruthConfig)
    check_coordinates(catalogue, config.dataset, run, learning)
    rows: list[dict[str, object]] = []
    evaluated = []
    polarity = PolarityCheck(run)
    for one in label_each(catalogue, config.preprocessing, config.labeler, run):
        polarity.add(one.entry, one.preprocessed)
        files.write_candidates(run.folder / "picks", one)
        files.write_mask(run.folder / "masks", one)
        if len(rows) < config.overlays:
            work = partial(files.draw_panel, run.folder / "panels", one)
            run.attempt("drawing", one.entry.name, one.entry.path, work)
        if config.preprocessing.save_stages:
            files.write_stages(run.folder / "stages", one)
        rows.append(files.count(one))
        if one.evaluated is not None:
            evaluated.append(one.evaluated)
            write_outcomes(run.folder / OUTCOMES / f"{one.entry.name}.csv", one.evaluated)

    write_rows(run.folder / "summary.csv", rows, tuple(rows[0]))
    summary = files.summarise_labels(rows, evaluated)
    run.write_metrics({"labels": summary})
    columns = {key: "" if key == "what" else key.replace("_", " ") for key in summary[0]}
    console.print(make_table(summary, columns, title="candidates"))
    if not learning:
        warn_of_coordinates(catalogue.entries, config.dataset, run)
    scored = [row["f1"] for row in summary if "f1" in row]
    return sum(scored) / len(scored) if scored else None


if __name__ == "__main__":
    sys.exit(command(label, "label"))
