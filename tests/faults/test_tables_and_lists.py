"""Cases 39 to 54: names, lists and coordinates."""

import csv
import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import starfile

from deepcryopicker.dataset.inside import within
from deepcryopicker.dataset.listing import list_micrographs
from deepcryopicker.dataset.open_files import open_folder
from deepcryopicker.dataset.schema import FolderConfig
from deepcryopicker.errors import UsageError
from deepcryopicker.io.coordinates.candidate_csv import write_csv
from deepcryopicker.io.coordinates.formats import read_picks
from deepcryopicker.io.files.links import refuse_links_out
from deepcryopicker.io.files.tables import write_rows
from deepcryopicker.io.star.relion_folder import coordinate_file, relion_name
from deepcryopicker.io.star.relion_star import micrograph_names, read_star_by_micrograph
from deepcryopicker.types import Picks
from tests.relion_folder import write_relion_folder

from .common import refused, write_mrc

HEADER = "data_particles\n\nloop_\n_rlnCoordinateX #1\n_rlnCoordinateY #2\n"
NAMES = "data_micrographs\n\nloop_\n_rlnMicrographName #1\n_rlnOpticsGroup #2\n"
OPTICS = "data_optics\n\nloop_\n_rlnOpticsGroupName #1\n_rlnOpticsGroup #2\nopticsGroup1 1\n\n"


def said(function, *arguments):
    with pytest.raises(UsageError) as error:
        function(*arguments)
    assert str(error.value).count("\n") <= 1
    return str(error.value)


@pytest.mark.parametrize(
    "name", ["a b.mrc", "it's.mrc", "µ-ö-日本.mrc", "-rf.mrc", "[red].mrc", "$x^2$.mrc", "=1+1.mrc"]
)
def test_case_39_odd_names_survive_star_files(tmp_path, name, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = write_mrc(tmp_path / name)
    (found,) = list_micrographs(str(tmp_path)).micrographs
    assert found == (name.removesuffix(".mrc"), path)
    write_relion_folder(tmp_path / "out", [(path, 48, Picks.create([1], [2]))], None)
    assert micrograph_names(tmp_path / "out" / "micrographs.star") == [name]
    assert list(read_star_by_micrograph(tmp_path / "out" / "particles.star")) == [name]


@pytest.mark.parametrize("name", [b"a\nb.mrc", b"a\x1bb.mrc", b'a"b.mrc', b"\xff\xfe.mrc"])
def test_case_39_names_that_no_output_can_have(tmp_path, name):
    path = tmp_path / os.fsdecode(name)
    write_mrc(path)
    assert "rename the file" in refused(path, header_shows=False)


def test_case_39_long_names(tmp_path):
    longest = write_mrc(tmp_path / f"{'x' * 220}.mrc")
    write_csv(tmp_path / "picks" / f"{longest.stem}.csv", Picks.empty())
    write_relion_folder(tmp_path, [(longest, 48, Picks.empty())], None)
    assert "the limit is 220" in refused(write_mrc(tmp_path / f"{'x' * 221}.mrc"), False)


def test_case_40_equal_names_in_two_folders(tmp_path):
    for folder in ("one", "two"):
        write_mrc(tmp_path / folder / "a.mrc")
        write_mrc(tmp_path / folder / "b.mrc.gz")
    names = [name for name, _ in list_micrographs(str(tmp_path)).micrographs]
    assert names == ["one/a", "one/b", "two/a", "two/b"]
    write_mrc(tmp_path / "one" / "b.mrc")
    names = [name for name, _ in list_micrographs(str(tmp_path)).micrographs]
    assert names == ["one/a", "one/b", "two/a", "two/b"]  # the compressed copy is left out


def test_case_41_duplicates_are_done_once(tmp_path, caplog):
    write_mrc(tmp_path / "a.mrc")
    (tmp_path / "list.txt").write_text("a.mrc\n./a.mrc\nsub/../a.mrc\n")
    assert len(list_micrographs(str(tmp_path / "list.txt")).micrographs) == 1
    assert "2 micrographs are listed twice, used once" in caplog.text


@pytest.mark.parametrize("content", [b"", b"\0\1\2\3" * 99, b"no star\n", b"data_\n", b"loop_\n"])
def test_case_42_no_star_file(tmp_path, content):
    (tmp_path / "m.star").write_bytes(content)
    for read in (read_picks, micrograph_names, read_star_by_micrograph):
        message = said(read, tmp_path / "m.star")
        assert str(tmp_path / "m.star") in message
        assert "it holds no STAR table" in message
    (tmp_path / "m.star").write_bytes(b"\xff\xfe\x80")
    assert "not a text file" in said(read_picks, tmp_path / "m.star")


def test_case_42_star_file_that_is_none(tmp_path):
    os.mkfifo(tmp_path / "m.star")
    assert "not a regular file" in said(read_picks, tmp_path / "m.star")
    (tmp_path / "l.star").write_text("x" * 2**21)
    assert "a line of more than 1 MB" in said(read_picks, tmp_path / "l.star")


def test_case_43_missing_column(tmp_path):
    (tmp_path / "p.star").write_text("data_\nloop_\n_rlnCoordinateX\n_rlnVoltage\n1 300\n")
    message = said(read_picks, tmp_path / "p.star")
    assert "rlnCoordinateX/rlnCoordinateY" in message
    assert "columns found: rlnCoordinateX, rlnVoltage" in message


@pytest.mark.parametrize("end", ["3\n", "3", "3 4 5\n"])
def test_case_44_ragged_rows_name_their_line(tmp_path, end):
    (tmp_path / "p.star").write_text(f"{HEADER}1 2\n{end}")
    cells = len(end.split())
    assert f"line 7 has {cells} cells" in said(read_picks, tmp_path / "p.star")
    (tmp_path / "p.csv").write_text(f"x,y\n1,2\n{','.join(end.split())}")
    assert f"line 3 has {cells} cells" in said(read_picks, tmp_path / "p.csv")


@pytest.mark.parametrize("bad", ["nan", "inf", "-Infinity", "x", "1_0"])
@pytest.mark.parametrize("suffix", ["star", "csv", "box"])
def test_case_45_few_bad_rows_are_left_out(tmp_path, bad, suffix, caplog):
    start = {"star": HEADER, "csv": "x,y\n", "box": ""}[suffix]
    cells = {"star": "{} {}\n", "csv": "{},{}\n", "box": "{} {} 20 20\n"}[suffix]
    path = tmp_path / f"p.{suffix}"
    rows = [cells.format(i, i) for i in range(200)]
    rows[5], rows[90] = cells.format(bad, 5), cells.format(90, bad)
    path.write_text(start + "".join(rows))
    picks = read_picks(path)
    assert len(picks) == 198
    assert np.isfinite(picks.positions).all()
    assert "2 rows left out" in caplog.text
    path.write_text(start + "".join([*rows, rows[5]]))
    message = said(read_picks, path)
    assert f"line {len(start.splitlines()) + 6} has '{bad}'" in message
    assert "3 of 201 rows are wrong" in message


def test_case_46_coordinates_outside_the_image(tmp_path, caplog):
    path, shape = tmp_path / "p.csv", (100, 200)
    inside = Picks.create([0, 199, -0.4, 100], [0, 99, 99.4, 50])
    assert len(within(path, inside, shape)) == 4
    assert caplog.text == ""
    some = inside.joined(Picks.create([-1], [5]))
    np.testing.assert_array_equal(within(path, some, shape).x, inside.x)
    assert "1 positions outside the image are ignored" in caplog.text
    message = said(within, path, some.joined(Picks.create([5], [1000])), shape)
    assert "2 of 6 positions lie outside the image of 200x100 pixels" in message
    assert "another pixel size, or flipped" in message


def test_case_46_truth_of_another_scale(tmp_path):
    write_mrc(tmp_path / "m" / "a.mrc")
    (tmp_path / "a.csv").write_text("x,y\n" + "".join(f"{4 * i},{3 * i}\n" for i in range(40)))
    config = FolderConfig(micrographs=str(tmp_path / "m"), coordinates=str(tmp_path))
    (entry,) = open_folder(config).entries
    assert "positions lie outside the image of 64x48" in said(entry.load_truth)


def test_case_47_numbers_as_names_stay_text(tmp_path):
    rows = "0001 1\n1e5 1\n007.mrc 1\nNA 1\nnull 1\n"
    (tmp_path / "m.star").write_text(NAMES + rows)
    assert micrograph_names(tmp_path / "m.star") == ["0001", "1e5", "007.mrc", "NA", "null"]


def test_case_48_path_traversal_stays_in_the_run_folder(tmp_path, monkeypatch):
    """A list that leads elsewhere reads the user's own files, and writes beside none of them."""
    monkeypatch.chdir(tmp_path)
    write_mrc(tmp_path / "elsewhere" / "secret.mrc")
    write_mrc(tmp_path / "project" / "a.mrc")
    listing = tmp_path / "project" / "m.star"
    absolute = tmp_path / "elsewhere" / "secret.mrc"
    listing.write_text(f"{NAMES}../elsewhere/secret.mrc 1\na.mrc 1\n{absolute} 1\n")
    found = list_micrographs(str(listing)).micrographs
    assert [name for name, _ in found] == ["elsewhere/secret", "project/a"]
    out = tmp_path / "project" / "run"
    for name, _ in found:
        write_csv(out / "picks" / f"{name}.csv", Picks.empty())
    write_relion_folder(out / "relion", [(path, 48, Picks.empty()) for _, path in found], None)
    new = {path for path in tmp_path.rglob("*") if path.suffix in (".csv", ".star")} - {listing}
    assert len(new) == 7
    assert all(path.is_relative_to(out) for path in new)
    for name in ("../../etc/passwd", "/etc/passwd", "a/../../../b", "C:/x/../../y"):
        file = coordinate_file(out, relion_name(Path(name)))
        assert Path(os.path.normpath(file)).is_relative_to(out)


def test_case_48_system_files_are_not_micrographs(tmp_path):
    (tmp_path / "m.star").write_text(f"{NAMES}../../../../../../../../etc/passwd 1\n")
    ((name, path),) = list_micrographs(str(tmp_path / "m.star")).micrographs
    assert name == "passwd"
    assert "no reader for ''" in refused(path)


@pytest.mark.parametrize("planted", ["picks", "relion/a", "picks/a.csv", ".a.tmp-1.csv"])
def test_case_49_planted_links(tmp_path, planted):
    outside, run = tmp_path / "outside", tmp_path / "run"
    outside.mkdir()
    link = run / planted
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(outside)
    assert f"{link} is a link out of the run folder" in said(refuse_links_out, run)
    link.unlink()
    (run / "latest").symlink_to(run)
    refuse_links_out(run)
    (tmp_path / "scratch").symlink_to(run)  # the folder itself may be one
    refuse_links_out(tmp_path / "scratch")
    refuse_links_out(tmp_path / "not there yet")


def test_case_49_a_link_is_replaced_rather_than_written_through(tmp_path):
    target = tmp_path / "target"
    target.write_text("precious")
    (tmp_path / "p.csv").symlink_to(target)
    write_csv(tmp_path / "p.csv", Picks.empty())
    assert target.read_text() == "precious"
    assert not (tmp_path / "p.csv").is_symlink()


def test_case_50_formulas_stay_as_they_are(tmp_path):
    name = '=cmd|" /C calc"!A0, and a comma'
    write_rows(tmp_path / "t.csv", [{"micrograph": name}], ["micrograph"])
    text = (tmp_path / "t.csv").read_text()
    assert list(csv.DictReader(io.StringIO(text))) == [{"micrograph": name}]
    assert text.splitlines()[1] == '"=cmd|"" /C calc""!A0, and a comma"'


def test_case_51_line_ends_marks_tabs_and_comments(tmp_path):
    text = "# first\r\n" + (OPTICS + HEADER).replace("\n", "\r\n")
    rows = "\t1.5\t\t2 \r\n# between\r\n  3 4.5\r\n\r\n"
    (tmp_path / "p.star").write_bytes(b"\xef\xbb\xbf" + (text + rows).encode())
    picks = read_picks(tmp_path / "p.star")
    assert (picks.x.tolist(), picks.y.tolist()) == ([1.5, 3], [2, 4.5])


def test_case_51_an_independent_reader_agrees(tmp_path):
    rng = np.random.default_rng(0)
    positions = rng.uniform(0, 4000, (500, 2)).round(6)
    named = [(f"Micrographs/m_{i}.mrc", positions[i::7]) for i in range(7)]
    path = tmp_path / "p.star"
    text = OPTICS + HEADER + "_rlnMicrographName #3\n_rlnOpticsGroup #4\n"
    for name, group in named:
        text += "".join(f"{x:.6f}\t{y:.6f} {name} 1\n" for x, y in group)
    path.write_text(text)
    table = starfile.read(path)["particles"]
    found = read_star_by_micrograph(path)
    assert list(found) == list(dict.fromkeys(table["rlnMicrographName"]))
    for name, picks in found.items():
        rows = table[table["rlnMicrographName"] == name]
        np.testing.assert_array_equal(picks.x, rows["rlnCoordinateX"])
        np.testing.assert_array_equal(picks.y, rows["rlnCoordinateY"])


def test_case_52_optics_groups(tmp_path):
    path = tmp_path / "m.star"
    path.write_text(f"{NAMES}a.mrc 1\n")  # no optics at all: RELION 3.0, or a list by hand
    assert micrograph_names(path) == ["a.mrc"]
    path.write_text(f"{OPTICS}{NAMES}a.mrc 1\n")
    assert micrograph_names(path) == ["a.mrc"]
    path.write_text(f"{OPTICS}{NAMES}a.mrc 1\nb.mrc 7\n")
    message = said(micrograph_names, path)
    assert "line 14 is of optics group 7" in message
    assert "its groups: 1" in message


def test_case_53_labels_of_other_micrographs(tmp_path):
    for i in range(5):
        write_mrc(tmp_path / "m" / f"mine_{i}.mrc")
        (tmp_path / f"yours_{i}.csv").write_text("x,y\n1,2\n")
    config = FolderConfig(micrographs=str(tmp_path / "m"), coordinates=str(tmp_path))
    message = said(open_folder, config)
    assert "micrographs: mine_0, mine_1, mine_2" in message
    assert "yours_" in message


ROWS = 200_000
MEASURE = """
import resource, sys
from pathlib import Path
from deepcryopicker.io.star import relion_star
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
found = relion_star.read_star_by_micrograph(Path(sys.argv[1]))
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(len(found), sum(map(len, found.values())), (after - before) * 1024)
"""


def write_particles(path, rows):
    with path.open("w") as stream:
        stream.write(OPTICS + HEADER + "_rlnMicrographName #3\n_rlnOpticsGroup #4\n")
        for i in range(rows):
            stream.write(f"{i % 4000}.123456\t{i % 4001}.5\tMicrographs/m_{i // 500:06d}.mrc\t1\n")


def memory_of_reading(path):
    command = [sys.executable, "-c", MEASURE, str(path)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return map(int, said.split())


@pytest.mark.thorough
def test_case_54_many_rows_in_little_memory(tmp_path):
    """Two hundred bytes a row, whatever their text: 1 GB for five million."""
    write_particles(tmp_path / "p.star", ROWS)
    micrographs, positions, memory = memory_of_reading(tmp_path / "p.star")
    assert (micrographs, positions) == (ROWS // 500, ROWS)
    assert memory < 200 * ROWS
