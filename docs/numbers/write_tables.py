"""Run the experiments behind the tables of the documents, and write the tables from their results.

make numbers               runs what is missing (hours), then writes results and tables
make numbers TABLES_ONLY=1 writes the tables from the results that are there

A sweep goes to outputs/numbers/NAME and is resumed there. What the tables need of it is kept in
docs/numbers/NAME.csv, a row for each job, and ``tests/docs/test_numbers.py`` compares the tables
with it.
"""

import argparse
import csv
import json
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from deepcryopicker.io.files.tables import write_rows

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
DATASETS = {
    "apoferritin": "apoferritin",
    "klh": "KLH",
    "ribosome": "ribosome",
    "beta_galactosidase": "beta-galactosidase",
}
RIVAL = "experiment/rival@_global_"
KEPT = (
    *("status", "seed", "dataset", RIVAL, "label_use", "program", "micrographs", "truth", "radius"),
    *("snr", "precision", "recall", "f1", "calibrated.f1", "best_f1", "average_precision", "error"),
)
Row = dict[str, str]


@dataclass(frozen=True)
class Sweep:
    """An experiment, and the tables that are made of it.

    Attributes
    ----------
    arguments : tuple of str
        Of ``python -m deepcryopicker.train``.
    tables : dict
        From a page, relative to the project, to a function from rows to the lines of a table.
    """

    arguments: tuple[str, ...]
    tables: dict[str, Callable[[Sequence[Row]], list[str]]]

    @property
    def command(self) -> str:
        """The command without its output folder."""
        return " ".join(("python -m deepcryopicker.train", *self.arguments))


def overview(rows: Sequence[Row]) -> list[str]:
    """F1 of the network and of its labeler, a column for each dataset."""
    lines = table_head(["F1", *DATASETS.values()])
    for title, each in (
        ("network, trained without labels", rows),
        ("labeler alone, `picker=auto`", read_table(result_file("auto"))),
    ):
        lines.append(line([title, *(mean(of(each, dataset=name), "f1") for name in DATASETS)]))
    return lines


def without_labels(rows: Sequence[Row]) -> list[str]:
    """Scores of the network and of its labeler, a row for each dataset."""
    head = ["", "micrographs", "particles", "radius", "SNR", "F1", "AP", "F1, `auto`", "AP, `auto`"]
    lines = table_head(head)
    alone = read_table(result_file("auto"))
    for name, title in DATASETS.items():
        each, beside = of(rows, dataset=name), of(alone, dataset=name)
        first = each[0]
        known = [first["micrographs"], first["truth"], f"{float(first['radius']):.0f} px"]
        scores = [spread(each, "f1"), spread(each, "average_precision")]
        scores += [mean(beside, "f1"), mean(beside, "average_precision")]
        lines.append(line([title, *known, f"{float(first['snr']):.2f}", *scores]))
    return lines


def benchmark(rows: Sequence[Row]) -> list[str]:
    """Scores of rivals, the highest mean AP first."""
    lines = table_head(["rival", "labels", "F1 at default", "F1 calibrated", "best F1", "AP"])
    names = dict.fromkeys(row[RIVAL] for row in rows)
    every = {
        name: [r for r in of(rows, **{RIVAL: name}) if r["status"] == "done"] for name in names
    }
    ran = {name: each for name, each in every.items() if each}
    for name in sorted(ran, key=lambda name: -average(ran[name], "average_precision")):
        each = ran[name]
        keys = ("f1", "calibrated.f1", "best_f1", "average_precision")
        lines.append(line([f"`{name}`", labels(each), *(spread(each, key) for key in keys)]))
    return lines


_EVERY = f"dataset={','.join(DATASETS)}"
# In this order: the tables of the second also show the first.
SWEEPS = {
    "auto": Sweep(("-m", f"+{RIVAL}=auto", _EVERY, "baseline=null", "seeds=3"), {}),
    "no_labels": Sweep(
        ("-m", "+experiment=no_labels", _EVERY, "seeds=3"),
        {"README.md": overview, "docs/commands.md": without_labels},
    ),
    "benchmark_klh": Sweep(
        ("+experiment=benchmark/klh", "seeds=3"), {"docs/benchmarks.md": benchmark}
    ),
    "benchmark_apoferritin": Sweep(
        ("+experiment=benchmark/apoferritin", "seeds=3"), {"docs/benchmarks.md": benchmark}
    ),
}


def of(rows: Sequence[Row], **choices: str) -> list[Row]:
    """Return the rows with these choices."""
    return [row for row in rows if all(row[key] == value for key, value in choices.items())]


def average(rows: Sequence[Row], key: str) -> float:
    """Average a number over jobs, nan where none has it."""
    numbers = [float(row[key]) for row in rows if row.get(key)]
    return sum(numbers) / len(numbers) if numbers else float("nan")


def mean(rows: Sequence[Row], key: str) -> str:
    """Return the mean of a number over jobs, as it is printed."""
    found = average(rows, key)
    return f"{found:.3f}" if found == found else ""


def spread(rows: Sequence[Row], key: str) -> str:
    """Return the mean of a number over jobs, and its lowest and highest, as they are printed."""
    numbers = [float(row[key]) for row in rows if row.get(key)]
    if not numbers:
        return ""
    ends = "" if len(numbers) == 1 else f" ({min(numbers):.3f} to {max(numbers):.3f})"
    return mean(rows, key) + ends


def labels(rows: Sequence[Row]) -> str:
    """Return what the jobs learned from, with the range of the number of picks."""
    texts = list(dict.fromkeys(row["label_use"] for row in rows))
    counts = [int(found[0]) for text in texts if (found := re.findall(r"^(\d+) picks$", text))]
    if len(texts) == 1 or len(counts) < len(texts):
        return texts[0]
    return f"{min(counts)} to {max(counts)} picks"


def table_head(cells: Sequence[str]) -> list[str]:
    """Return the two first lines of a table."""
    return [line(cells), "|" + "---|" * len(cells)]


def line(cells: Sequence[str]) -> str:
    """Return a line of a table."""
    return f"| {' | '.join(cells)} |".replace("|  |", "| |")


def result_file(name: str) -> Path:
    """Return the path of the results of a sweep."""
    return HERE / f"{name}.csv"


def run(name: str) -> None:
    """Run or resume a sweep, and keep the results of its jobs."""
    folder = ROOT / "outputs" / "numbers" / name
    command = [sys.executable, "-m", "deepcryopicker.train", *SWEEPS[name].arguments]
    options = [f"hydra.sweep.dir={folder}", "overlays=0", "logger=csv"]
    # A doubtful folder or a program that is not installed ends with another code than zero.
    subprocess.run([*command, *options], cwd=ROOT, check=False)
    keep(name, folder)


def keep(name: str, folder: Path) -> None:
    """Copy what the tables need of a finished sweep, with its command and commits."""
    rows = [shortened(row) for row in read_table(folder / "sweep.csv")]
    commits = dict.fromkeys(
        made["commit"][:7] + (", changed" if made["modified"] else "")
        for path in sorted(folder.glob("*/metrics.json"))
        if (made := json.loads(path.read_text("utf-8"))["provenance"])
    )
    path = result_file(name)
    write_rows(path, rows, [key for key in KEPT if key in rows[0]])
    about = f"# {SWEEPS[name].command}\n# commit {' and '.join(commits)}\n"
    path.write_text(about + path.read_text("utf-8"), "utf-8")


def shortened(row: Row) -> Row:
    """Return a row with numbers of six digits."""
    return {key: re.sub(r"^-?\d+\.\d{5,}$", six_digits, value) for key, value in row.items()}


def six_digits(number: re.Match[str]) -> str:
    """Return a decimal number with six significant digits."""
    return f"{float(number[0]):.6g}"


def read_table(path: Path) -> list[Row]:
    """Read a CSV; lines that begin with # are skipped."""
    lines = path.read_text("utf-8").splitlines()
    return list(csv.DictReader(text for text in lines if not text.startswith("#")))


def tables(name: str) -> dict[str, str]:
    """Return the text between the marks of a sweep on each of its pages."""
    about = [text[2:] for text in result_file(name).read_text("utf-8").splitlines()[:2]]
    rows = read_table(result_file(name))
    seeds = ", ".join(sorted({row["seed"] for row in rows}))
    caption = f"`{about[0]}`, seeds {seeds}, {about[1]}:"
    return {
        page: "\n".join([caption, "", *made(rows)]) for page, made in SWEEPS[name].tables.items()
    }


def marked(name: str) -> re.Pattern[str]:
    """Return the pattern of a marked table: the first mark, the table, the second mark."""
    within = r"(?:(?!<!-- ).)*?"  # not into the next table
    return re.compile(rf"(<!-- numbers: {name} -->\n)({within})(\n<!-- end -->)", re.DOTALL)


def write_tables(name: str) -> None:
    """Write the tables of a sweep into their pages."""
    for page, text in tables(name).items():
        path = ROOT / page
        replaced, count = marked(name).subn(
            lambda found, text=text: found[1] + text + found[3], path.read_text("utf-8")
        )
        if count != 1:
            sys.exit(f"{page} must have one table marked <!-- numbers: {name} -->")
        path.write_text(replaced, "utf-8")


def main() -> None:
    """Run what is missing, then write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=list(SWEEPS), help="sweeps, all by default")
    parser.add_argument("--tables-only", action="store_true", help="run nothing")
    given = parser.parse_args()
    for name in given.names:
        if not given.tables_only:
            run(name)
        if result_file(name).is_file():
            write_tables(name)


if __name__ == "__main__":
    main()
