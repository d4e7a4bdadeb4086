r"""Average picks by 2-D class: ``python -m deepcryopicker.classes``.

python -m deepcryopicker.classes dataset=folder dataset.micrographs=DIR \
    dataset.diameter=60 dataset.coordinates=RUN
"""

import sys

from deepcryopicker.app.hydra_app import command
from deepcryopicker.config.result_schemas import ClassesConfig
from deepcryopicker.io.console import console, counted
from deepcryopicker.runs.folder import Run

SHEET = "classes.png"


def classes(config: ClassesConfig, run: Run) -> None:
    """Sort the given picks into classes, and write averages, particles and a sheet."""
    # Imported first, as it loads no torch: a wrong path is then answered within a second or two.
    from deepcryopicker.pipeline.inputs.given_paths import open_picks

    catalogue = open_picks(config.dataset, run)
    from deepcryopicker.config.options import read_option
    from deepcryopicker.errors import UsageError
    from deepcryopicker.labeler.schema import AutoConfig
    from deepcryopicker.pipeline.classes.class_files import table_of, write_class_files
    from deepcryopicker.pipeline.classes.classify_dataset import classify_dataset
    from deepcryopicker.pipeline.classes.cut_dataset import cut_dataset
    from deepcryopicker.pipeline.inputs.coordinate_check import check_coordinates
    from deepcryopicker.pipeline.inputs.open_dataset import settle_diameter
    from deepcryopicker.plots.class_sheet import save_class_sheet
    from deepcryopicker.plots.result_tables import make_table

    catalogue = settle_diameter(
        catalogue, read_option("preprocessing", "default"), AutoConfig(), run
    )
    check_coordinates(catalogue, config.dataset, run, learning=False)
    cut = cut_dataset(catalogue.entries, config.seed, run)
    if len(cut.windows) < 2:
        raise UsageError(f"classes need two picks or more, got {len(cut.windows)}")
    found = classify_dataset(cut, config.classes.count, config.seed)
    write_class_files(run.folder, cut, found)
    rows = table_of(cut, found)
    unit = "A" if cut.pixel_size else "d"
    notes = [f"{row['resolution']} {unit}" for row in rows]
    save_class_sheet(
        run.folder / SHEET, found.image, found.count.tolist(), notes, found.like_random.tolist()
    )
    run.write_metrics({"classes": rows})
    heads = {key: key.replace("_", " ") for key in rows[0]}
    console.print(make_table(rows, heads, title=counted(len(cut.windows), "pick")))
    console.print(f"averages: {run.folder / SHEET}", soft_wrap=True, markup=False)


if __name__ == "__main__":
    sys.exit(command(classes, "classes"))
