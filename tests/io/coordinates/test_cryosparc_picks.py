"""cryoSPARC's .cs files: positions in pixels, and one or two lines for anything else."""

import io

import numpy as np
import pytest

from deepcryopicker.errors import UsageError
from deepcryopicker.io.coordinates.assigned_coordinates import assign_sources
from deepcryopicker.io.coordinates.coordinate_sets import find_sources
from deepcryopicker.io.coordinates.formats import read_by_micrograph, read_picks

NAME = "location/micrograph_path"
FIELDS = [
    ("uid", "<u8"),
    ("location/micrograph_uid", "<u8"),
    (NAME, "S80"),
    ("location/micrograph_shape", "<u4", (2,)),
    ("location/center_x_frac", "<f4"),
    ("location/center_y_frac", "<f4"),
    ("pick_stats/ncc_score", "<f4"),
    ("alignments2D/class", "<u4"),
]
PATHS = ["J2/motioncorrected/00857856557416174501_a_patch_aligned_doseweighted.mrc", "J2/b.mrc"]


def particles(names=(0, 1, 1), fields=FIELDS):
    """Positions at a tenth, two tenths ... of 400 columns, and a half, ... of 300 rows."""
    table = np.zeros(len(names), np.dtype(fields))
    for row, name in enumerate(names):
        values = {
            NAME: PATHS[name].encode(),
            "location/micrograph_shape": (300, 400),
            "location/center_x_frac": 0.1 * (row + 1),
            "location/center_y_frac": 0.5 + 0.1 * row,
            "pick_stats/ncc_score": 0.3 + row,
            "alignments2D/class": 1,
        }
        for field, value in values.items():
            if field == NAME or (field in table.dtype.names and table.dtype[field].kind != "S"):
                table[field][row] = value
    return table


def save(path, table, **options):
    with path.open("wb") as stream:
        np.save(stream, table, **options)
    return path


def test_fractions_become_pixels(tmp_path):
    picks = read_picks(save(tmp_path / "p.cs", particles()))
    np.testing.assert_allclose(picks.x, [40, 80, 120], atol=1e-4)
    np.testing.assert_allclose(picks.y, [150, 180, 210], atol=1e-4)
    np.testing.assert_allclose(picks.score, [0.3, 1.3, 2.3], atol=1e-6)
    assert set(picks.label) == {"irregular"}
    by_name = read_by_micrograph(tmp_path / "p.cs")
    assert {name: len(each) for name, each in by_name.items()} == {PATHS[0]: 1, PATHS[1]: 2}


@pytest.mark.parametrize("kind", ["U80", "S80"])
def test_without_scores_and_with_text(tmp_path, kind):
    fields = [(name, kind, *rest) if name.endswith("path") else (name, of, *rest)
              for name, of, *rest in FIELDS if "pick_stats" not in name]  # fmt: skip
    table = particles(fields=fields)
    table[NAME] = "b.mrc"
    assert read_picks(save(tmp_path / "p.cs", table)).score.tolist() == [1, 1, 1]


def test_a_job_folder(tmp_path):
    save(tmp_path / "J9_picked.cs", particles())
    save(tmp_path / "J9_micrographs.cs", np.zeros(2, [("uid", "<u8"), ("blob/path", "S9")]))
    (tmp_path / "J9_picked.csg").write_text("created: today\n")
    for given in (tmp_path, tmp_path / "J9_picked.cs"):
        found = assign_sources(find_sources("key", str(given)), ["a", "b"])
        assert {name: len(one.read()) for name, one in found.items()} == {"a": 1, "b": 2}


def with_shape(shape):
    """A header that promises another number of rows than there are."""
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        stream, {"descr": particles().dtype.descr, "fortran_order": False, "shape": shape}
    )
    return stream.getvalue() + particles().tobytes()


def header(text):
    padded = text.encode() + b" " * (128 - 10 - 1 - len(text)) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(padded).to_bytes(2, "little") + padded


def objects():
    stream = io.BytesIO()
    np.save(stream, np.array([(1, "a")], [("uid", "<u8"), ("name", "O")]), allow_pickle=True)
    return stream.getvalue()


def plain():
    stream = io.BytesIO()
    np.save(stream, np.zeros((3, 3)))
    return stream.getvalue()


HOSTILE = {
    "empty": (b"", "empty file"),
    "text": (b"data_\n", "not a .cs file of cryoSPARC"),
    "compressed": (b"\x94CSDAT\x00\x00", "compressed format"),
    "cut": (with_shape((3,))[:-40], "damaged .cs file"),
    "huge": (with_shape((2**60,)), "damaged .cs file"),
    "negative": (with_shape((-3,)), "damaged .cs file"),
    "objects": (objects(), "damaged .cs file"),
    "numbers": (plain(), "not a table of cryoSPARC"),
    "no_header": (b"\x93NUMPY\x01\x00", "damaged .cs file"),
    "call": (header("__import__('os').system('true')"), "damaged .cs file"),
    "deep": (header("(" * 100), "damaged .cs file"),
    "version": (b"\x93NUMPY\x09\x00" + bytes(100), "damaged .cs file"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_a_line_or_two(tmp_path, name):
    content, reason = HOSTILE[name]
    (tmp_path / "p.cs").write_bytes(content)
    for read in (read_picks, read_by_micrograph, lambda path: find_sources("key", str(path))):
        with pytest.raises(UsageError, match=reason) as error:
            read(tmp_path / "p.cs")
        assert str(tmp_path / "p.cs") in str(error.value)
        assert str(error.value).count("\n") <= 1


def changed(field, value):
    table = particles()
    table[field][:] = value
    return table


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        (particles(fields=FIELDS[:3]), "no positions in it, for it lacks location/center_x_frac"),
        (changed("location/micrograph_shape", 0), "3 of 3 rows have no position"),
        (changed("location/center_x_frac", np.nan), "3 of 3 rows have no position"),
        (changed(NAME, b""), "micrograph_path is empty"),
        (
            particles(fields=[*FIELDS[:3], *FIELDS[4:], ("location/micrograph_shape", "S9")]),
            "location/micrograph_shape must hold 2 number",
        ),
    ],
)
def test_tables_without_positions(tmp_path, table, reason):
    with pytest.raises(UsageError, match=reason):
        read_picks(save(tmp_path / "p.cs", table))
