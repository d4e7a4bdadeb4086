"""Files to damage, and what readers say of them."""

import struct

import numpy as np
import pytest

from deepcryopicker.errors import MicrographError, UsageError
from deepcryopicker.io.images.reader import micrograph_shape, read_micrograph

SHAPE = (48, 64)


def pixels(shape=SHAPE, seed=0):
    return np.random.default_rng(seed).normal(100, 10, shape).astype(np.float32)


def mrc_bytes(data=None, order="<", mode=2, **fields):
    """Bytes of an MRC file; `fields` are offsets in the header by name, and their values."""
    data = pixels() if data is None else data
    height, width = data.shape
    header = bytearray(1024)
    struct.pack_into(f"{order}10i", header, 0, width, height, 1, mode, 0, 0, 0, width, height, 1)
    struct.pack_into(f"{order}3f", header, 40, 1.5 * width, 1.5 * height, 1.5)
    struct.pack_into("4s4s", header, 208, b"MAP ", b"\x44\x44\0\0" if order == "<" else b"\x11\x11")
    for offset, form, values in fields.values():
        struct.pack_into(f"{order}{form}", header, offset, *values)
    return bytes(header) + data.astype(data.dtype.newbyteorder(order)).tobytes()


def write_mrc(path, data=None, **fields):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(mrc_bytes(data, **fields))
    return path


def attempt(read, path):
    """Return what is read and no reason, or nothing and the reason."""
    try:
        return read(path), ""
    except (MicrographError, UsageError) as error:
        return None, str(error)


def refused(path, header_shows=True):
    """Return the reason, one line without the file's name; the header alone gives one too."""
    with pytest.raises(MicrographError) as error:
        read_micrograph(path)
    if header_shows:
        with pytest.raises(MicrographError):
            micrograph_shape(path)
    reason = str(error.value)
    assert "\n" not in reason
    assert str(path) not in reason
    return reason
