"""Find training particles without labels: ``python -m deepcryopicker.label``.

python -m deepcryopicker.label dataset=folder dataset.micrographs=DIR dataset.diameter=60
"""

import sys

from deepcryopicker.app import command
from deepcryopicker.config import LabelConfig
from deepcryopicker.progress import console
from deepcryopicker.runs import Run


def label(config: LabelConfig, run: Run) -> None:
    """Write candidates with flag and reason to ``labels/``, pictures to ``label_overlays/``."""
    from deepcryopicker.reporting.tables import make_table
    from deepcryopicker.workflow.labelling import draw_labels, label_catalogue, summarise_labels
    from deepcryopicker.workflow.opening import open_catalogue, settle_diameter

    catalogue = open_catalogue(config.dataset)
    catalogue = settle_diameter(catalogue, config.preprocessing, config.labeler, run)
    labelled = label_catalogue(catalogue, config.preprocessing, config.labeler, run)
    draw_labels(labelled, run, config.overlays)

    rows = summarise_labels(labelled)
    run.write_metrics({"labels": rows})
    columns = {"what": "", **{key: key for key in rows[0] if key != "what"}}
    console.print(make_table(rows, columns, title="candidates"))


if __name__ == "__main__":
    sys.exit(command(label, "label"))
