"""Tables of `train until=scales|network|speed`: scales, layers and speed, without training."""

import torch

from deepcryopicker.config.schemas import DESCRIBED, TrainConfig
from deepcryopicker.io.console import console
from deepcryopicker.io.files.tables import write_rows
from deepcryopicker.model.build import network_class
from deepcryopicker.paper.layers import LAYER_COLUMNS, summarise_layers, total_row
from deepcryopicker.paper.scale_table import COLUMNS, INPUT, TABLE_4, scale_rows
from deepcryopicker.paper.speed_table import show_speed
from deepcryopicker.pipeline.training.configured_network import prepare_network
from deepcryopicker.plots.result_tables import make_table
from deepcryopicker.runs.folder import Run


def describe(config: TrainConfig, run: Run) -> bool:
    """Print the table requested by ``until=scales``, ``network`` or ``speed``.

    Returns
    -------
    bool
        Whether a table was requested, so that nothing is left to do.
    """
    if config.until == "scales":
        show_scales(run)
    elif config.until == "network":
        show_layers(config, run)
    elif config.until == "speed":
        show_speed(config, run, prepare_network(config))
    return config.until in DESCRIBED


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


def show_scales(run: Run) -> None:
    """Print the paper's scale factors (Table 4) and write them to ``scales.csv``."""
    rows = scale_rows(TABLE_4)
    console.print(make_table(rows, COLUMNS, title=f"largest factors for patches of {INPUT} pixels"))
    write_rows(run.folder / "scales.csv", rows, tuple(COLUMNS))
