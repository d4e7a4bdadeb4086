"""Show what a network is made of."""

import torch

from deepcryopicker.config import TrainConfig
from deepcryopicker.io.tables import write_rows
from deepcryopicker.model.build import build_network
from deepcryopicker.model.summary import LAYER_COLUMNS, summarise_layers, total_row
from deepcryopicker.progress import console
from deepcryopicker.reporting.tables import make_table
from deepcryopicker.runs import Run


def show_layers(config: TrainConfig, run: Run) -> None:
    """Print the table of layers (the paper's Table 9) and write it to ``layers.csv``."""
    classes = config.class_set.classes
    with torch.device("meta"):  # sizes alone: no memory for the weights
        rows = summarise_layers(build_network(config.model, len(classes)))
    total = total_row(rows)
    title = f"layers for {len(classes)} classes: {', '.join(classes)}"
    console.print(make_table(rows, LAYER_COLUMNS, title=title, total=total))
    write_rows(run.folder / "layers.csv", rows, tuple(LAYER_COLUMNS))
    run.write_metrics({"parameters": total["parameters"]})
