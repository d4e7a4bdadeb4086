"""Hostile and huge files of structures end in one or two lines, soon and in little memory."""

import gzip
import os
import re
import resource
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest

from deepcryopicker.dataset.structures.open_structure import open_structure
from deepcryopicker.errors import UsageError
from tests.dataset.structures.molecules import ball, biomt, copies, mmcif, pdb, write_map

LIMIT = 1500  # MB of memory; torch is not loaded here
PROGRAM = """
import resource, sys
from pathlib import Path
from deepcryopicker.errors import UsageError
from deepcryopicker.dataset.structures.open_structure import open_structure
try:
    print("opened", open_structure(Path(sys.argv[1]), 4.0).mass)
except UsageError as error:
    print(error)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10)
"""


def answer(path):
    """What is said about a file, and the memory that it took, MB, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(path)],
        capture_output=True,
        text=True,
        timeout=60,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (40, 40)),
    )
    assert done.returncode == 0, done.stderr
    *lines, memory = done.stdout.splitlines()
    return lines, int(memory)


def sparse(path, size, head=b""):
    with path.open("wb") as file:
        file.write(head)
        file.truncate(size)
    return path


def bomb(path, size, head=b"", byte=b"\n"):
    """A compressed file of few bytes that is `size` bytes long."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    piece = byte * 2**20
    with path.open("wb") as file:
        file.write(packer.compress(head))
        for _ in range(size >> 20):
            file.write(packer.compress(piece))
        file.write(packer.flush())
    return path


def header(shape, mode=2, extended=0):
    """First 1024 bytes of an MRC file."""
    raw = bytearray(1024)
    struct.pack_into("<4i", raw, 0, *shape, mode)
    struct.pack_into("<3i", raw, 28, *shape)
    struct.pack_into("<3f", raw, 40, *(2.0 * side for side in shape))
    struct.pack_into("<3i", raw, 64, 1, 2, 3)
    struct.pack_into("<2i", raw, 88, 1, extended)
    raw[208:216] = b"MAP \x44\x44\x00\x00"
    return bytes(raw)


@pytest.mark.parametrize(
    "name",
    [
        "a.pdb",
        pytest.param("a.cif", marks=pytest.mark.faults),
        pytest.param("a.pdb.gz", marks=pytest.mark.faults),
        pytest.param("a.cif.gz", marks=pytest.mark.faults),
    ],
)
def test_a_text_of_two_gigabytes(tmp_path, name):
    path = tmp_path / name
    if name.endswith("gz"):
        bomb(path, 2**29)
        assert path.stat().st_size < 2**20
    else:
        sparse(path, 2**31)
    lines, memory = answer(path)
    assert lines == [f"{path}: more than 256 MB: not the model of a particle"]
    assert memory < LIMIT


@pytest.mark.parametrize("name", ["a.mrc", pytest.param("a.mrc.gz", marks=pytest.mark.faults)])
def test_a_map_with_huge_dimensions(tmp_path, name):
    path = tmp_path / name
    raw = header((30_000, 30_000, 30_000))
    path.write_bytes(gzip.compress(raw) if name.endswith("gz") else raw)
    lines, memory = answer(path)
    assert len(lines) == 1
    assert "limit" in lines[0]
    assert memory < LIMIT


@pytest.mark.faults
def test_a_map_that_is_larger_than_its_file(tmp_path):
    path = tmp_path / "a.mrc"
    path.write_bytes(header((400, 400, 400)) + bytes(1000))
    lines, memory = answer(path)
    assert "truncated: header promises 256001024 bytes, file has 2024" in lines[0]
    assert memory < LIMIT


@pytest.mark.faults
def test_a_compressed_map_that_ends_early_or_never(tmp_path):
    short, endless = tmp_path / "a.mrc.gz", tmp_path / "b.mrc.gz"
    short.write_bytes(gzip.compress(header((400, 400, 400)) + bytes(1000)))
    bomb(endless, 2**28, header((24, 24, 24)), b"\0")
    lines, memory = answer(short)
    assert "truncated" in lines[0]
    assert memory < LIMIT
    lines, memory = answer(endless)
    assert "more bytes than its header promises" in lines[0]
    assert memory < LIMIT


def shifts(count):
    return [np.column_stack([np.eye(3), [n % 10, n // 10 % 10, n // 100]]) for n in range(count)]


@pytest.mark.parametrize("name", ["a.pdb", "a.cif"])
@pytest.mark.thorough
def test_fifty_thousand_copies(tmp_path, name):
    path, places = tmp_path / name, ball(6.0)
    if name == "a.pdb":
        path.write_text(pdb("C", places, head=biomt(shifts(50_000))))
    else:
        path.write_text(mmcif("C", places, copies([(0, 0, 0)] * 50_000, "1-50000")))
    with pytest.raises(UsageError, match=r"assembly has .* copies; the limit is 10000"):
        open_structure(path, 4.0)


def test_an_assembly_of_too_many_atoms(tmp_path):
    path = tmp_path / "a.pdb"
    path.write_text(pdb("C", ball(17.0), head=biomt(shifts(9000))))
    with pytest.raises(UsageError, match="atoms besides water; a particle has 1 to 4000000"):
        open_structure(path, 4.0)


@pytest.mark.parametrize("name", ["a.pdb", "a.cif", "a.mrc"])
def test_what_is_not_a_regular_file(tmp_path, name):
    """A FIFO is never opened, which would wait for a writer."""
    path = tmp_path / name
    for make, message in (
        (lambda: None, "cannot be read: No such file"),
        (path.mkdir, "is a folder, not a file"),
        (lambda: os.mkfifo(path), "not a regular file"),
        (lambda: path.symlink_to(path), "cannot be read: Too many levels"),
        (lambda: path.symlink_to("/dev/zero"), "not a regular file"),
    ):
        make()
        with pytest.raises(UsageError, match=f"^dataset.structure: {path}: {message}"):
            open_structure(path, 4.0)
        if path.is_symlink() or path.exists():
            path.rmdir() if path.is_dir() else path.unlink()


@pytest.mark.thorough
def test_a_file_that_may_not_be_read(tmp_path):
    """As somebody who is not root, where the test is: root may read everything."""
    for folder in (tmp_path, *tmp_path.parents):
        if folder == tmp_path or folder.name.startswith(("pytest-", "popen-")):
            folder.chmod(0o755)
    program = (
        "import deepcryopicker.dataset.structures.atomic_models\n"
        "import deepcryopicker.dataset.structures.density_maps\n"
        "import resource, os; os.getuid() or os.setuid(65534)\n" + PROGRAM
    )
    for name in ("a.pdb", "a.mrc"):
        path = tmp_path / name
        path.write_text("x")
        path.chmod(0)
        command = [sys.executable, "-c", program, str(path)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert re.match(rf"{path}: cannot be read.*: Permission denied\n", done.stdout)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", b"x", "neither a model .* nor a density map"),
        ("a", b"x", "neither a model"),
        ("a.pdb.zip", b"x", "neither a model"),
        ("a.cif", b"data_\n loop_ _a _b 1", "not a PDB or mmCIF model: .*"),
        ("a.cif", b"\xff\xfe\x00" * 999, "not a PDB or mmCIF model"),
        ("a.cif", b"data_x\n_cell.length_a 1\n", "no atoms: not an mmCIF model"),
        ("a.pdb.gz", b"\x1f\x8b\x08garbage", "damaged gzip"),
        ("a.mrc", b"\x89PNG\r\n\x1a\n" + bytes(2000), "this is a PNG file"),
        ("a.mrc", b"ATOM  " * 400, "MRC mode"),
        ("a.mrc", header((64, 64, 64), mode=4) + bytes(2 * 8 * 64**3), "complex"),
        ("a.mrc", header((-64, 64, 64)), "negative dimension"),
        ("a.mrc", header((0, 64, 64)), "no pixels"),
        ("a.mrc", header((64, 64, 64), extended=2**30), "truncated: header promises"),
    ],
)
def test_files_of_other_formats(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(UsageError, match=message) as caught:
        open_structure(path, 4.0)
    assert str(path) in str(caught.value)
    assert str(caught.value).count("\n") <= 1


@pytest.mark.parametrize("value", ["     nan", "     inf", "9999.999", "1e300   ", "-1e+38  "])
def test_coordinates_that_cannot_be(tmp_path, value):
    """The far atom makes it larger than any particle."""
    path = tmp_path / "a.pdb"
    text = pdb("C", ball(8.0))
    path.write_text(text.replace("  -8.000", value, 1))
    with pytest.raises(UsageError, match=r"not a number|the limit is 3000"):
        open_structure(path, 4.0)


def test_random_bytes_in_a_valid_file(tmp_path):
    """Whatever the parser makes of them, it is a structure or a line."""
    rng = np.random.default_rng(0)
    texts = {"a.pdb": pdb("C", ball(8.0)), "a.cif": mmcif("C", ball(8.0), copies([(0, 0, 0)], "1"))}
    write_map(tmp_path / "a.mrc", np.pad(np.ones((9, 9, 9), np.float32), 5), 4.0)
    contents = {name: text.encode() for name, text in texts.items()}
    contents["a.mrc"] = (tmp_path / "a.mrc").read_bytes()
    answered = 0
    for name, content in contents.items():
        for _ in range(15):
            broken = bytearray(content)
            limit = 1024 if name == "a.mrc" else len(broken)
            for place in rng.integers(0, limit, 30):
                broken[place] = rng.integers(0, 256)
            (tmp_path / name).write_bytes(broken)
            try:
                found = open_structure(tmp_path / name, 4.0)
                assert np.isfinite(found.potential).all()
            except UsageError as error:
                answered += str(error).count("\n") <= 1
    assert answered > 5
