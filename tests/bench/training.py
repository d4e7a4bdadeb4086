"""What training before picking costs: ours without labels, and Topaz's from given particles."""

import csv
import sys
from dataclasses import replace
from pathlib import Path

from costs import ONE_THREAD, Cost, Usage, run
from inputs import Inputs, link_copies
from programs import TOPAZ_SCALE, Program

UPDATES, BATCH = 10_000, 256
"""Ten epochs of 1,000 updates of 256 windows: what ``topaz train`` does by default."""
MEASURED = 2, 8
"""Updates in the two trainings from which those are extrapolated."""
LEARNED_FROM = 3
"""Micrographs with given particles."""


def without_labels(inputs: Inputs, work: Path, picking: Cost) -> Cost:
    """Run the label-free job on all distinct micrographs, all cores.

    Parameters
    ----------
    inputs : Inputs
    work : Path
    picking : Cost
        Of picking alone, which every further micrograph costs.

    Returns
    -------
    Cost
        Its start is the job less the picking of its micrographs.
    """
    count = len(inputs.files)
    command = [
        *(sys.executable, "-m", "deepcryopicker.train", "+experiment=no_labels"),
        f"dataset.micrographs={link_copies(inputs.files, work / 'unlabelled', count)[0].parent}",
        *(f"dataset.diameter={inputs.diameter}", "overlays=0", "logger=csv"),
        f"hydra.run.dir={work / 'without-labels'}",
    ]
    used = run(command, work, work / "without-labels.log")
    startup, startup_cpu = used.wall - count * picking.wall, used.cpu - count * picking.cpu
    return replace(
        picking, micrographs=count, startup=startup, startup_cpu=startup_cpu, peak=used.peak
    )


def of_topaz(inputs: Inputs, picks: Path, work: Path, steps: list[Program], picking: Cost) -> Cost:
    """Train Topaz by a few updates, one thread, and extrapolate to its own number.

    Parameters
    ----------
    inputs : Inputs
    picks : Path
        Folder of CSV files of :func:`without_labels`, whose picks are the particles given.
    work : Path
    steps : list of Program
        Topaz's; the first scales and normalises.
    picking : Cost
        Of all of them.
    """
    folder = work / "topaz-training"
    links = link_copies(inputs.files[:LEARNED_FROM], folder, LEARNED_FROM)
    micrographs = [link.relative_to(work) for link in links]
    run(steps[0].command(micrographs, ""), work, work / "topaz-training.log", ONE_THREAD)
    shrunk = work / f"topaz-{LEARNED_FROM}"
    images, targets = ["image_name\tpath"], ["image_name\tx_coord\ty_coord"]
    for link in links:
        images.append(f"{link.stem}\t{shrunk / link.name}")
        with (picks / f"{link.stem}.csv").open() as file:
            for row in csv.DictReader(line for line in file if not line.startswith("#")):
                if float(row["score"]) >= 0.5:
                    x, y = (round(float(row[key]) / TOPAZ_SCALE) for key in ("x", "y"))
                    targets.append(f"{link.stem}\t{x}\t{y}")
    (work / "images.txt").write_text("\n".join([*images, ""]))
    (work / "targets.txt").write_text("\n".join([*targets, ""]))
    few, many = (_trained(steps[0], len(targets) // LEARNED_FROM, n, work) for n in MEASURED)
    share = UPDATES / (MEASURED[1] - MEASURED[0])
    wall, cpu = share * (many.wall - few.wall), share * (many.cpu - few.cpu)
    startup, startup_cpu = picking.startup + wall, picking.startup_cpu + cpu
    return replace(picking, startup=startup, startup_cpu=startup_cpu, peak=many.peak)


def _trained(topaz: Program, particles: int, updates: int, work: Path) -> Usage:
    assert topaz.executable is not None
    command = [
        *(topaz.executable, "train", "--train-images", "images.txt", "--train-targets"),
        *("targets.txt", "--num-particles", str(particles), "--model", "resnet8", "--units", "32"),
        *("--minibatch-size", str(BATCH), "--epoch-size", str(updates), "--num-epochs", "1"),
        *("--save-prefix", "trained", "--output", "training.tsv", "--device", "-1"),
        *("--num-threads", "1"),
    ]
    return run(command, work, work / f"topaz-train-{updates}.log", ONE_THREAD)
