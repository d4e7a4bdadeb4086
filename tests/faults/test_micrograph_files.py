"""Cases 1 to 37: every micrograph file is read correctly or refused in one line."""

import bz2
import errno
import gzip
import io
import logging
import os
import struct
import subprocess
import sys
import tracemalloc
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image

from deepcryopicker.io.files.checks import MAX_PIXELS
from deepcryopicker.io.images import mrc, streams
from deepcryopicker.io.images.reader import header_pixel_size, micrograph_shape, read_micrograph

from .common import SHAPE, mrc_bytes, pixels, refused, write_mrc


@pytest.fixture
def little_memory():
    """Fail the test if it allocates more than 20 MB."""
    tracemalloc.start()
    yield
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20e6


def test_case_01_empty_file(tmp_path):
    (tmp_path / "m.mrc").touch()
    assert refused(tmp_path / "m.mrc") == "empty file"


def test_case_02_truncated_header(tmp_path):
    (tmp_path / "m.mrc").write_bytes(mrc_bytes()[:500])
    assert refused(tmp_path / "m.mrc") == "truncated header (500 of 1024 bytes)"


def test_case_03_truncated_data(tmp_path):
    whole = mrc_bytes()
    (tmp_path / "m.mrc").write_bytes(whole[:-1])
    reason = f"truncated: header promises {len(whole)} bytes, file has {len(whole) - 1}"
    assert refused(tmp_path / "m.mrc") == reason


def test_case_04_trailing_bytes(tmp_path):
    (tmp_path / "m.mrc").write_bytes(mrc_bytes() + b"\1" * 333)
    np.testing.assert_array_equal(read_micrograph(tmp_path / "m.mrc").image, pixels())


def test_case_05_huge_dimensions(tmp_path, little_memory):
    path = write_mrc(tmp_path / "m.mrc", size=(0, "2i", (60000, 60000)))
    assert "more than the limit" in refused(path)
    path = write_mrc(tmp_path / "m.mrc", size=(0, "2i", (16384, 16384)))
    assert "truncated: header promises 1073742848 bytes" in refused(path)


def test_case_06_huge_extended_header(tmp_path, little_memory):
    path = write_mrc(tmp_path / "m.mrc", extended=(92, "i", (2_000_000_000,)))
    assert "header promises 2000000000 bytes of extended header" in refused(path)
    (tmp_path / "m.mrc.gz").write_bytes(gzip.compress(path.read_bytes()))
    assert "extended header of 2000000000 bytes" in refused(tmp_path / "m.mrc.gz")


@pytest.mark.parametrize("offset", [0, 4, 8, 92])
def test_case_07_negative_dimensions(tmp_path, offset):
    path = write_mrc(tmp_path / "m.mrc", size=(offset, "i", (-5,)))
    assert refused(path) == "negative dimension in header"
    assert "MRC mode -5 unknown" in refused(write_mrc(path, size=(12, "i", (-5,))))


@pytest.mark.parametrize("offset", [0, 4, 8])
def test_case_08_no_pixels(tmp_path, offset):
    path = write_mrc(tmp_path / "m.mrc", size=(offset, "i", (0,)))
    assert refused(path) == "image has no pixels"


def test_case_10_unknown_mode(tmp_path):
    path = write_mrc(tmp_path / "m.mrc", mode=1937006958)
    assert refused(path) == "MRC mode 1937006958 unknown (not an MRC file?)"


@pytest.mark.parametrize("mode", [3, 4])
def test_case_11_complex(tmp_path, mode):
    assert "complex (Fourier) image" in refused(write_mrc(tmp_path / "m.mrc", mode=mode))


def test_case_12_four_bits(tmp_path):
    assert "newstack -mode 1" in refused(write_mrc(tmp_path / "m.mrc", mode=101))


def test_case_13_no_map_string(tmp_path, caplog):
    path = write_mrc(tmp_path / "m.mrc", map=(208, "4s", (b"\0\0\0\0",)))
    np.testing.assert_array_equal(read_micrograph(path).image, pixels())
    assert "no 'MAP ' in the header" in caplog.text


@pytest.mark.parametrize("stamp", [b"\x44\0\0\0", b"\0\0\0\0", b"\x44\x20\x20\x20"])
def test_case_14_odd_stamps(tmp_path, stamp, caplog):
    path = write_mrc(tmp_path / "m.mrc", stamp=(212, "4s", (stamp,)))
    np.testing.assert_array_equal(read_micrograph(path).image, pixels())
    assert ("no byte order" in caplog.text) == (stamp[0] == 0)


@pytest.mark.parametrize("order", ["<", ">"])
def test_case_15_bytes_opposite_to_the_stamp(tmp_path, order, caplog):
    wrong = b"\x11\x11\0\0" if order == "<" else b"\x44\x44\0\0"
    path = write_mrc(tmp_path / "m.mrc", order=order, stamp=(212, "4s", (wrong,)))
    np.testing.assert_array_equal(read_micrograph(path).image, pixels())
    assert "in the other order than the header says" in caplog.text


def test_case_16_big_endian(tmp_path):
    read = read_micrograph(write_mrc(tmp_path / "m.mrc", order=">"))
    np.testing.assert_array_equal(read.image, pixels())
    assert read.pixel_size == pytest.approx(1.5)


def test_case_17_unsigned_bytes(tmp_path):
    data = np.array([[200, 5], [6, 7]], np.uint8)
    imod = {"imod": (152, "2i", (1146047817, 0))}
    path = write_mrc(tmp_path / "m.mrc", data, mode=0, **imod)
    assert read_micrograph(path).image[0, 0] == 200
    assert read_micrograph(write_mrc(path, data, mode=0)).image[0, 0] == -56


def test_case_18_stacks(tmp_path):
    path = tmp_path / "m.mrc"
    path.write_bytes(mrc_bytes(frames=(8, "i", (40,))) + bytes(39 * 4 * SHAPE[0] * SHAPE[1]))
    assert refused(path).startswith("stack of 40 images: not a micrograph; run motion correction")


def test_case_19_nan_and_infinite_pixels(tmp_path, caplog):
    image = pixels()
    image.flat[:30] = np.resize([np.nan, np.inf, -np.inf], 30)
    mended = read_micrograph(write_mrc(tmp_path / "m.mrc", image)).image
    assert (mended.flat[:30] == np.median(image.flat[30:])).all()
    np.testing.assert_array_equal(mended.flat[30:], image.flat[30:])
    assert "30 NaN or infinite pixels" in caplog.text
    image.flat[:31] = np.nan
    reason = refused(write_mrc(tmp_path / "m.mrc", image), header_shows=False)
    assert reason == "31 of 3072 pixels are NaN or infinite"


@pytest.mark.parametrize(("length", "samples"), [(0.0, 64), (np.nan, 64), (-5.0, 64), (96.0, 0)])
def test_case_25_pixel_size_that_is_none(tmp_path, length, samples):
    fields = {"length": (40, "f", (length,)), "samples": (28, "i", (samples,))}
    path = write_mrc(tmp_path / "m.mrc", **fields)
    assert read_micrograph(path).pixel_size is None
    assert header_pixel_size(path) is None
    assert read_micrograph(path, pixel_size=2.0).pixel_size == 2.0


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF"])
def test_case_28_pictures_named_mrc(tmp_path, kind):
    picture = io.BytesIO()
    Image.fromarray(pixels().astype(np.uint8)).save(picture, format=kind)
    (tmp_path / "m.mrc").write_bytes(picture.getvalue())
    assert refused(tmp_path / "m.mrc") == f"this is a {kind} file, not an MRC file"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\x89HDF\r\n\x1a\n" + bytes(2000), "this is a HDF5 file"),
        (gzip.compress(mrc_bytes()), "this is a gzip (name it .mrc.gz) file"),
        (bz2.compress(mrc_bytes()), "this is a bzip2 (name it .mrc.bz2) file"),
        (b"some text, not an image. " * 100, "unknown (not an MRC file?)"),
        (
            b'<?xml version="1.0"?>\n<Error><Code>NoSuchKey</Code></Error>' + bytes(2000),
            "this is a text (XML, an error of the server? download it again) file",
        ),
        (b"<!DOCTYPE html><html>404", "this is a text (HTML, an error of the server?"),
    ],
)
def test_case_28_other_files_named_mrc(tmp_path, content, reason):
    (tmp_path / "m.mrc").write_bytes(content)
    assert reason in refused(tmp_path / "m.mrc")


PACKED = {".gz": gzip.compress, ".bz2": bz2.compress}


@pytest.mark.parametrize("suffix", PACKED)
def test_case_29_compressed_files_are_read(tmp_path, suffix):
    path = tmp_path / f"grid.1{'.mrc' + suffix}"
    path.write_bytes(PACKED[suffix](mrc_bytes()))
    read = read_micrograph(path)
    np.testing.assert_array_equal(read.image, pixels())
    assert read.name == "grid.1"
    assert read.pixel_size == pytest.approx(1.5)
    assert micrograph_shape(path) == SHAPE


@pytest.mark.parametrize("suffix", PACKED)
@pytest.mark.thorough
def test_case_29_compressed_bomb(tmp_path, suffix, little_memory):
    """300 MB behind a header that promises 12 kB: not decompressed any further."""
    packer = zlib.compressobj(wbits=31) if suffix == ".gz" else bz2.BZ2Compressor()
    path = tmp_path / f"m.mrc{suffix}"
    with path.open("wb") as stream:
        stream.write(packer.compress(mrc_bytes()))
        for _ in range(300):
            stream.write(packer.compress(bytes(10**6)))
        stream.write(packer.flush())
    assert path.stat().st_size < 400_000
    assert refused(path, header_shows=False) == "holds more bytes than its header promises"


@pytest.mark.parametrize("suffix", PACKED)
def test_case_29_header_of_a_bomb(tmp_path, suffix, little_memory):
    content = mrc_bytes(size=(0, "2i", (60000, 60000)))
    (tmp_path / f"m.mrc{suffix}").write_bytes(PACKED[suffix](content))
    assert "more than the limit" in refused(tmp_path / f"m.mrc{suffix}")


@pytest.mark.parametrize("suffix", PACKED)
def test_case_30_damaged_compression(tmp_path, suffix):
    whole = PACKED[suffix](mrc_bytes())
    path = tmp_path / f"m.mrc{suffix}"
    kind = "gzip" if suffix == ".gz" else "bzip2"
    for length in (4, 300, len(whole) // 2, len(whole) - 3):
        path.write_bytes(whole[:length])
        assert refused(path, header_shows=False).startswith(f"damaged {kind}")
    path.write_bytes(whole[:-8] + b"\0\1\2\3" + whole[-4:])
    assert refused(path, header_shows=False).startswith(f"damaged {kind}")
    path.write_bytes(b"no archive at all")
    assert refused(path).startswith(f"damaged {kind}")
    path.write_bytes(PACKED[suffix](mrc_bytes()[:-1]))
    assert refused(path, header_shows=False) == "truncated: 12287 of 12288 bytes of an image"


def bomb_png(path, side):
    """Write a PNG of `side` x `side` pixels without holding it."""
    packer = zlib.compressobj()
    rows = b"".join(packer.compress(bytes(side + 1)) for _ in range(side)) + packer.flush()
    chunks = [
        (b"IHDR", struct.pack(">2I5B", side, side, 8, 0, 0, 0, 0)),
        (b"IDAT", rows),
        (b"IEND", b""),
    ]
    with path.open("wb") as stream:
        stream.write(b"\x89PNG\r\n\x1a\n")
        for name, data in chunks:
            checksum = struct.pack(">I", zlib.crc32(name + data))
            stream.write(struct.pack(">I", len(data)) + name + data + checksum)


@pytest.mark.parametrize("side", [17000, 24000])
@pytest.mark.thorough
def test_case_31_decompression_bomb(tmp_path, side, little_memory):
    bomb_png(tmp_path / "m.png", side)
    assert (tmp_path / "m.png").stat().st_size < 700_000
    assert str(MAX_PIXELS) in refused(tmp_path / "m.png")


def test_case_31_tiff_bomb(tmp_path, little_memory):
    path = tmp_path / "m.tif"
    tifffile.imwrite(path, np.zeros((8, 8), np.uint8))
    with tifffile.TiffFile(path, mode="r+") as file:
        for name in ("ImageWidth", "ImageLength"):
            file.pages.first.tags[name].overwrite(30000)
    assert str(MAX_PIXELS) in refused(path)


@pytest.mark.parametrize("mode", ["P", "RGB", "RGBA", "LA"])
def test_case_32_colour_pictures_become_grey(tmp_path, mode, caplog):
    grey = pixels().astype(np.uint8)
    Image.fromarray(grey).convert(mode).save(tmp_path / "m.png")
    np.testing.assert_allclose(read_micrograph(tmp_path / "m.png").image, grey, atol=1e-3)
    assert ("transparency is dropped" in caplog.text) == mode.endswith("A")


def test_case_32_16_bit_pictures_keep_their_values(tmp_path):
    deep = (pixels() * 500).astype(np.uint16)
    Image.fromarray(deep).save(tmp_path / "m.png")
    np.testing.assert_array_equal(read_micrograph(tmp_path / "m.png").image, deep)


@pytest.mark.parametrize(
    "settings",
    [
        {"tile": (16, 16)},
        {"compression": "zlib"},
        {"bigtiff": True},
        {"compression": "zlib", "tile": (16, 16), "bigtiff": True},
        {"byteorder": ">"},
    ],
    ids=str,
)
def test_case_33_kinds_of_tiff(tmp_path, settings):
    tifffile.imwrite(tmp_path / "m.tif", pixels(), **settings)
    np.testing.assert_array_equal(read_micrograph(tmp_path / "m.tif").image, pixels())


def test_case_33_tiff_of_several_pages_and_unknown_codecs(tmp_path):
    path = tmp_path / "m.tif"
    tifffile.imwrite(path, np.stack([pixels()] * 3), photometric="minisblack")
    assert refused(path).startswith("stack of 3 images")
    tifffile.imwrite(path, pixels())
    with tifffile.TiffFile(path, mode="r+") as file:
        file.pages.first.tags["Compression"].overwrite(34712)  # JPEG 2000
    assert "imagecodecs" in refused(path, header_shows=False)
    with tifffile.TiffFile(path, mode="r+") as file:
        file.pages.first.tags["Compression"].overwrite(1)
        file.pages.first.tags["SamplesPerPixel"].overwrite(60000)
    assert "too many samples a pixel" in refused(path)


@pytest.mark.parametrize(
    ("suffix", "word"),
    [("eer", "EER"), ("dm4", "dm2mrc"), ("dm3", "dm2mrc"), ("ser", "e2proc2d"), ("h5", "HDF5")],
)
def test_case_35_formats_of_vendors(tmp_path, suffix, word):
    (tmp_path / f"m.{suffix}").write_bytes(b"x" * 2000)
    assert word in refused(tmp_path / f"m.{suffix}")


@pytest.mark.parametrize("suffix", ["mrc", "mrc.gz", "png", "tif"])
def test_case_36_what_is_not_a_regular_file(tmp_path, suffix):
    assert "No such file" in refused(tmp_path / f"gone.{suffix}")
    (tmp_path / f"folder.{suffix}").mkdir()
    assert refused(tmp_path / f"folder.{suffix}") == "is a folder, not a file"
    os.mkfifo(tmp_path / f"fifo.{suffix}")
    assert refused(tmp_path / f"fifo.{suffix}") == "not a regular file"
    (tmp_path / f"broken.{suffix}").symlink_to(tmp_path / "nowhere")
    assert "No such file" in refused(tmp_path / f"broken.{suffix}")
    (tmp_path / f"device.{suffix}").symlink_to("/dev/zero")
    assert refused(tmp_path / f"device.{suffix}") == "not a regular file"


def test_case_36_no_permission(tmp_path):
    """As somebody who is not root, where the test is: root may read everything."""
    path = write_mrc(tmp_path / "m.mrc")
    path.chmod(0)
    for folder in (tmp_path, *tmp_path.parents):
        if folder.name.startswith("pytest-"):
            folder.chmod(0o755)
    program = (
        "import os, sys, pathlib\n"
        "from deepcryopicker.errors import MicrographError\n"
        "from deepcryopicker.io.images.reader import read_micrograph\n"
        "if os.getuid() == 0: os.setuid(65534)\n"
        "try: read_micrograph(pathlib.Path(sys.argv[1]))\n"
        "except MicrographError as error: print(error)"
    )
    command = [sys.executable, "-c", program, str(path)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "Permission denied" in said


class Failing:
    """A file whose first reads fail, as on a network share."""

    def __init__(self, stream, failures, code):
        self._stream, self._failures, self._code = stream, failures, code

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stream.close()

    def __getattr__(self, name):
        return getattr(self._stream, name)

    def read(self, size):
        if self._failures:
            self._failures.pop()
            raise OSError(self._code, os.strerror(self._code))
        return self._stream.read(size)


@pytest.mark.parametrize(
    ("code", "times", "attempts"),
    [(errno.EIO, 2, 3), (errno.ESTALE, 1, 2), (errno.EIO, 9, 3), (errno.EBADF, 9, 1)],
)
def test_case_37_input_errors_are_retried_twice(
    tmp_path, monkeypatch, caplog, code, times, attempts
):
    path, failures = write_mrc(tmp_path / "m.mrc"), list(range(times))
    opened = mrc.open_bytes
    monkeypatch.setattr(streams, "_PAUSES", (0.0, 0.0))
    monkeypatch.setattr(mrc, "open_bytes", lambda path: Failing(path.open("rb"), failures, code))
    caplog.set_level(logging.WARNING)
    if times < attempts:
        np.testing.assert_array_equal(read_micrograph(path).image, pixels())
    else:
        reason = refused(path, header_shows=False)
        assert reason == f"cannot be read as MRC: {os.strerror(code)}"
    assert times - len(failures) == min(times, attempts)
    assert caplog.text.count("trying again") == attempts - 1
    assert opened is streams.open_bytes
