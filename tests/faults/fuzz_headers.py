"""Damage the header of an MRC file at random: ``python fuzz_headers.py FOLDER COUNT SEED``.

A process of its own, with little memory beyond what the libraries take, so that a crash, a hang
or a large allocation shows. Prints a JSON object of what was seen.
"""

import json
import resource
import struct
import sys
import time
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from deepcryopicker.errors import MicrographError
from deepcryopicker.io.images.reader import read_micrograph

MEMORY, SECONDS = 300 * 2**20, 2.0  # of which hypothesis keeps the larger part
SHAPE = (48, 64)
PIXELS = np.random.default_rng(0).normal(100, 10, SHAPE).astype("<f4")
# Bytes that say where and what the pixels are: size, mode, extended header, IMOD's flags, stamp.
DECISIVE = {*range(16), *range(92, 96), *range(152, 160), 212}

a_byte = st.tuples(st.integers(0, 1023), st.binary(min_size=1, max_size=1))
a_number = st.tuples(
    st.integers(0, 255).map(lambda word: 4 * word),
    st.integers(-(2**31), 2**31 - 1).map(lambda number: struct.pack("<i", number)),
)
a_size = st.tuples(
    st.sampled_from([0, 4, 8, 12, 92]),
    st.integers(-3, 70000).map(lambda number: struct.pack("<i", number)),
)
damages = st.lists(st.one_of(a_byte, a_number, a_size), min_size=1, max_size=24)


def whole_header():
    height, width = SHAPE
    header = bytearray(1024)
    struct.pack_into("<10i", header, 0, width, height, 1, 2, 0, 0, 0, width, height, 1)
    struct.pack_into("<3f", header, 40, width, height, 1)
    struct.pack_into("4s4s", header, 208, b"MAP ", b"\x44\x44\0\0")
    return header


def peak():
    """Largest resident memory so far, MB; it grows within a read only by what that takes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(folder, count, number):
    seen = {"read": 0, "refused": 0, "reasons": {}, "slowest": 0.0, "megabytes": 0.0}
    path = folder / "m.mrc"

    @seed(number)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(damages)
    def read(changes):
        header = whole_header()
        for offset, new in changes:
            header[offset : offset + len(new)] = new
        path.write_bytes(bytes(header[:1024]) + PIXELS.tobytes())
        before = peak()
        start = time.process_time()
        try:
            image = read_micrograph(path).image
        except MicrographError as error:
            reason = str(error)
            assert "\n" not in reason
            seen["refused"] += 1
            kind = " ".join(word for word in reason.split() if word.isalpha())[:40]
            seen["reasons"][kind] = seen["reasons"].get(kind, 0) + 1
        else:
            touched = {offset + i for offset, new in changes for i in range(len(new))}
            if not touched & DECISIVE:
                np.testing.assert_array_equal(image, PIXELS)
            assert 0 < image.size <= 4 * PIXELS.size
            assert np.isfinite(image).all()
            seen["read"] += 1
        seen["slowest"] = max(seen["slowest"], time.process_time() - start)
        assert seen["slowest"] < SECONDS
        seen["megabytes"] = max(seen["megabytes"], round(peak() - before, 1))

    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    start = time.process_time()
    read()
    seen["seconds"] = round(time.process_time() - start, 1)
    sys.stdout.write(json.dumps(seen))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
