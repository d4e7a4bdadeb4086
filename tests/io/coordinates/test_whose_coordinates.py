"""Names and layouts of other programs: the coordinates of every micrograph, and no others."""

import pytest

from deepcryopicker.errors import UsageError
from deepcryopicker.io.coordinates.assigned_coordinates import assign_sources, nothing_matched
from deepcryopicker.io.coordinates.coordinate_sets import find_sources, names_of
from deepcryopicker.io.coordinates.micrograph_names import bare_name

UID = "008578565574161745010"
POSITIONS = ["rlnCoordinateX", "rlnCoordinateY"]


def found(given, names):
    """The x of every position of each micrograph."""
    sources = find_sources("dataset.coordinates", str(given))
    assigned = assign_sources(sources, names)
    if not assigned:
        raise nothing_matched(sources, names)
    return {name: source.read().x.tolist() for name, source in assigned.items()}


def star(path, columns, rows, block=""):
    path.parent.mkdir(parents=True, exist_ok=True)
    head = "".join(f"_{name} #{number}\n" for number, name in enumerate(columns, 1))
    path.write_text(f"\ndata_{block}\n\nloop_\n{head}" + "".join(f"{row}\n" for row in rows) + "\n")


def one_star(path, *x):
    star(path, POSITIONS, [f"{each} 5" for each in x])


def text(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def beside(job):
    """What RELION leaves in a job folder beside the result."""
    star(job / "job.star", ["rlnJobTypeLabel", "rlnJobIsContinue"], ["relion.autopick 0"], "job")
    star(job / "default_pipeline.star", ["rlnPipeLineJobCounter"], ["7"], "pipeline_general")
    star(job / "micrographs.star", ["rlnMicrographName", "rlnOpticsGroup"], ["a.mrc 1"])
    text(job / "coords_suffix_autopick.star", "CtfFind/job003/micrographs_ctf.star\n")
    text(job / "note.txt", "++++ Executing new job on Sat Nov 28\n")
    text(job / "run.out", "done\n")
    text(job / ".hidden" / "a.star", "not read\n")
    text(job / "x.csv", "")


WANTED = {"a": [1.0], "b": [2.0, 3.0]}


@pytest.mark.parametrize(
    "pattern",
    [
        *("{}.star", "{}_autopick.star", "{}_manualpick.star", "{}_automatch.star"),
        *("{}_extract.star", "{}_topaz.star", "{}_picked.star", "{}.mrc.star", "raw/{}.star"),
        *("{}.mrc_autopick.star", "{}_doseweighted.star", "{}_DW.star", "{}_DWS.star"),
        *("{}_noDW_autopick.star", "{}_patch_aligned.star", UID + "_{}.star", "{}_particles.star"),
        *(UID + "_{}_patch_aligned_doseweighted.star", UID + "_{}_rigid_aligned_picks.star"),
        *("Movies/job002/raw/{}_fractions_aligned_mic_DW.star", "{}-boxes.star", "{}.tif.star"),
    ],
)  # fmt: skip
def test_additions_of_programs(tmp_path, pattern):
    one_star(tmp_path / pattern.format("a"), 1)
    one_star(tmp_path / pattern.format("b"), 2, 3)
    beside(tmp_path)
    assert found(tmp_path, ["a", "b"]) == WANTED
    assert found(tmp_path, ["b", "c"]) == {"b": [2, 3]}


@pytest.mark.parametrize(
    "pattern",
    ["{}_DW", UID + "_{}_patch_aligned_doseweighted", "{}_patch_aligned", "{}_fractions_noDW"],
)
def test_additions_to_the_names_of_micrographs(tmp_path, pattern):
    one_star(tmp_path / "a_manualpick.star", 1)
    one_star(tmp_path / "b_manualpick.star", 2, 3)
    names = [pattern.format("a"), pattern.format("b")]
    assert list(found(tmp_path, names).values()) == list(WANTED.values())


@pytest.mark.parametrize("pattern", ["{}_my-picker.star", "{}.autopick_full.star", "mine_{}.star"])
def test_an_unknown_addition_that_all_names_have(tmp_path, pattern):
    for name, x in WANTED.items():
        one_star(tmp_path / pattern.format(name), *x)
    assert found(tmp_path, ["a", "b"]) == WANTED
    one_star(tmp_path / "b_other.star", 9)
    with pytest.raises(UsageError, match=r"belongs to a micrograph"):
        found(tmp_path, ["a", "b"])


@pytest.mark.parametrize("name", ["a_rejected", "a_nonunique", "a_1", "a_bin2", "bad_a", "aa"])
def test_names_of_something_else(tmp_path, name):
    one_star(tmp_path / f"{name}.star", 1)
    with pytest.raises(UsageError, match=rf"micrographs: a; coordinates: {name}.star") as error:
        found(tmp_path, ["a"])
    assert "read are .star, .csv" in str(error.value)


def test_two_that_differ_in_their_additions_are_an_error(tmp_path):
    one_star(tmp_path / "a_autopick.star", 1)
    one_star(tmp_path / "a_manualpick.star", 1)
    with pytest.raises(UsageError, match=r"a_autopick.star and .*a_manualpick.star both match a\n"):
        found(tmp_path, ["a"])
    assert found(tmp_path, ["a_autopick"]) == {"a_autopick": [1]}
    (tmp_path / "a_manualpick.star").unlink()
    with pytest.raises(UsageError, match=r"a_autopick.star matches both a_DW and a_noDW\n"):
        found(tmp_path, ["a_DW", "a_noDW"])


def test_grids_stay_apart(tmp_path):
    one_star(tmp_path / "AutoPick" / "job005" / "grid1" / "a_autopick.star", 1)
    assert found(tmp_path, ["grid1/a", "grid2/a"]) == {"grid1/a": [1]}
    with pytest.raises(UsageError, match="belongs to a micrograph"):
        found(tmp_path, ["grid2/a"])
    assert [bare_name(name) for name in ("S1/a", "S2/a")] == ["S1/a", "S2/a"]


def table(path, prefix="MotionCorr/job002/raw/", suffix=".mrc", **more):
    """A particles.star: two positions in b and one in a, with the columns in `more`."""
    columns = ["rlnMicrographName", *POSITIONS, *more]
    rows = [f"{prefix}{name}{suffix} {x} 5 {' '.join(more.values())}"
            for name, each in WANTED.items() for x in each]  # fmt: skip
    star(path, columns, rows, "particles")


@pytest.mark.parametrize("name", ["particles.star", "shiny.star", "run_data.star", "any.star"])
@pytest.mark.parametrize(
    "prefix", ["MotionCorr/job002/raw/", "J14/motioncorrected/" + UID + "_", ""]
)
def test_one_table_in_a_job_or_by_itself(tmp_path, name, prefix):
    table(tmp_path / name, prefix, rlnImageName="000001@Extract/job007/raw/z.mrcs")
    beside(tmp_path)
    for given in (tmp_path, tmp_path / name):
        assert found(given, ["a", "b"]) == WANTED
        assert found(given, ["x/b"] if not prefix else ["b"]).popitem()[1] == [2, 3]


def test_a_table_that_names_images_alone(tmp_path):
    rows = [f"{number:06d}@Extract/job007/raw/{name}.mrcs {x} 5"
            for name, each in WANTED.items() for number, x in enumerate(each, 1)]  # fmt: skip
    star(tmp_path / "p.star", ["rlnImageName", *POSITIONS], rows)
    assert found(tmp_path / "p.star", ["a", "b"]) == WANTED


def test_an_extract_job_has_every_particle_twice(tmp_path):
    table(tmp_path / "particles.star")
    for name, each in WANTED.items():
        columns = [*POSITIONS, "rlnMicrographName"]
        rows = [f"{x} 5 MotionCorr/job002/raw/{name}.mrc" for x in each]
        star(tmp_path / "raw" / f"{name}_extract.star", columns, rows)
    beside(tmp_path)
    assert found(tmp_path, ["a", "b"]) == WANTED
    sources = find_sources("evaluate.truth", str(tmp_path))
    names = [name for name in names_of(sources) if name != "x"]  # x.csv is empty, hence damaged
    assert {name: len(one.read()) for name, one in assign_sources(sources, names).items()} == {
        "MotionCorr/job002/raw/a": 1,
        "MotionCorr/job002/raw/b": 2,
    }


def test_iterations_of_a_job_are_an_error(tmp_path):
    for number in (24, 25):
        table(tmp_path / f"run_it0{number}_data.star")
    with pytest.raises(UsageError, match=r"24_data.star and .*25_data.star both match a\ngive"):
        found(tmp_path, ["a", "b"])
    assert found(tmp_path / "run_it025_data.star", ["a", "b"]) == WANTED


@pytest.mark.parametrize("name", ["autopick", "manualpick"])
@pytest.mark.parametrize("inside", [True, False])
def test_the_lists_of_relion_4(tmp_path, monkeypatch, name, inside):
    job = tmp_path / "AutoPick" / "job005"
    rows = []
    for each, x in WANTED.items():
        one_star(job / "raw" / f"{each}_{name}.star", *x)
        rows.append(f"MotionCorr/job002/raw/{each}.mrc AutoPick/job005/raw/{each}_{name}.star")
    columns = ["rlnMicrographName", "rlnMicrographCoordinates"]
    star(job / f"{name}.star", columns, rows, "coordinate_files")
    beside(job)
    monkeypatch.chdir(tmp_path if inside else "/")
    given = job.relative_to(tmp_path) if inside else job
    for each in (given, given / f"{name}.star", given / "coords_suffix_autopick.star"):
        assert found(each, ["a", "b"]) == WANTED
    # A list elsewhere leads to the files as well; what it lists must be there.
    star(tmp_path / "Import" / "list.star", columns, rows)
    assert found(tmp_path / "Import", ["a", "b"]) == WANTED
    (job / "raw" / f"b_{name}.star").unlink()
    with pytest.raises(UsageError, match=r"line 8 lists 'AutoPick/.*', which does not exist\n"):
        found(tmp_path / "Import" / "list.star", ["a", "b"])


def test_motion_correction_leaves_star_files_of_the_same_names(tmp_path):
    star(tmp_path / "MotionCorr" / "a.star", ["rlnMicrographFrameNumber"], ["1"], "global_shift")
    one_star(tmp_path / "ManualPick" / "a_manualpick.star", 1)
    assert found(tmp_path, ["a", "b"]) == {"a": [1]}


TABLES = {
    "t.tsv": "image_name\tx_coord\ty_coord\tscore\n{}\t1\t5\t-2\n{}\t2\t5\t\n{}\t3\t5\tNA\n",
    "t.txt": "# comment\nimage_name\tx_coord\ty_coord\n{}\t1\t5\n{}\t2\t5\n{}\t3\t5\n",
    "t.csv": "image_name,x_coord,y_coord,score\n{},1,5,0.5\n{},2,5,\n{},3,5,nan\n",
    "u.csv": "x,y,micrograph\n1,5,{}\n2,5,{}\n3,5,{}\n",
}


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("suffix", ["", ".mrc", "_DW.mrc"])
def test_tables_of_text(tmp_path, name, suffix):
    text(tmp_path / name, TABLES[name].format(*(f"{one}{suffix}" for one in "abb")))
    assert found(tmp_path / name, ["a", "b"]) == found(tmp_path, ["a", "b"]) == WANTED


def test_runs_of_ours(tmp_path):
    for folder in ("picks", "labels", "truth"):
        text(tmp_path / folder / "a.csv", "x,y\n1,5\n")
        text(tmp_path / folder / "b.csv", "x,y\n2,5\n3,5\n")
    text(tmp_path / "summary.csv", "micrograph,path,picks\na,a.mrc,1\n")
    assert found(tmp_path, ["a", "b"]) == WANTED
    assert found(tmp_path / "labels", ["a", "b"]) == WANTED
    (tmp_path / "summary.csv").unlink()
    with pytest.raises(UsageError, match="both match a"):  # three folders of somebody else
        found(tmp_path, ["a", "b"])


DAMAGED = {
    "a.star": ("data_\nloop_\n_rlnCoordinateX\n_rlnCoordinateY\n1\n", "damaged STAR table: line 5"),
    "a.csv": ("x;y\n1;2\n", "needs columns x and y, found: x;y"),
    "a.cbox": ("data_\n", "no table with CoordinateX"),
    "a.box": ("1 2\n", "line 1 has 2 cells"),
    "particles.star": (
        "data_\nloop_\n_rlnMicrographName\n_rlnCoordinateX\n_rlnCoordinateY\na.mrc 1\n",
        "damaged STAR table: line 6",
    ),
    "t.cs": ("\x93NUMPY\x01\x00", "not a .cs file"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_file_is_named(tmp_path, name):
    text(tmp_path / name, DAMAGED[name][0])
    one_star(tmp_path / "b.star", 2, 3)
    with pytest.raises(UsageError, match=DAMAGED[name][1]) as error:
        found(tmp_path, ["a", "b"])
    assert name in str(error.value)
    assert str(error.value).count("\n") <= 1


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("micrographs.star", "data_\nloop_\n_rlnMicrographName\na.mrc\n", "no table with rlnCoord"),
        ("a.doc", "1 2\n", "no reader for '.doc' coordinates"),
        ("notes.txt", "hello\n", "needs columns image_name"),
        ("none.star", None, "does not exist"),
    ],
)
def test_a_file_without_coordinates_is_refused(tmp_path, name, content, reason):
    if content is not None:
        text(tmp_path / name, content)
    with pytest.raises(UsageError, match=reason) as error:
        find_sources("dataset.coordinates", str(tmp_path / name))
    assert str(error.value).count("\n") <= 1


def test_many_names_are_matched_fast(tmp_path):
    count = 3000
    rows = [f"MotionCorr/job002/raw/{UID}_m{number:05d}.mrc {number} 5" for number in range(count)]
    star(tmp_path / "p.star", ["rlnMicrographName", *POSITIONS], rows)
    names = [f"m{number:05d}" for number in range(count)]
    assert found(tmp_path / "p.star", names) == {n: [float(i)] for i, n in enumerate(names)}
