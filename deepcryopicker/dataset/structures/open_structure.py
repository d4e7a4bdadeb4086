"""Open the structure of a particle, whatever its format."""

from pathlib import Path

from deepcryopicker.dataset.structures import density_maps
from deepcryopicker.dataset.structures.potential import Structure
from deepcryopicker.errors import UsageError

ATOMIC = frozenset({".pdb", ".ent", ".cif", ".mmcif"})


def open_structure(path: Path, voxel: float, length: float | None = None) -> Structure:
    """Read an atomic model (PDB, mmCIF) or a density map (MRC).

    Parameters
    ----------
    path : Path
        Also compressed, ``.gz``.
    voxel : float
        Angstrom, of the result.
    length : float, optional
        Largest extent of the particle, Angstrom, for maps without a voxel size.

    Raises
    ------
    UsageError
        No such file, another format, or a damaged one.
    """
    suffix = "".join(path.suffixes[-2:]).lower() if path.suffix == ".gz" else path.suffix.lower()
    if not path.is_file():
        raise UsageError(f"dataset.structure: there is no file {path}")
    if suffix.removesuffix(".gz") in ATOMIC:
        # Imported on demand: maps do not need gemmi.
        from deepcryopicker.dataset.structures.atomic_models import read_atomic_model

        return read_atomic_model(path, voxel)
    if suffix in density_maps.SUFFIXES:
        return density_maps.read_density_map(path, voxel, length=length)
    raise UsageError(
        f"dataset.structure: {path} is neither a model (.pdb, .cif) nor a map (.mrc, .map)"
    )
