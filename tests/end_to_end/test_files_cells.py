"""Cells of STAR lists and bytes of micrographs as they are out there: right, or said in a line."""

import csv
import io
import itertools
import re

import mrcfile
import numpy as np
import pytest

pytestmark = pytest.mark.thorough

HEIGHT, WIDTH, SIZE = 256, 320, 4.0
LOG = ("picker=log", "dataset=folder", "dataset.diameter=32", "overlays=0")
LIST = "data_\n\nloop_\n_rlnMicrographName #1\n"
MICROGRAPHS = "\ndata_micrographs\n\nloop_\n_rlnMicrographName #1\n_rlnOpticsGroup #2\n"
COLUMNS = ("rlnOpticsGroup", "rlnVoltage", "rlnMicrographPixelSize")


def blobs(seed, count=12):
    """Return a noisy image of dark particles, and their centres."""
    rng = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(np.arange(4), np.arange(3)), -1).reshape(-1, 2)[:count]
    centres = 48.0 + 72 * grid + rng.uniform(-6, 6, (count, 2))
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    image = rng.normal(0, 0.4, (HEIGHT, WIDTH))
    for x, y in centres:
        image -= 2 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * 9.0**2))
    return image.astype(np.float32), centres


def write(path, image, size=SIZE):
    path.parent.mkdir(parents=True, exist_ok=True)
    with mrcfile.new(path, overwrite=True) as file:
        file.set_data(image)
        if size:
            file.voxel_size = size


def found(answer, name, centres):
    """Count the centres that have one of the best picks, as many as centres, within 8 pixels."""
    rows = list(csv.DictReader(io.StringIO(answer.picks()[f"{name}.csv"].decode())))
    rows.sort(key=lambda row: -float(row["score"]))
    best = np.array([[float(row["x"]), float(row["y"])] for row in rows[: len(centres)]])
    far = np.linalg.norm(best[:, None] - centres[None], axis=-1)
    return int((far.min(0) < 8).sum())


def optics(columns=COLUMNS, rows=(("1", "200.0", "2.5"),), groups=("1",)):
    """Return a list of micrographs m0, m1, ... of these groups."""
    labels = "".join(f"_{name} #{i}\n" for i, name in enumerate(columns, 1))
    described = "".join(f"{' '.join(row)}\n" for row in rows)
    listed = "".join(f"m{i}.mrc {group}\n" for i, group in enumerate(groups))
    return f"data_optics\n\nloop_\n{labels}{described}{MICROGRAPHS}{listed}"


def written(answer, name="micrographs"):
    """Return the optics groups that were written, each by column."""
    text = (answer.folder / "relion" / f"{name}.star").read_text()
    table = text[text.index("data_optics") : text.index(f"data_{name}")]
    columns = re.findall(r"^_(\S+)", table, re.MULTILINE)
    rows = [line.split("\t") for line in table.splitlines() if re.match(r"\d", line)]
    return [dict(zip(columns, row, strict=True)) for row in rows]


@pytest.fixture
def pick(shell, tmp_path):
    def run(text, size=SIZE):
        for index in range(text.count(".mrc")):
            write(tmp_path / f"m{index}.mrc", blobs(0)[0], size)
        (tmp_path / "list.star").write_text(text)
        given = f"dataset.micrographs={tmp_path / 'list.star'}"
        return shell("pick", *LOG, given, run=f"cells_{tmp_path.name}")

    return run


def test_a_list_of_one_column_keeps_names_that_begin_like_a_block(shell, tmp_path):
    names = ("a.mrc", "data_2/b.mrc", "data_c.mrc")
    for seed, name in enumerate(names):
        write(tmp_path / name, blobs(seed)[0])
    (tmp_path / "list.star").write_text(LIST + "".join(f"{name}\n" for name in names))
    given = f"dataset.micrographs={tmp_path / 'list.star'}"
    answer = shell("pick", *LOG, given, run="cells_data")
    assert answer.code == 0
    assert sorted(answer.picks()) == ["a.csv", "b.csv", "data_c.csv"]


def test_impossible_pixel_sizes_and_voltages_are_never_written(pick):
    cells = ("0", "nan", "-1", "inf", "1e6", "4e-10")
    rows = [(str(i), "200.0", cell, f"group{i}") for i, cell in enumerate(cells, 1)]
    rows.append(("7", "0", "4.0", "group7"))
    groups = [row[0] for row in rows]
    answer = pick(optics((*COLUMNS, "rlnOpticsGroupName"), rows, groups))
    assert answer.code == 0, answer.err
    assert len(answer.picks()) == 7
    for name in ("micrographs", "particles"):
        found = written(answer, name)
        assert [group["rlnOpticsGroup"] for group in found] == groups
        assert {float(group["rlnMicrographPixelSize"]) for group in found} == {SIZE}  # of headers
        assert [float(group["rlnVoltage"]) for group in found] == [200.0] * 6 + [300.0]
    assert "voltage" in (answer.folder / "relion" / "micrographs.star").read_text().splitlines()[0]
    assert answer.out.count("rlnMicrographPixelSize '0' of optics group 1 counts as unknown") == 1
    assert "(5 more)" in answer.out


def test_optics_without_a_name_of_the_group_are_used(pick):
    answer = pick(optics(), size=None)
    assert answer.code == 0, answer.err
    (group,) = written(answer)
    assert float(group["rlnMicrographPixelSize"]) == 2.5
    assert float(group["rlnVoltage"]) == 200
    assert group["rlnOpticsGroupName"] == "opticsGroup1"


BYTES = {"middle": (128, 20), "low": (60, 28), "faint": (127, 2)}
HEADERS = {"zero": None, "right": "u", "wrong": "i"}


def as_bytes(image, kind):
    mean, deviation = BYTES[kind]
    return np.clip(np.round(image / image.std() * deviation + mean), 0, 255).astype(np.uint8)


def write_bytes(path, data, header):
    """Write unsigned bytes as mode 0, with the range of one reading in the header, or zeros."""
    write(path, data.view(np.int8))
    with mrcfile.open(path, "r+") as file:
        stated = data.view({"u": np.uint8, "i": np.int8, None: np.uint8}[header])
        low, high, mean = (stated.min(), stated.max(), stated.mean()) if header else (0, 0, 0)
        file.header.dmin, file.header.dmax, file.header.dmean = low, high, mean


def test_unsigned_bytes_are_picked_as_such_and_said_once(shell, tmp_path):
    made = {}
    for seed, (kind, header) in enumerate(itertools.product(BYTES, HEADERS)):
        image, made[f"{kind}_{header}"] = blobs(seed)
        write_bytes(tmp_path / f"{kind}_{header}.mrc", as_bytes(image, kind), HEADERS[header])
    answer = shell("pick", *LOG, f"dataset.micrographs={tmp_path}", run="cells_bytes")
    assert answer.code == 0
    right = {name: found(answer, name, centres) for name, centres in made.items()}
    assert min(right.values()) >= 11, right
    assert answer.out.count("(MRC mode 0) are unsigned") == 1
    assert (answer.folder / "pick.log").read_text().count("are unsigned") >= len(made)


def test_signed_bytes_stay_signed(shell, tmp_path):
    image, centres = blobs(0)
    data = np.clip(np.round(image * 30), -128, 127).astype(np.int8)
    write(tmp_path / "signed.mrc", data)
    answer = shell("pick", *LOG, f"dataset.micrographs={tmp_path}", run="cells_signed")
    assert answer.code == 0
    assert found(answer, "signed", centres) >= 11
    assert "MRC mode 0" not in answer.out
