"""Which files are micrographs, and what their outputs are called."""

import pytest

from deepcryopicker.dataset.listing import list_micrographs
from deepcryopicker.errors import UsageError


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "data"
    for name in ("b.mrc", "a.MRC", "sub/c.tif", "sub/deep/d.png", "notes.txt", ".hidden.mrc"):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return root


def names(given):
    return [name for name, _ in list_micrographs(str(given)).micrographs]


def test_folder_is_searched_with_its_sub_folders(folder):
    found = list_micrographs(str(folder)).micrographs
    assert [name for name, _ in found] == ["a", "b", "sub/c", "sub/deep/d"]
    assert [path for _, path in found] == [
        folder / name for name in ("a.MRC", "b.mrc", "sub/c.tif", "sub/deep/d.png")
    ]


def test_single_file(folder):
    assert list_micrographs(str(folder / "b.mrc")).micrographs == (("b", folder / "b.mrc"),)


def test_only_sub_folder_keeps_its_name(tmp_path):
    path = tmp_path / "only" / "a.mrc"
    path.parent.mkdir()
    path.touch()
    assert names(tmp_path) == ["only/a"]


def test_glob(folder):
    assert names(folder / "*.mrc") == ["b"]
    assert names(folder / "**" / "*.[tp]*g") == ["d"]


def test_relative_glob(folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert names("sub/*.tif") == ["c"]


def test_star(folder):
    star = folder / "micrographs.star"
    star.write_text(
        "data_micrographs\n\nloop_\n_rlnMicrographName #1\n_rlnOpticsGroup #2\n"
        f"sub/c.tif 1\n{folder}/b.mrc 1\n"
    )
    found = dict(list_micrographs(str(star)).micrographs)
    assert sorted(found) == ["b", "sub/c"]
    assert found["sub/c"] == folder / "sub" / "c.tif"


def test_text_list(folder, monkeypatch):
    listing = folder / "list.txt"
    listing.write_text("\ufeffb.mrc\r\n\n  sub/deep/d.png  \n", encoding="utf-8")
    assert names(listing) == ["b", "sub/deep/d"]
    monkeypatch.chdir(folder / "sub")
    listing.write_text("c.tif\n")  # of the working folder rather than the list's
    assert [path.as_posix() for _, path in list_micrographs(str(listing)).micrographs] == ["c.tif"]


def test_listed_files_of_one_stem_get_two_names(folder):
    (folder / "b.png").touch()
    listing = folder / "list.txt"
    listing.write_text("b.mrc\nb.png\na.MRC\n")
    found = dict(list_micrographs(str(listing)).micrographs)
    assert found == {name: folder / name.replace("_", ".") for name in ("b_mrc", "b_png")} | {
        "a": folder / "a.MRC"
    }


def test_links_to_one_file_count_once(folder):
    (folder / "z.mrc").symlink_to(folder / "b.mrc")
    assert names(folder) == ["a", "b", "sub/c", "sub/deep/d"]


def test_file_listed_twice_counts_once(folder):
    listing = folder / "list.txt"
    listing.write_text("b.mrc\nb.mrc\nsub/../b.mrc\n")
    assert len(names(listing)) == 1


def test_folder_with_magic_characters_is_a_folder(tmp_path):
    root = tmp_path / "run[1]"
    root.mkdir()
    (root / "a.mrc").touch()
    assert names(root) == ["a"]
    assert names(root / "a.mrc") == ["a"]


def test_stems_with_dots_keep_them(tmp_path):
    for name in ("m.1.mrc", "m.2.mrc"):
        (tmp_path / name).touch()
    assert names(tmp_path) == ["m.1", "m.2"]


@pytest.mark.parametrize("given", ["missing.mrc", "missing/folder"])
def test_missing_is_refused(tmp_path, given):
    with pytest.raises(UsageError, match="there is no file or folder"):
        list_micrographs(str(tmp_path / given))


@pytest.mark.parametrize("given", ["", "*.mrc"])
def test_nothing_found_is_refused(tmp_path, given):
    with pytest.raises(UsageError, match="no micrographs"):
        list_micrographs(str(tmp_path / given) if given else str(tmp_path))


def test_star_without_micrographs_is_refused(tmp_path):
    star = tmp_path / "a.star"
    star.write_text("data_\n\nloop_\n_rlnCoordinateX #1\n1.0\n")
    with pytest.raises(UsageError):
        list_micrographs(str(star))


def test_names_that_would_overwrite_each_other_are_refused(tmp_path):
    for name in ("b.mrc", "b.png", "b_png.mrc"):
        (tmp_path / name).touch()
    with pytest.raises(UsageError, match="b_png"):
        list_micrographs(str(tmp_path / "*"))


@pytest.mark.parametrize("name", ["list.txt", "LIST.LST", "m.star", "M.STAR"])
def test_lists_may_hold_comments_and_have_any_case(folder, name):
    """Case 36 of the reports: upper-case suffixes, comment lines, blank lines, CRLF."""
    head = "data_\r\n\r\nloop_\r\n_rlnMicrographName #1\r\n" if "star" in name.lower() else "\r\n"
    (folder / name).write_text(f"# made by hand\r\n{head}b.mrc\r\nsub/c.tif\r\n\r\n", newline="")
    assert names(folder / name) == ["b", "sub/c"]


def test_files_that_are_named_are_all_used(folder):
    """Also those that a search would leave out; the same for a glob."""
    for name in ("b_PS.mrc", "gain.mrc", "b.map"):
        (folder / name).touch()
    (folder / "list.txt").write_text("b_PS.mrc\ngain.mrc\nb.map\n")
    assert names(folder / "list.txt") == ["b", "b_PS", "gain"]
    assert names(folder / "b_PS.mrc") == ["b_PS"]
    assert names(folder / "*.map") == ["b"]
    assert names(folder / "*_PS.mrc") == ["b_PS"]
    assert names(folder) == ["a", "b", "sub/c", "sub/deep/d"]


def test_cryosparc_dataset_is_refused_with_advice(folder):
    (folder / "x.cs").write_bytes(b"\x93NUMPY")
    with pytest.raises(UsageError, match="give their folder or a glob"):
        list_micrographs(str(folder / "x.cs"))
