"""Label, train, pick and score, without labels: ``python -m deepcryopicker.train``.

python -m deepcryopicker.train +experiment=demo
python -m deepcryopicker.train +experiment=no_labels dataset.micrographs=DIR
python -m deepcryopicker.train -m +experiment=smoke seed=1,2
"""

import sys

from deepcryopicker.app import command
from deepcryopicker.config import TrainConfig
from deepcryopicker.progress import console
from deepcryopicker.runs import Run


def train(config: TrainConfig, run: Run) -> float | None:
    """Run the whole experiment and return the average precision, where there is truth."""
    from deepcryopicker.workflow.opening import open_catalogue, settle_diameter
    from deepcryopicker.workflow.pickers import build_picker
    from deepcryopicker.workflow.picking import pick_catalogue, write_relion
    from deepcryopicker.workflow.scoring import draw_curves, score, tabulate
    from deepcryopicker.workflow.training import collect_labels, keep_out, train_network

    catalogue = open_catalogue(config.dataset)
    catalogue = settle_diameter(catalogue, config.preprocessing, config.labeler, run)
    sources, labels = collect_labels(catalogue, config, run)
    trained = train_network(sources, config, run)
    catalogue = keep_out(catalogue, sources, config)
    del sources  # holds pixels of every labelled micrograph

    pickers = {"network": config.picker, "DoG": config.baseline}
    picked, scores = {}, {}
    for name, settings in pickers.items():
        if settings is None:
            continue
        main = name == "network"
        picked[name] = pick_catalogue(
            catalogue,
            config.preprocessing,
            build_picker(settings, catalogue, config.preprocessing, trained, run),
            settings.threshold,
            run,
            run.folder if main else run.folder / "baseline",
            overlays=config.overlays if main else 0,
            description="picking" if main else "baseline",
        )
        scores[name] = score(picked[name], settings.threshold)
        if main:
            write_relion(picked[name], settings.threshold, run.folder)

    baseline = scores.get("DoG")
    run.write_metrics({**scores["network"], "labels": labels, "baseline": baseline})
    draw_curves(run.folder / "precision_recall.png", picked, config.picker.threshold)
    console.print(tabulate(scores, title=catalogue.name))
    return scores["network"].get("average_precision")


if __name__ == "__main__":
    sys.exit(command(train, "train"))
