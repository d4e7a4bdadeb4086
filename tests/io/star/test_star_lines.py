"""Where blocks, rows and cells of a STAR file begin and end; no row is passed over in silence."""

import time

import pytest

from deepcryopicker.errors import UsageError
from deepcryopicker.io.star.relion_star import micrograph_names
from deepcryopicker.io.star.star_lines import split_cells
from deepcryopicker.io.star.star_tables import read_tables

LIST = "data_\n\nloop_\n_rlnMicrographName #1\n"
TWO = "data_micrographs\n\nloop_\n_rlnMicrographName #1\n_rlnOther #2\n"
OPTICS = "data_optics\n\nloop_\n_rlnOpticsGroup #1\n_rlnOpticsGroupName #2\n1 one\n"


@pytest.fixture
def names(tmp_path):
    def read(text):
        (tmp_path / "m.star").write_bytes(text.encode())
        return micrograph_names(tmp_path / "m.star")

    return read


def refusal(read, text):
    with pytest.raises(UsageError) as error:
        read(text)
    assert str(error.value).count("\n") == 1
    return str(error.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("data_1.mrc\ndata_2/b.mrc\nc.mrc\n", ["data_1.mrc", "data_2/b.mrc", "c.mrc"]),
        ("a.mrc\ndata_2.mrc", ["a.mrc", "data_2.mrc"]),
        ("a.mrc\n\ndata_2.mrc\nc.mrc\n", ["a.mrc", "data_2.mrc", "c.mrc"]),
        ("a.mrc\ndata_2.mrc\n\ndata_other\nloop_\n_x\n1\n", ["a.mrc", "data_2.mrc"]),
        ("a.mrc\ndata_other\n_x 1\n", ["a.mrc"]),
        ("a.mrc\n# version 30001\ndata_other\n\nloop_\n_x\n1\n", ["a.mrc"]),
        ("a.mrc\n\n\n'data_2.mrc'\n\n\nc.mrc\n", ["a.mrc", "data_2.mrc", "c.mrc"]),
        ("save_1.mrc\nDATA_2.mrc\nc.mrc\n", ["save_1.mrc", "DATA_2.mrc", "c.mrc"]),
        ("data_b\ndata_c\ndata_d\ndata_optics\n\nloop_\n_x\n1\n", ["data_b", "data_c", "data_d"]),
    ],
)
def test_rows_that_begin_like_a_block_are_rows(names, text, expected):
    assert names(LIST + text) == expected


@pytest.mark.parametrize(
    "text", ["a.mrc\n\ndata_2.mrc\n", "a.mrc\n#\ndata_2.mrc\ndata_3.mrc\n", "\ndata_2\n \n#"]
)
def test_what_may_be_a_row_or_a_block_is_refused(names, text):
    assert "may be a row or a new block\nput quotes" in refusal(names, LIST + text)


def test_rows_of_several_columns_cannot_begin_a_block(names):
    rows = "data_1.mrc 1\nloop_ 2\ndata_optics 3\n"
    assert names(TWO + rows) == ["data_1.mrc", "loop_", "data_optics"]
    damaged = f"{TWO}data_1.mrc 1\ndata_2.mrc\nc.mrc 3\n"
    assert "line 7, 'data_2.mrc', ends a table, and rows follow" in refusal(names, damaged)
    last = f"{TWO}data_1.mrc 1\ndata_2.mrc\n"
    assert "'data_2.mrc', may be a row without its other cells" in refusal(names, last)
    assert names(f"{TWO}data_1.mrc 1\nsave_\n\ndata_empty\n") == ["data_1.mrc"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("data_\n\nloop_\n\na.mrc\n", "the loop_ above line 5 names no columns"),
        (f"{LIST}a.mrc\nloop_\nb.mrc\n", "line 6, 'loop_', ends a table, and rows follow"),
        ("data_\nloop_ _rlnMicrographName\na.mrc\n", "line 2 belongs to no table"),
        ("data_\n_rlnMicrographName a b.mrc\n", "line 2 is neither a value nor in a loop_"),
        ("data_\n_rlnMicrographName\n", "line 2 is neither a value nor in a loop_"),
        (f"{TWO}a.mrc 1 2\n", "line 6 has 3 cells"),
        (f"{TWO}a.mrc # 1\n", "line 6 has 1 cells"),
        (TWO.replace("rlnOther", "rlnMicrographName") + "a.mrc 1\n", "is named twice"),
        ("data_\n_rlnMicrographName a.mrc\n_rlnMicrographName b.mrc\n", "is named twice"),
        (f"{TWO};a.mrc\nb.mrc 1\n", "the text that begins in line 6 has no end"),
        (f"{LIST}a.mrc\nstop_\nb.mrc\n", "line 6, 'stop_', ends a table"),
    ],
)
def test_lines_that_cannot_be_read_are_named(names, text, message):
    assert message in refusal(names, text)


@pytest.mark.parametrize(
    "text",
    [
        f"{TWO}a.mrc 1 # first\n\n  # second\nb.mrc\t2 #\n",
        f"{TWO}'a.mrc' \"1\"\n\"b.mrc\"   '#2'\n",
        f"\ufeff{TWO}a.mrc 1\nb.mrc 2".replace("\n", "\r\n"),
        f"{OPTICS}\n{TWO}\n\na.mrc 1\n\n\nb.mrc 2\n{OPTICS}",
        f"{OPTICS}{TWO}a.mrc 1\nb.mrc 2\nstop_\n",
        f"{TWO}a.mrc\n;text\nloop_\n\n# data_\n;\nb.mrc\n;more\n;\n",
        TWO.replace(" #", "#") + "a.mrc 1\nb.mrc 2\n",
        "save_x\n" + TWO + "a.mrc 1\nb.mrc 2\nsave_\n",
        "# comment\n; skipped\nDATA_X\nLoop_\n_a\n_rlnMicrographName\n1 a.mrc\n2 b.mrc\n",
    ],
)  # fmt: skip
def test_comments_quotes_marks_and_texts(names, text):
    assert names(text) == ["a.mrc", "b.mrc"]


def test_a_block_of_single_values_is_a_row(names, tmp_path):
    text = "data_micrographs\n\n_rlnMicrographName 'a b.mrc' # one\n\n_rlnOther\n;two\nlines\n;\n"
    assert names(text) == ["a b.mrc"]
    (table,) = read_tables(tmp_path / "m.star")
    assert list(table.rows) == [(3, ["a b.mrc", "two\nlines"])]


@pytest.mark.parametrize(
    ("line", "cells"),
    [
        ("it's 'it's' \"a 'b' c\"", ["it's", "it's", "a 'b' c"]),
        ("'' \"\" x", ["", "", "x"]),
        ("'open 1", ["'open", "1"]),
        ("a#b 1#2 # 'c", ["a#b", "1#2"]),
        ("a\u00a0b \u3000c", ["a\u00a0b", "\u3000c"]),
    ],
)
def test_cells_end_at_ascii_blanks_outside_quotes(line, cells):
    assert split_cells(line) == cells


def test_many_open_quotes_and_candidates_take_little_time(tmp_path, names):
    start = time.process_time()
    assert len(split_cells("\"a 'b " * 30_000)) == 60_000
    assert len(names(LIST + "data_x\n" * 20_000)) == 20_000
    assert time.process_time() - start < 5
