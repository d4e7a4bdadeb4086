"""Open the structure of a particle, whatever its format."""

from pathlib import Path

from deepcryopicker.dataset.structures.given_structures import is_model, require_structure
from deepcryopicker.dataset.structures.potential import Structure


def open_structure(path: Path, voxel: float, length: float | None = None) -> Structure:
    """Read an atomic model (PDB, mmCIF) or a density map (MRC).

    Parameters
    ----------
    path : Path
        Also compressed, ``.gz`` or ``.bz2``.
    voxel : float
        Angstrom, of the result.
    length : float, optional
        Largest extent of the particle, Angstrom, for maps without a voxel size.

    Raises
    ------
    UsageError
        No such file, another format, or a damaged one.
    """
    require_structure(path)
    # Imported on demand: maps do not need gemmi, nor models mrcfile.
    if is_model(path):
        from deepcryopicker.dataset.structures.atomic_models import read_atomic_model

        return read_atomic_model(path, voxel)
    from deepcryopicker.dataset.structures.density_maps import read_density_map

    return read_density_map(path, voxel, length=length)
