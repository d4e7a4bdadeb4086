"""What picking leaves for RELION, written at once: for tests that need such a folder."""

from deepcryopicker.io.star.optics_groups import placeholder
from deepcryopicker.io.star.relion_folder import (
    Located,
    refuse_shared_files,
    write_coordinates,
    write_lists,
)


def write_relion_folder(folder, named, pixel_size):
    """Write what picking writes, for micrographs given as (path, height, picks)."""
    refuse_shared_files(folder, [path for path, _, _ in named])
    for path, height, picks in named:
        write_coordinates(folder, path, height, picks)
    optics = placeholder(pixel_size)
    write_lists(folder, [Located(path, h, optics, lambda p=picks: p) for path, h, picks in named])
