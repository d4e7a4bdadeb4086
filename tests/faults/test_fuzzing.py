"""Random damage: a file is read correctly or refused in one line; a slip is answered in a few."""

import gzip
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from deepcryopicker.app.hydra_app import command
from deepcryopicker.io.coordinates.formats import read_picks
from deepcryopicker.io.images.reader import read_micrograph
from deepcryopicker.io.star.relion_star import micrograph_names, read_star_by_micrograph
from deepcryopicker.types import Picks

from .common import attempt, mrc_bytes, pixels

FUZZER = Path(__file__).with_name("fuzz_headers.py")
COMPARED = settings(
    database=None, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def fuzz_headers(folder, count):
    command = [sys.executable, str(FUZZER), str(folder), str(count), "0"]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=1200, check=False)
    assert answer.returncode == 0, answer.stderr[-3000:]
    seen = json.loads(answer.stdout.splitlines()[-1])
    assert seen["read"] + seen["refused"] >= count
    assert min(seen["read"], seen["refused"]) > count / 20
    assert seen["megabytes"] < 20  # of one read
    return seen


def test_some_hundred_damaged_headers(tmp_path):
    fuzz_headers(tmp_path, 400)


@pytest.mark.faults
def test_ten_thousand_damaged_headers(tmp_path):
    print(fuzz_headers(tmp_path, 10_000))  # noqa: T201 - numbers for docs/robustness.md


def pictures(folder):
    image = pixels((90, 120)).astype(np.uint8)
    Image.fromarray(image).save(folder / "whole.png")
    tifffile.imwrite(folder / "whole.tif", image, compression="zlib", rowsperstrip=8)
    tifffile.imwrite(folder / "plain.tif", image)
    Image.fromarray(image).save(folder / "whole.jpg")
    (folder / "whole.mrc.gz").write_bytes(gzip.compress(mrc_bytes(pixels((90, 120)))))
    return sorted(folder.iterdir())


def test_pictures_cut_at_every_64th_byte(tmp_path):
    (tmp_path / "whole").mkdir()
    for path in pictures(tmp_path / "whole"):
        whole, expected = path.read_bytes(), read_micrograph(path).image
        cut = tmp_path / path.name
        for length in range(0, len(whole), 64):
            cut.write_bytes(whole[:length])
            micrograph, reason = attempt(read_micrograph, cut)
            assert "\n" not in reason
            if micrograph is not None:  # only pixels are missing
                np.testing.assert_array_equal(micrograph.image, expected)


def test_pictures_with_a_damaged_byte(tmp_path):
    (tmp_path / "whole").mkdir()
    rng = np.random.default_rng(0)
    for path in pictures(tmp_path / "whole"):
        whole = path.read_bytes()
        for _ in range(60):
            damaged = bytearray(whole)
            damaged[rng.integers(min(len(whole), 600))] = rng.integers(256)
            (tmp_path / path.name).write_bytes(damaged)
            micrograph, reason = attempt(read_micrograph, tmp_path / path.name)
            assert "\n" not in reason
            assert micrograph is None or micrograph.image.size <= 2**20


WORDS = [
    "data_", "data_optics\n", "loop_\n", "_rlnCoordinateX #1\n", "_rlnCoordinateY #2\n",
    "_rlnMicrographName #3\n", "_rlnOpticsGroup #4\n", "_rlnCoordinateX 5\n", "1.5", "-2e3", "nan",
    "a.mrc", "'", '"', " ", "\t", "\n", "\r\n", "#", "\ufeff", "\0", "é", "1 2 a.mrc 1\n", "_",
]  # fmt: skip
star_texts = st.lists(st.one_of(st.sampled_from(WORDS), st.text(max_size=4)), max_size=40)


@settings(parent=COMPARED, max_examples=300)
@given(parts=star_texts, suffix=st.sampled_from(["star", "csv", "box"]))
def test_random_tables(tmp_path, parts, suffix):
    path = tmp_path / f"t.{suffix}"
    path.write_text("".join(parts), encoding="utf-8", errors="ignore", newline="")
    readers = [read_picks]
    if suffix == "star":
        readers += [micrograph_names, read_star_by_micrograph]
    for read in readers:
        found, reason = attempt(read, path)
        assert reason.count("\n") <= 1
        assert (found is None) == (reason != "")
        if isinstance(found, Picks):
            assert np.isfinite(found.positions).all()


def test_line_breaks_in_a_quoted_header(tmp_path):
    (tmp_path / "t.csv").write_text('"data_optics\ndata_')
    _, reason = attempt(read_picks, tmp_path / "t.csv")
    assert "found: data_optics data_\n" in reason
    assert reason.count("\n") == 1


KEYS = [
    "picker", "picker.threshold", "dataset", "dataset.micrographs", "labeler", "seed", "overlays",
    "preprocessing.steps.clip", "preprocessing", "hydra.job.name", "class-set", "experiment",
]  # fmt: skip
SIGNS = [
    "=",
    "=",
    "==",
    ".",
    "@",
    "/",
    ":",
    ",",
    "[",
    "]",
    "{",
    "}",
    "(",
    ")",
    "${",
    "'",
    '"',
    "\\",
]
VALUES = ["null", "nan", "-3", "1e99", "true", "log", "dense", "oc.env:HOME", "???", " ", "é", "\n"]
an_override = st.one_of(
    st.tuples(
        st.sampled_from(["", "+", "++", "~"]),
        st.sampled_from(KEYS),
        st.lists(st.sampled_from(SIGNS + VALUES), max_size=6).map("".join),
    ).map("".join),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12),
).filter(lambda text: not text.startswith("-") and "hydra.job.name" not in text.strip("+~"))


@pytest.fixture
def typed(tmp_path, monkeypatch, capsys):
    """Type overrides of a ``pick`` that does nothing; gives the exit code and what is said."""
    monkeypatch.chdir(tmp_path)

    def pick(config, run):
        return None

    def type_in(overrides):
        monkeypatch.setattr(sys, "argv", ["pick", "hydra.run.dir=run", *overrides])
        code = command(pick, "pick")
        return code, capsys.readouterr().err

    return type_in


def check_answers(typed, overrides):
    code, said = typed(overrides)
    assert code in (0, 2)
    assert "Traceback" not in said
    assert (code == 0) == (said == "")
    if code == 2:
        assert said.startswith("error: ")
        typed_lines = sum(
            len(re.findall(r"[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]", one)) for one in overrides
        )
        assert len(said.splitlines()) <= 3 + 2 * typed_lines


@pytest.mark.thorough
@settings(parent=COMPARED, max_examples=40)
@given(overrides=st.lists(an_override, min_size=1, max_size=3))
def test_some_random_overrides(typed, overrides):
    check_answers(typed, overrides)


@pytest.mark.faults
@settings(parent=COMPARED, max_examples=1000)
@given(overrides=st.lists(an_override, min_size=1, max_size=3))
def test_many_random_overrides(typed, overrides):
    check_answers(typed, overrides)
