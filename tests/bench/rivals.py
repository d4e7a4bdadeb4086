"""Our `pick` beside RELION and Topaz on the same micrographs, each as a user runs it.

Every program runs on one micrograph and on many: the difference is what a micrograph costs, the
rest is the start. Rivals get fewer micrographs than ours, since they are slower. In rows with
training, the start includes it: ours without labels, and Topaz's own number of updates, which is
extrapolated from a few.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import astuple
from pathlib import Path

from costs import Cost, ProgramError, Usage, in_sequence, run, split_startup
from inputs import Inputs, link_copies, make_inputs, make_reference
from programs import ROOT, Program, ours, relion, topaz
from results import COLUMNS, Row, formatted, table, write
from rich.console import Console
from training import of_topaz, without_labels

console = Console(highlight=False, width=140)


def measure(program: Program, inputs: Inputs, count: int, work: Path) -> Cost:
    """Run a program on one micrograph, the better of two times, and on `count`."""
    first, second = (run_on(program, inputs, 1, work, attempt) for attempt in ("a", "b"))
    one = Usage(*(min(pair) for pair in zip(astuple(first), astuple(second), strict=True)))
    return split_startup(one, run_on(program, inputs, count, work), count)


def run_on(program: Program, inputs: Inputs, count: int, work: Path, attempt: str = "a") -> Usage:
    """Run a program on `count` micrographs; its results go to ``<count><attempt>-<name>``."""
    console.print(f"{program.name}: {count} micrograph{'s' * (count > 1)}")
    folder = work / str(count)
    links = sorted(folder.iterdir()) if folder.is_dir() else []
    links = links or link_copies(inputs.files, folder, count)
    name = f"{count}{attempt}-{program.name.replace(' ', '_').replace(',', '')}"
    command = program.command([link.relative_to(work) for link in links], name)
    return run(command, work, work / f"{name}.log", program.environment)


def rows(
    programs: Sequence[Program], inputs: Inputs, count: int, work: Path, together: str = ""
) -> list[Row]:
    """Measure programs one after the other; with `together`, a row for all of them is added."""
    if programs[0].executable is None:
        console.print(programs[0].missing)
        names = [program.name for program in programs] + ([together] if together else [])
        return [Row(name, "", None) for name in names]
    measured = []
    for program in programs:
        try:
            cost = measure(program, inputs, count, work)
        except ProgramError as error:
            console.print(str(error))
            cost = None
        measured.append(Row(program.name, program.version(), cost))
    costs = [row.cost for row in measured if row.cost is not None]
    if together:
        whole = in_sequence(costs) if len(costs) == len(measured) else None
        measured.append(Row(together, measured[0].version, whole))
    return measured


def main() -> None:
    """Measure, print the table, write ``rivals.csv``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path, help="run folder of train; default: general")
    parser.add_argument("--micrographs", type=int, default=20, help="for ours, at least 2")
    parser.add_argument("--for-rivals", type=int, default=3, help="for the others, at least 2")
    parser.add_argument("--out", type=Path, default=ROOT / "outputs" / "bench")
    given = parser.parse_args()
    if min(given.micrographs, given.for_rivals) < 2:
        parser.error("start-up is separated from the rest by a second micrograph: give at least 2")
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        inputs = make_inputs(work / "distinct", given.micrographs)
        weights = given.weights.resolve() if given.weights else "general"
        found = rows(ours(weights, inputs.diameter), inputs, given.micrographs, work)
        if found[0].cost is None or found[1].cost is None:
            sys.exit(1)
        console.print("deepcryopicker, training without labels")
        trained = without_labels(inputs, work, found[1].cost)
        found.append(Row("deepcryopicker, training without labels", found[1].version, trained))
        reference = work / "reference.mrcs"
        make_reference(inputs, next(work.glob("1a-*/picks/*.csv")), reference)
        found += rows(relion(inputs, reference), inputs, given.for_rivals, work)
        steps = topaz(inputs)
        found += rows(steps, inputs, given.for_rivals, work, "Topaz, both steps")
        both = found[-1].cost
        if both is not None:
            console.print("Topaz, training")
            learned = of_topaz(inputs, work / "without-labels" / "picks", work, steps, both)
            found.append(Row("Topaz, training and both steps", found[-1].version, learned))
    title = (
        f"4096 x 4096, {inputs.source}, {inputs.diameter:.0f} px particles; "
        "1 thread unless said, no GPU"
    )
    console.print(table(title, found))
    write(given.out / "rivals.csv", COLUMNS, formatted(found))
    console.print(f"written: {given.out / 'rivals.csv'}")


if __name__ == "__main__":
    main()
