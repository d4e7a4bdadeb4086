"""Random optics tables: every micrograph is read, or a line or two say why not."""

import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepcryopicker.dataset.open_files import open_folder
from deepcryopicker.dataset.schema import FolderConfig
from deepcryopicker.io.star.optics_groups import placeholder
from deepcryopicker.io.star.optics_reading import read_optics
from deepcryopicker.io.star.relion_folder import Located, write_lists
from deepcryopicker.io.star.relion_star import micrograph_names
from deepcryopicker.io.star.star_tables import read_tables
from deepcryopicker.types import Picks

from .common import attempt

COMPARED = settings(
    database=None, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
COLUMNS = (
    *("rlnOpticsGroup", "rlnOpticsGroupName", "rlnVoltage", "rlnMicrographPixelSize"),
    *("rlnMagnification", "rlnDetectorPixelSize", "rlnMicrographOriginalPixelSize"),
    *("rlnSphericalAberration", "rlnAmplitudeContrast", "rlnMtfFileName", "rlnImagePixelSize"),
)
CELLS = (
    *("1", "2", "01", "1.000000", " 3", "0", "-1", "nan", "inf", "-inf", "<NA>", "None", "null"),
    *("1,77", "4e-10", "1e6", "1e400", "opticsGroup1", "'a b'", '""', "x\u00e9", "300.0", "1_0"),
    *("1.5", "50000", "5", "#", "# 1", "'it's'", "a\"b", ";", "\u0661", "data_x", "loop_", "_x"),
)  # fmt: skip
NAMES = ("a.mrc", "data_2/b.mrc", "data_3", "save_c.mrc", "'d e.mrc'", "0001", "nan", "loop_x")
BETWEEN = ("\n", "\n\n", "\n# version 30001\n\n", "\r\n", "")
cell = st.one_of(st.sampled_from(CELLS), st.text("0123456789.-+eE,", min_size=1, max_size=6))


@st.composite
def lists(draw):
    """Return the text of a list of micrographs, and their names."""
    of_optics = draw(st.lists(st.sampled_from(COLUMNS), min_size=1, max_size=6))
    row = st.lists(cell, min_size=len(of_optics), max_size=len(of_optics))
    rows = draw(st.lists(row, max_size=3))
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=5, unique=True))
    of_rows = draw(st.lists(st.sampled_from(COLUMNS), max_size=3, unique=True))
    first = draw(st.booleans()) and bool(of_rows)
    columns = [*of_rows, "rlnMicrographName"] if first else ["rlnMicrographName", *of_rows]
    listed = []
    for name in names:
        others = [draw(cell) for _ in of_rows]
        listed.append([*others, name] if first else [name, *others])
    parts = [loop("micrographs", columns, listed)]
    if draw(st.booleans()) and len(rows) == 1:
        pairs = "".join(f"_{c} {v}\n" for c, v in zip(of_optics, rows[0], strict=True))
        parts.append(f"data_optics\n\n{pairs}")
    else:
        parts.append(loop("optics", of_optics, rows))
    if draw(st.booleans()):
        parts.reverse()
    text = draw(st.sampled_from(BETWEEN)).join(parts)
    # A row that begins with # is a comment.
    left = [name for name, row in zip(names, listed, strict=True) if not row[0].startswith("#")]
    return text, [name.strip("'") for name in left]


def loop(block, columns, rows):
    """Return a loop; a row's semicolon is indented, because it would open a text field."""
    labels = "".join(f"_{column} #{number}\n" for number, column in enumerate(columns, 1))
    return f"data_{block}\n\nloop_\n{labels}" + "".join(
        f"{' ' * (row[0] == ';')}{' '.join(row)}\n" for row in rows
    )


def check(folder, text, names):
    path = folder / "list.star"
    path.write_text(text, encoding="utf-8", newline="")
    listed, reason = attempt(micrograph_names, path)
    assert reason.count("\n") <= 1
    optics, also = attempt(read_optics, path)
    assert also.count("\n") <= 1
    config = FolderConfig(micrographs=str(path), diameter=40)
    catalogue, why = attempt(open_folder, config)
    assert why.count("\n") <= 1
    if catalogue is None:
        assert why
        return False
    assert reason == also == ""
    assert sorted(listed) == sorted(names)
    assert len(catalogue.entries) == len(names)
    assert set(optics) in (set(), set(names))
    members = [
        Located(entry.path, 48, entry.optics or placeholder(None), Picks.empty)
        for entry in catalogue.entries
    ]
    write_lists(folder / "out", members)
    for name in ("micrographs", "particles"):
        for table in read_tables(folder / "out" / f"{name}.star"):
            rows = [dict(zip(table.columns, cells, strict=True)) for _, cells in table.rows]
            check_written(rows)
    assert len(micrograph_names(folder / "out" / "micrographs.star")) == len(names)
    return True


def check_written(rows):
    for row in rows:
        for column, text in row.items():
            if column.endswith("PixelSize"):
                assert 0 < float(text) < math.inf
        if "rlnVoltage" in row:
            assert 0 < float(row["rlnVoltage"]) < 10_000


@settings(parent=COMPARED, max_examples=200)
@given(made=lists())
def test_some_random_optics_tables(tmp_path, made):
    check(tmp_path, *made)


@pytest.mark.thorough
@settings(parent=COMPARED, max_examples=1800)
@given(made=lists())
def test_many_random_optics_tables(tmp_path, made):
    check(tmp_path, *made)
