"""Tables of `train until=scales|network|speed`: scales, layers and speed, without training."""

import torch

from deepcryopicker.config.schemas import TABLES, TrainConfig
from deepcryopicker.dataset.catalogue import Catalogue
from deepcryopicker.errors import NothingUsableError
from deepcryopicker.io.console import console
from deepcryopicker.io.files.tables import write_rows
from deepcryopicker.io.images.reader import micrograph_shape
from deepcryopicker.model.build import network_class
from deepcryopicker.paper.layers import LAYER_COLUMNS, summarise_layers, total_row
from deepcryopicker.paper.scale_table import (
    COLUMNS,
    INPUT,
    PRINTED,
    MeasuredDataset,
    scale_rows,
)
from deepcryopicker.paper.speed_table import show_speed
from deepcryopicker.pipeline.inputs.training_input import open_training_input
from deepcryopicker.pipeline.labels.measured_patches import measure_patches
from deepcryopicker.pipeline.training.configured_network import prepare_network
from deepcryopicker.plots.result_tables import make_table
from deepcryopicker.runs.folder import Run


def describe(config: TrainConfig, run: Run, catalogue: Catalogue | None = None) -> bool:
    """Print the table requested by ``until=scales``, ``network`` or ``speed``.

    Parameters
    ----------
    config : TrainConfig
    run : Run
    catalogue : Catalogue, optional
        Micrographs for ``scales``, if they were found on the disk already.

    Returns
    -------
    bool
        Whether a table was requested, so that nothing is left to do.
    """
    if config.until == "scales":
        show_scales(config, run, catalogue)
    elif config.until == "network":
        show_layers(config, run)
    elif config.until == "speed":
        show_speed(config, run, prepare_network(config))
    return config.until in TABLES


def show_layers(config: TrainConfig, run: Run) -> None:
    """Print the table of layers (the paper's Table 9) and write it to ``layers.csv``."""
    classes = config.class_set.classes
    kind = network_class(config.model)
    with torch.device("meta"):  # sizes only, without memory for the weights
        rows = summarise_layers(kind(config.model, len(classes)))
    total = total_row(rows)
    title = f"layers for {len(classes)} classes: {', '.join(classes)}"
    console.print(make_table(rows, LAYER_COLUMNS, title=title, total=total))
    write_rows(run.folder / "layers.csv", rows, tuple(LAYER_COLUMNS))
    run.write_metrics({"parameters": total["parameters"]})


def show_scales(config: TrainConfig, run: Run, catalogue: Catalogue | None) -> None:
    """Measure the patches of a dataset and print its scale factors (the paper's Table 4).

    They are written to ``scales.csv`` and ``metrics.json``.

    Raises
    ------
    NothingUsableError
        The labeler finds no particle.
    """
    catalogue = open_training_input(catalogue, config, run).catalogue
    measured = measure_patches(catalogue, config.preprocessing, config.labeler, run)
    if not measured:
        raise NothingUsableError(
            "the labeler found no particles to measure: look at the pictures of "
            "python -m deepcryopicker.label, and check dataset.diameter and dataset.polarity"
        )
    first = {entry.group: entry for entry in reversed(catalogue.entries)}
    rows = scale_rows(
        [
            MeasuredDataset(group, micrograph_shape(first[group].path), diameter, sides)
            for group, (diameter, sides) in measured.items()
        ]
    )
    console.print(make_table(rows, PRINTED, title=f"largest factors for patches of {INPUT} pixels"))
    write_rows(run.folder / "scales.csv", rows, COLUMNS)
    run.write_metrics({"scales": {str(row["what"]): row for row in rows}})
