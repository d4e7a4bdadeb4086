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
    return [name for name, _ in list_micrographs(str(given))]


def test_folder_is_searched_with_its_sub_folders(folder):
    found = list_micrographs(str(folder))
    assert [name for name, _ in found] == ["a", "b", "sub/c", "sub/deep/d"]
    assert [path for _, path in found] == [
        folder / name for name in ("a.MRC", "b.mrc", "sub/c.tif", "sub/deep/d.png")
    ]


def test_single_file(folder):
    assert list_micrographs(str(folder / "b.mrc")) == [("b", folder / "b.mrc")]


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
    found = dict(list_micrographs(str(star)))
    assert sorted(found) == ["b", "sub/c"]
    assert found["sub/c"] == folder / "sub" / "c.tif"


def test_text_list(folder, monkeypatch):
    listing = folder / "list.txt"
    listing.write_text("\ufeffb.mrc\r\n\n  sub/deep/d.png  \n", encoding="utf-8")
    assert names(listing) == ["b", "sub/deep/d"]
    monkeypatch.chdir(folder / "sub")
    listing.write_text("c.tif\n")  # of the working folder rather than the list's
    assert [path.as_posix() for _, path in list_micrographs(str(listing))] == ["c.tif"]


def test_one_stem_with_two_extensions_gets_two_names(folder):
    (folder / "b.png").touch()
    found = dict(list_micrographs(str(folder)))
    assert found["b_mrc"] == folder / "b.mrc"
    assert found["b_png"] == folder / "b.png"
    assert "b" not in found
    assert len(found) == 5


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
        list_micrographs(str(tmp_path))
