"""Random CBOX files and job folders: the right count, or a refusal in two lines."""

import random
import tempfile
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepcryopicker.io.coordinates.assigned_coordinates import assign_sources
from deepcryopicker.io.coordinates.coordinate_sets import find_sources, names_of
from deepcryopicker.io.coordinates.formats import read_picks
from deepcryopicker.io.coordinates.selected_picks import Selection, read_selected

from .common import attempt

COMPARED = settings(database=None, deadline=None)
FEW = settings(parent=COMPARED, max_examples=200)
MANY = settings(parent=COMPARED, max_examples=2000)
SEEDS = st.integers(0, 2**32)


# Cells, and the number that each is; None where a position needs one and has none.
NUMBERS = {"12": 12, "-3.5": -3.5, "1e2": 100, "+7": 7, "0012": 12, "0": 0}
UNKNOWN = dict.fromkeys(("<NA>", "nan", "None", "NA"))
WRONG = dict.fromkeys(("abc", "inf", "1,5", "1_0", "--", "0x1"))
POSITION = ("CoordinateX", "CoordinateY", "Width", "Height")
OTHERS = ("EstWidth", "Confidence", "CoordinateZ", "Depth", "NumBoxes", "Angle", "_filamentid")
MAY_BE_UNKNOWN = ("EstWidth", "Confidence")


def boxes(rng):
    """Text of a CBOX file, and its positions; None where it has to be refused."""
    columns = [*POSITION, *rng.sample(OTHERS, rng.randrange(len(OTHERS) + 1))]
    rng.shuffle(columns)
    cells_of = {"right": list(NUMBERS), "unknown": list(UNKNOWN), "wrong": list(WRONG)}
    good, lines, places = True, [], []
    for _ in range(rng.randrange(12)):
        cells = {name: rng.choice(cells_of["right"]) for name in columns}
        for name in MAY_BE_UNKNOWN:
            if name in cells and rng.random() < 0.4:
                cells[name] = rng.choice(cells_of["unknown"])
        if rng.random() < 0.05:
            name = rng.choice(columns)
            cells[name] = rng.choice(cells_of[rng.choice(["unknown", "wrong"])])
        row = [cells[name] for name in columns]
        if rng.random() < 0.02:
            row, good = rng.choice([row[:-1], [*row, "1"]]), False
        for name in columns:
            unknown = name in MAY_BE_UNKNOWN and cells[name] in UNKNOWN
            read = name in (*POSITION, *MAY_BE_UNKNOWN)
            good &= not read or unknown or cells[name] in NUMBERS
        if good:
            x, y, width, height = (NUMBERS[cells[name]] for name in POSITION)
            places.append((x + width / 2, y + height / 2))
        lines.append(rng.choice([" ", "\t", "   "]).join(row))
    block = [f"_{name} #{number}" for number, name in enumerate(columns, 1)] + lines
    before = ["data_global", "", "_cbox_format_version 1.0", ""]
    after = ["", "data_cryolo_include", "", "loop_", "_slice_index #1", "0", ""]
    text = [*rng.choice([before, []]), "data_cryolo", "", "loop_", *block, *rng.choice([after, []])]
    end = rng.choice(["\n", "\r\n"])
    return end.join(text) + end, places if good else None


def check_boxes(seed):
    text, places = boxes(random.Random(seed))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.cbox"
        path.write_bytes(text.encode())
        found, reason = attempt(read_picks, path)
        assert reason.count("\n") <= 1
        assert (found is None) == (places is None), (reason, text)
        if found is None:
            return
        assert list(zip(found.x, found.y, strict=True)) == places
        kept = read_selected(path, Selection(threshold=float("-inf"))).picks
        assert len(kept) == len(places)


@FEW
@given(seed=SEEDS)
def test_some_random_boxes(seed):
    check_boxes(seed)


@pytest.mark.thorough
@MANY
@given(seed=SEEDS)
def test_many_random_boxes(seed):
    check_boxes(seed)


MICROGRAPHS = ["x_1", "x_2", "FoilHole_3_Data_4", "m.5"]
FILES = ["{}.star", "raw/{}_autopick.star", "{}_manualpick.star", "{}.mrc.star", "{}_topaz.star"]
FILES += [
    "raw/{}.box",
    "{}.cbox",
    "{}_DW.csv",
    "{}.csv",
    "000856857416174501745_{}_patch_aligned.csv",
]
TABLES = ["particles.star", "run_data.star", "topaz.txt", "all.tsv", "all.csv"]
JUNK = {
    "job.star": "data_job\n\n_rlnJobTypeLabel relion.autopick\n",
    "default_pipeline.star": "data_pipeline_general\n\n_rlnPipeLineJobCounter 7\n",
    "micrographs.star": "data_\nloop_\n_rlnMicrographName\nraw/x_1.mrc\nraw/x_2.mrc\n",
    "coords_suffix_autopick.star": "CtfFind/job003/micrographs_ctf.star\n",
    "note.txt": "++++ Executing new job\n",
    "run.out": "1 2 3\n",
    "RELION_JOB_EXIT_SUCCESS": "",
    "summary.csv": "micrograph,picks\nx_1,3\n",
}
DAMAGE = ["{x} {y}\n1\n", "one two\n", "\x00\x01", "_rlnCoordinateX\n", ";\n"]


def of_one(suffix, count):
    places = [(index + 1, 5) for index in range(count)]
    if suffix == ".star":
        rows = "".join(f"{x} {y} -999\n" for x, y in places)
        return f"data_\nloop_\n_rlnCoordinateX\n_rlnCoordinateY\n_rlnAutopickFigureOfMerit\n{rows}"
    if suffix == ".box":
        return "".join(f"{x}\t{y}\t4\t4\n" for x, y in places)
    if suffix == ".cbox":
        names = "".join(f"_{name}\n" for name in (*POSITION, "Confidence"))
        return f"data_cryolo\nloop_\n{names}" + "".join(f"{x} {y} 4 4 <NA>\n" for x, y in places)
    return "x,y\n" + "".join(f"{x},{y}\n" for x, y in places)


def of_many(name, counts):
    rows = [(each, x + 1) for each, count in counts.items() for x in range(count)]
    if name.endswith(".star"):
        text = "".join(f"MotionCorr/job002/raw/{each}.mrc {x} 5\n" for each, x in rows)
        return f"data_\nloop_\n_rlnMicrographName\n_rlnCoordinateX\n_rlnCoordinateY\n{text}"
    sign = "," if name.endswith(".csv") else "\t"
    lines = [("image_name", "x_coord", "y_coord"), *((each, x, 5) for each, x in rows)]
    return "".join(f"{sign.join(map(str, line))}\n" for line in lines)


def folders(rng):
    """Files of a job folder, the count of each micrograph, and the damaged file if there is one."""

    def some():
        chosen = rng.sample(MICROGRAPHS, rng.randrange(len(MICROGRAPHS) + 1))
        return {name: rng.randrange(1, 5) for name in chosen}

    own, listed = some(), some()
    files = {}
    for name, number in own.items():
        pattern = rng.choice(FILES)
        files[pattern.format(name)] = of_one(Path(pattern).suffix, number)
    if listed:
        table = rng.choice(TABLES)
        files[table] = of_many(table, listed)
    damaged = rng.choice([None, *files]) if rng.random() < 0.5 else None
    if damaged is not None:
        files[damaged] += rng.choice(DAMAGE)
    files |= {name: JUNK[name] for name in rng.sample(sorted(JUNK), rng.randrange(len(JUNK)))}
    return files, listed | own, damaged  # the file of a micrograph comes before the table


def counted(place, names):
    """Count the positions of micrographs, or where none are known of all that are found."""
    sources = find_sources("evaluate.truth", str(place))
    names = names or [name for name in names_of(sources) if name != "summary"]
    assigned = assign_sources(sources, names)
    return {
        name: len(read_selected(one.path, Selection(one.name)).picks)
        for name, one in assigned.items()
    }


def check_folder(seed):
    files, counts, damaged = folders(random.Random(seed))
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            (Path(folder) / name).parent.mkdir(exist_ok=True)
            (Path(folder) / name).write_text(text)
        for names in (MICROGRAPHS, None):
            found, reason = attempt(partial(counted, names=names), Path(folder))
            assert reason.count("\n") <= 1
            if found is None:
                assert damaged is not None, (reason, files)
            elif names is None:
                assert sum(found.values()) == sum(counts.values()), files
            else:
                assert found == counts, files


@FEW
@given(seed=SEEDS)
def test_some_random_job_folders(seed):
    check_folder(seed)


@pytest.mark.thorough
@MANY
@given(seed=SEEDS)
def test_many_random_job_folders(seed):
    check_folder(seed)
