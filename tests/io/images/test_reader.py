"""Every format gives the same pixels at the same places, and bad files give one line."""

import contextlib
import os
import struct
import warnings

import mrcfile
import numpy as np
import pytest
import tifffile
from PIL import Image

from deepcryopicker.errors import MicrographError, UsageError
from deepcryopicker.io.files import checks
from deepcryopicker.io.images.reader import EXTENSIONS, micrograph_shape, read_micrograph

SHAPES = [(40, 40), (40, 56), (56, 40)]


def marks(shape):
    """Return (x, y, value): one distinct mark near each corner, at four different insets."""
    height, width = shape
    return [
        (2, 3, 60),
        (width - 5, 4, 80),
        (6, height - 8, 100),
        (width - 9, height - 7, 120),
    ]


def marked(shape, dtype):
    image = np.full(shape, 20, dtype)
    for x, y, value in marks(shape):
        image[y, x] = value
    return image


def write_mrc(path, data):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of NaN
        mrcfile.write(path, data, overwrite=True)
    return path


def patched(path, offset, form, *values):
    """Overwrite header bytes."""
    raw = bytearray(path.read_bytes())
    struct.pack_into(form, raw, offset, *values)
    path.write_bytes(raw)
    return path


def assert_marks(path, shape):
    micrograph = read_micrograph(path)
    assert micrograph.image.shape == shape == micrograph_shape(path)
    assert micrograph.image.dtype == np.float32
    expected = np.full(shape, 20, np.float32)
    for x, y, value in marks(shape):
        assert micrograph.image[y, x] == value
        expected[y, x] = value
    np.testing.assert_array_equal(micrograph.image, expected)
    assert micrograph.image.flags.writeable


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", ["int8", "int16", "float32", "uint16", "float16"])
def test_mrc_modes(tmp_path, shape, dtype):
    path = write_mrc(tmp_path / "m.mrc", marked(shape, dtype))
    modes = {"int8": 0, "int16": 1, "float32": 2, "uint16": 6, "float16": 12}
    assert struct.unpack_from("<i", path.read_bytes(), 12) == (modes[dtype],)
    assert_marks(path, shape)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("suffix", ["png", "tif", "TIFF"])
def test_grey_pictures(tmp_path, shape, dtype, suffix):
    path = tmp_path / f"m.{suffix}"
    if suffix == "png":
        Image.fromarray(marked(shape, dtype)).save(path)
    else:
        tifffile.imwrite(path, marked(shape, dtype))
    assert_marks(path, shape)


def test_16_bit_values_are_not_squeezed_into_8(tmp_path):
    data = np.array([[0, 300], [40000, 65535]], np.uint16)
    Image.fromarray(data).save(tmp_path / "m.png")
    tifffile.imwrite(tmp_path / "m.tif", data)
    for name in ("m.png", "m.tif"):
        np.testing.assert_array_equal(read_micrograph(tmp_path / name).image, data)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA", "P", "P+alpha"])
def test_colour_pictures_become_grey(tmp_path, shape, mode):
    picture = Image.fromarray(marked(shape, np.uint8)).convert(mode.removesuffix("+alpha"))
    extra = {"transparency": bytes(range(256))} if mode.endswith("alpha") else {}
    picture.save(tmp_path / "m.png", **extra)
    np.testing.assert_allclose(
        read_micrograph(tmp_path / "m.png").image, marked(shape, np.float32), atol=1e-4
    )


def test_colours_have_weights(tmp_path):
    data = np.zeros((4, 6, 3), np.uint8)
    data[0, 0, 0], data[0, 1, 1], data[0, 2, 2] = 100, 100, 100
    Image.fromarray(data).save(tmp_path / "m.png")
    tifffile.imwrite(tmp_path / "m.tif", data, photometric="rgb")
    for name in ("m.png", "m.tif"):
        image = read_micrograph(tmp_path / name).image
        np.testing.assert_allclose(image[0, :4], [29.9, 58.7, 11.4, 0], rtol=1e-5)


@pytest.mark.parametrize("shape", SHAPES)
def test_jpg_marks(tmp_path, shape):
    image = np.repeat(np.repeat(marked(shape, np.uint8), 8, 0), 8, 1)
    Image.fromarray(image).save(tmp_path / "m.jpg", quality=95)
    found = read_micrograph(tmp_path / "m.jpg").image
    for x, y, value in marks(shape):
        assert found[8 * y : 8 * y + 8, 8 * x : 8 * x + 8].mean() == pytest.approx(value, abs=2)
    np.testing.assert_allclose(found, image, atol=20)


def test_name_pixel_size_and_polarity(tmp_path):
    path = tmp_path / "grid 1.mrc"
    mrcfile.write(path, marked((8, 16), np.float32), voxel_size=1.25)
    read = read_micrograph(path)
    assert (read.name, read.path, read.scale) == ("grid 1", path, 1.0)
    assert read.pixel_size == pytest.approx(1.25)
    bright = read_micrograph(path, name="a/b", pixel_size=3.0, polarity="bright")
    assert (bright.name, bright.pixel_size) == ("a/b", 3.0)
    np.testing.assert_array_equal(bright.image, -read.image)
    with pytest.raises(UsageError, match=r"no polarity called 'brigth'\. Did you mean bright"):
        read_micrograph(path, polarity="brigth")


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        (0.0, None),
        (np.nan, None),
        (-8.0, None),
        (8.0, 0.5),
        (20.0, 1.25),
        (16.0, None),  # 1.0, as programs write that do not know it
        (16.00001, None),
        (16.8, pytest.approx(1.05)),
        (16e-10, None),  # metres
        (16e4, None),
    ],
)
def test_pixel_size_of_the_header(tmp_path, length, expected):
    path = write_mrc(tmp_path / "m.mrc", np.zeros((8, 16), np.float32))
    assert read_micrograph(patched(path, 40, "<f", length)).pixel_size == expected
    assert read_micrograph(patched(path, 28, "<i", 0)).pixel_size is None


def test_single_frame_stack_is_a_micrograph(tmp_path):
    write_mrc(tmp_path / "m.mrcs", marked((40, 56), np.float32)[None])
    assert_marks(tmp_path / "m.mrcs", (40, 56))


@pytest.mark.parametrize(
    "stamp", [b"\0\0\0\0", b"\x44\0\0\0", b"\x44\x20\x20\x20", b"\x11\x11\0\0"]
)
@pytest.mark.parametrize("map_string", [b"MAP ", b"\0\0\0\0"])
def test_odd_headers_are_read(tmp_path, stamp, map_string):
    path = write_mrc(tmp_path / "m.mrc", marked((40, 56), np.float32))
    patched(path, 208, "4s4s", map_string, stamp)
    assert_marks(path, (40, 56))


def test_big_endian_extended_header_and_trailing_bytes(tmp_path):
    with mrcfile.new(tmp_path / "m.mrc") as file:
        file.set_data(marked((40, 56), ">i2"))
        file.set_extended_header(np.zeros(100, "V1"))
    with (tmp_path / "m.mrc").open("ab") as stream:
        stream.write(b"\1" * 333)
    assert_marks(tmp_path / "m.mrc", (40, 56))


def test_unsigned_bytes_of_old_imod(tmp_path):
    path = write_mrc(tmp_path / "m.mrc", np.array([[-56, 5], [6, 7]], np.int8))
    assert read_micrograph(path).image[0, 0] == -56
    patched(path, 152, "<2i", 1146047817, 0)
    assert read_micrograph(path).image[0, 0] == 200
    patched(path, 152, "<2i", 1146047817, 1)
    assert read_micrograph(path).image[0, 0] == -56


HEADER_FAULTS = {
    "negative width": (0, "<i", -40, "negative dimension in header"),
    "negative frames": (8, "<i", -1, "negative dimension in header"),
    "negative nsymbt": (92, "<i", -4, "negative dimension in header"),
    "zero width": (0, "<i", 0, "image has no pixels"),
    "zero frames": (8, "<i", 0, "image has no pixels"),
    "stack": (8, "<i", 40, "stack of 40 images: not a micrograph; run motion correction first"),
    "huge": (0, "<2i", (60000, 60000), "60000 x 60000 pixels: more than the limit of 268435456"),
    "nsymbt": (92, "<i", 2_000_000_000, "header promises 2000000000 bytes of extended header"),
    "complex 3": (12, "<i", 3, "complex"),
    "complex 4": (12, "<i", 4, "complex"),
    "4 bit": (12, "<i", 101, "4-bit MRC"),
    "unknown mode": (12, "<i", 1937006958, "MRC mode 1937006958 unknown"),
}


def refused(path, *, both=True):
    """Return the one-line reason; the shape is refused as well if the header suffices."""
    with pytest.raises(MicrographError) as error:
        read_micrograph(path)
    if both:
        with pytest.raises(MicrographError):
            micrograph_shape(path)
    reason = str(error.value)
    assert "\n" not in reason
    assert str(path) not in reason
    return reason


@pytest.mark.parametrize("fault", HEADER_FAULTS)
def test_faulty_mrc_headers(tmp_path, fault):
    offset, form, values, reason = HEADER_FAULTS[fault]
    path = write_mrc(tmp_path / "m.mrc", marked((40, 56), np.float32))
    patched(path, offset, form, *np.atleast_1d(values).tolist())
    assert reason in refused(path)


def test_truncated_mrc(tmp_path):
    path = write_mrc(tmp_path / "m.mrc", marked((40, 56), np.float32))
    whole = path.read_bytes()
    path.write_bytes(whole[:5000])
    assert refused(path) == f"truncated: header promises {len(whole)} bytes, file has 5000"
    path.write_bytes(whole[:500])
    assert refused(path) == "truncated header (500 of 1024 bytes)"
    path.write_bytes(b"")
    assert refused(path) == "empty file"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF"])
def test_pictures_named_mrc(tmp_path, kind):
    Image.fromarray(marked((40, 56), np.uint8)).save(tmp_path / "m.mrc", format=kind)
    assert refused(tmp_path / "m.mrc") == f"this is a {kind} file, not an MRC file"


def test_text_named_mrc(tmp_path):
    (tmp_path / "m.mrc").write_text("not an image " * 200)
    assert "unknown (not an MRC file?)" in refused(tmp_path / "m.mrc")


def test_any_damaged_header_byte_is_read_or_refused(tmp_path):
    path = write_mrc(tmp_path / "m.mrc", marked((12, 16), np.float32))
    whole, rng = path.read_bytes(), np.random.default_rng(0)
    for offset in [*range(0, 96), *range(152, 160), *range(196, 220)]:
        raw = bytearray(whole)
        raw[offset] = rng.integers(256)
        path.write_bytes(raw)
        with contextlib.suppress(MicrographError):  # anything else is a bug
            assert read_micrograph(path).image.size <= 12 * 16


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif"])
def test_truncated_pictures(tmp_path, suffix):
    path = tmp_path / f"m.{suffix}"
    noise = np.random.default_rng(0).integers(0, 255, (40, 56), np.uint8)
    Image.fromarray(noise).save(path)
    whole = path.read_bytes()
    for length in range(64, len(whole) - 64, 128):
        path.write_bytes(whole[:length])
        refused(path, both=False)


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif"])
def test_garbage_and_empty_pictures(tmp_path, suffix):
    path = tmp_path / f"m.{suffix}"
    path.write_bytes(b"")
    assert refused(path) == "empty file"
    path.write_bytes(b"garbage" * 300)
    refused(path)


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "mrc"])
@pytest.mark.parametrize("limit", [300, 2000])
def test_pixel_limit_is_checked_before_decoding(tmp_path, monkeypatch, suffix, limit):
    path = tmp_path / f"m.{suffix}"
    image = marked((40, 56), np.uint8)
    write_mrc(path, image.astype(np.int8)) if suffix == "mrc" else Image.fromarray(image).save(path)
    monkeypatch.setattr(checks, "MAX_PIXELS", limit)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)  # Pillow warns at it, fails at twice
    assert "limit" in refused(path)


def test_stacks_of_pages(tmp_path):
    pages = np.zeros((7, 40, 56), np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", pages)
    tifffile.imwrite(tmp_path / "b.tif", pages, imagej=True)
    frames = [Image.fromarray(page + i) for i, page in enumerate(pages)]
    frames[0].save(tmp_path / "c.png", save_all=True, append_images=frames[1:])
    for name in ("a.tif", "b.tif", "c.png"):
        assert refused(tmp_path / name).startswith("stack of 7 images: not a micrograph")


def test_few_nan_pixels_are_mended_and_many_refused(tmp_path, caplog):
    image = np.random.default_rng(0).normal(5, 1, (40, 50)).astype(np.float32)
    expected = np.median(image.ravel()[19:])
    image.ravel()[:19] = [np.nan, np.inf, -np.inf, *[np.nan] * 16]
    mended = read_micrograph(write_mrc(tmp_path / "m.mrc", image)).image
    assert mended.ravel()[:19] == pytest.approx(expected)
    np.testing.assert_array_equal(mended.ravel()[19:], image.ravel()[19:])
    assert "19 NaN or infinite pixels" in caplog.text
    image.ravel()[19] = np.nan
    reason = refused(write_mrc(tmp_path / "m.mrc", image), both=False)
    assert reason == "20 of 2000 pixels are NaN or infinite"


def test_doubles_that_no_float_holds(tmp_path):
    tifffile.imwrite(tmp_path / "m.tif", np.full((8, 8), 1e300))
    assert "64 of 64 pixels" in refused(tmp_path / "m.tif", both=False)


@pytest.mark.parametrize("suffix", ["mrc", "png", "tif"])
def test_other_than_regular_files_are_refused(tmp_path, suffix):
    assert "No such file" in refused(tmp_path / f"missing.{suffix}")
    (tmp_path / f"d.{suffix}").mkdir()
    assert refused(tmp_path / f"d.{suffix}") == "is a folder, not a file"
    os.mkfifo(tmp_path / f"f.{suffix}")
    assert refused(tmp_path / f"f.{suffix}") == "not a regular file"


def test_other_formats_are_named(tmp_path):
    packed = {f".{mrc}.{packed}" for mrc in ("mrc", "mrcs") for packed in ("gz", "bz2")}
    assert {".mrc", ".mrcs", ".png", ".jpg", ".jpeg", ".tif", ".tiff"} | packed == EXTENSIONS
    (tmp_path / "m.spi").write_bytes(b"x")
    assert refused(tmp_path / "m.spi").startswith("no reader for '.spi' files; convert to one of")


@pytest.mark.parametrize("order", ["<", ">"])
def test_every_16_bit_float_is_read_exactly(tmp_path, order):
    every = np.arange(65536, dtype=np.uint16).view(np.float16).reshape(256, 256)
    every = np.where(np.isfinite(every), every, 0)
    with mrcfile.new(tmp_path / "half.mrc") as file:
        file.set_data(every.astype(np.dtype(np.float16).newbyteorder(order)))
    image = read_micrograph(tmp_path / "half.mrc").image
    np.testing.assert_array_equal(image, every.astype(np.float32))
