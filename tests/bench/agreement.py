"""Who agrees with whom on beta-galactosidase: the expert, crYOLO and this program.

python tests/bench/agreement.py DATA RUN [SHEET.png]

DATA is the folder of the datasets, RUN a run folder with picks of all its micrographs. Where REPIC
has picks of crYOLO, each is scored against each of the others, and against their consensus: places
where at least two of the three have a particle. A sheet of thirty places on which one disagrees
with the two others is drawn if asked for.
"""

import sys
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
from rich.console import Console

sys.path.insert(0, str(Path(__file__).parents[2]))

from deepcryopicker.detection.windows import cut
from deepcryopicker.evaluation.metrics import scores_at
from deepcryopicker.evaluation.scores import evaluate_micrograph, pooled
from deepcryopicker.io.coordinates.formats import read_picks
from deepcryopicker.io.images.reader import read_micrograph
from deepcryopicker.labeler.agreement import has_near
from deepcryopicker.plots.class_sheet import save_class_sheet
from deepcryopicker.preprocessing.operators.restore import gaussian
from deepcryopicker.preprocessing.steps import to_working_scale
from deepcryopicker.types import Image, Mask, Picks

DIAMETER = 108.0  # pixels
NAMES = ("expert", "crYOLO", "ours")
SHOWN, SCALE, WINDOW = 30, 0.25, 48

Sets = dict[str, dict[str, Picks]]
"""From a name to the picks of each micrograph."""


def read_sets(data: Path, run: Path) -> Sets:
    """Read the picks of the three, on the micrographs that all have."""
    folder = data / "beta_galactosidase"
    cryolo = folder / "external_picks" / "repic_cryolo"
    files = {
        "expert": {path.stem: path for path in (folder / "coordinates").rglob("*_0.csv")},
        "crYOLO": {path.stem: path for path in cryolo.glob("*.csv")},
        "ours": {path.stem: path for path in (run / "picks").rglob("*.csv")},
    }
    common = sorted(set.intersection(*(set(each) for each in files.values())))
    found = {
        name: {stem: read_picks(each[stem]) for stem in common} for name, each in files.items()
    }
    found["ours"] = {stem: one[one.score >= 0.5] for stem, one in found["ours"].items()}
    return found


def scores(picks: dict[str, Picks], truth: dict[str, Picks]) -> str:
    """Return precision, recall and F1 within half a diameter."""
    evaluated = [
        evaluate_micrograph(stem, picks[stem], truth[stem], Picks.empty(), DIAMETER / 2.0)
        for stem in truth
    ]
    found = scores_at(*pooled(evaluated), 0.0)
    return f"P {found.precision:.3f} R {found.recall:.3f} F1 {found.f1:.3f}"


def near(places: Picks, others: Picks) -> Mask:
    """Return whether each place has one of the others within half a diameter, (N,) bool."""
    return has_near(places, others, DIAMETER / 2.0)


def consensus(sets: Sequence[Picks]) -> Picks:
    """Return the places of at least two of three, each once."""
    kept = Picks.empty()
    for one, other in combinations(sets, 2):
        agreed = one[near(one, other)]
        kept = kept.joined(agreed[~near(agreed, kept)])
    return kept


def lonely(sets: Sets, stem: str) -> list[tuple[str, Picks]]:
    """Return what one has alone, and what the two others have and it has not."""
    found = []
    for name in NAMES:
        own = sets[name][stem]
        first, second = (sets[other][stem] for other in NAMES if other != name)
        found.append((f"only {name}", own[~near(own, first) & ~near(own, second)]))
        both = first[near(first, second)]
        found.append((f"not {name}", both[~near(both, own)]))
    return found


def sheet(data: Path, sets: Sets, path: Path) -> None:
    """Draw random places of disagreement, equally many of each sort, particles white."""
    rng = np.random.default_rng(0)
    windows: list[Image] = []
    notes: list[str] = []
    stems = sorted(sets["expert"])
    for sort in range(2 * len(NAMES)):
        each = [(stem, *lonely(sets, stem)[sort]) for stem in stems]
        places = [(stem, name, n) for stem, name, picks in each for n in range(len(picks))]
        for index in rng.permutation(len(places))[: SHOWN // (2 * len(NAMES))]:
            stem, name, number = places[index]
            picks = lonely(sets, stem)[sort][1]
            (file,) = (data / "beta_galactosidase" / "micrographs").glob(f"{stem}.*")
            working = to_working_scale(read_micrograph(file), SCALE)
            at = (picks.positions[[number]] + 0.5) * SCALE - 0.5
            windows.append(-gaussian(cut(working.image, at, WINDOW, "reflect")[0], 1.5))
            notes.append(name)
    save_class_sheet(path, np.stack(windows), [1] * len(notes), notes, [False] * len(notes))


def main() -> None:
    """Print the scores of each against each, and against the consensus."""
    console = Console(highlight=False, width=120)
    data, run = Path(sys.argv[1]), Path(sys.argv[2])
    sets = read_sets(data, run)
    stems = sorted(sets["expert"])
    counts = {name: sum(map(len, each.values())) for name, each in sets.items()}
    console.print(f"{len(stems)} micrographs, {counts}")
    agreed = {stem: consensus([sets[name][stem] for name in NAMES]) for stem in stems}
    for name in NAMES:
        for other, truth in (*sets.items(), ("consensus", agreed)):
            if other != name:
                console.print(f"  {name:8s} against {other:10s} {scores(sets[name], truth)}")
    for stem in stems:
        line = ", ".join(f"{name} {len(picks)}" for name, picks in lonely(sets, stem))
        console.print(f"  {stem}: {line}")
    if len(sys.argv) > 3:
        sheet(data, sets, Path(sys.argv[3]))


if __name__ == "__main__":
    main()
