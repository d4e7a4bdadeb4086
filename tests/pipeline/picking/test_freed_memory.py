"""Freed memory is kept: the pages of large arrays are mapped once, not for every array."""

import subprocess
import sys

ARRAYS = 20
PROGRAM = f"""
import resource
import numpy as np
from deepcryopicker.pipeline.picking.freed_memory import keep_freed_memory

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

keep_freed_memory()
np.ones(2**23, np.float32)
before = faults()
for _ in range({ARRAYS}):
    np.ones(2**23, np.float32)
print(faults() - before)
"""


def test_an_array_takes_the_place_of_one_that_was_freed():
    answer = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    # Even huge pages of 2 MB would be 32 faults for each array.
    assert int(answer.stdout) < ARRAYS
