"""What training before picking costs: ours without labels, and Topaz's from given particles."""

import sys
from dataclasses import replace
from pathlib import Path

from costs import ONE_THREAD, Cost, Usage, run
from inputs import Inputs, link_copies
from programs import TOPAZ_MODEL, TOPAZ_SCALE, Program, label_free

from deepcryopicker.io.coordinates.formats import read_picks
from deepcryopicker.rivals.programs.program_inputs import Input
from deepcryopicker.rivals.programs.schema import TopazTrainedConfig
from deepcryopicker.rivals.programs.topaz import training_options, write_training

UPDATES, BATCH = 10_000, 256
"""Ten epochs of 1,000 updates of 256 windows: what ``topaz train`` does by default."""
MEASURED = 2, 8
"""Updates in the two trainings from which those are extrapolated."""
LEARNED_FROM = 3
"""Micrographs with given particles."""
_THRESHOLD = 0.5


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
    micrographs = link_copies(inputs.files, work / "unlabelled", count)[0].parent
    typed = label_free(micrographs, inputs.diameter, work / "without-labels")
    used = run([sys.executable, *typed], work, work / "without-labels.log")
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
    examples = {}
    for link in links:
        found = read_picks(picks / f"{link.stem}.csv")
        particles = Input(link.stem, link.stem, found[found.score >= _THRESHOLD])
        examples[f"topaz-{LEARNED_FROM}/{link.name}"] = particles
    write_training(work, examples, TOPAZ_SCALE)
    few, many = (_trained(steps[0], list(examples.values()), n, work) for n in MEASURED)
    share = UPDATES / (MEASURED[1] - MEASURED[0])
    wall, cpu = share * (many.wall - few.wall), share * (many.cpu - few.cpu)
    startup, startup_cpu = picking.startup + wall, picking.startup_cpu + cpu
    peak = max(picking.peak, many.peak)
    return replace(picking, startup=startup, startup_cpu=startup_cpu, peak=peak)


def _trained(topaz: Program, examples: list[Input], updates: int, work: Path) -> Usage:
    assert topaz.executable is not None
    config = TopazTrainedConfig(network=TOPAZ_MODEL, updates=updates, batch=BATCH)
    options = [*training_options(config, examples), "--device", "-1", "--num-threads", "1"]
    command = [topaz.executable, "train", *options]
    return run(command, work, work / f"topaz-train-{updates}.log", ONE_THREAD)
