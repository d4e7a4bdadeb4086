"""Atomic models, PDB or mmCIF: their electrostatic potential from electron form factors."""

from collections.abc import Sequence
from pathlib import Path

import gemmi
import numpy as np
from scipy import fft, ndimage

from deepcryopicker.dataset.structures.potential import (
    FORM_FACTOR_TO_POTENTIAL,
    ICE_POTENTIAL,
    Structure,
    extent,
)
from deepcryopicker.errors import UsageError
from deepcryopicker.io.files.checks import file_size, one_line
from deepcryopicker.types import Floats, Image

MAX_BYTES = 2**30
MAX_ATOMS = 10_000_000
"""Of the assembly; a virus of 4 million atoms is far below."""
MAX_EXTENT = 3000.0  # Angstrom
_MARGIN = 10.0  # Angstrom, around the outermost atoms
_BLUR = 0.5  # standard deviation of the smoothing, voxels

_VOLUMES = {"H": 5.15, "C": 16.44, "N": 2.49, "O": 9.13, "P": 5.73, "S": 19.86}
"""Volume that an atom displaces, cubic Angstrom (Fraser et al. 1978, J. Appl. Cryst. 11:693)."""
_OTHER_VOLUME = 10.0
_HYDROGENS_PER_CARBON = 1.57
"""In protein; for models without hydrogens, which are most."""


def read_atomic_model(path: Path, voxel: float) -> Structure:
    """Read a model and sample its potential above that of the ice it displaces.

    The first biological assembly if the file describes one, else the first model; without waters.
    Hydrogens that are not in the file are added to the carbons in proportion.

    Parameters
    ----------
    path : Path
        PDB or mmCIF, also compressed (``.gz``).
    voxel : float
        Angstrom; detail below two voxels is smoothed away.

    Raises
    ------
    UsageError
        The file is not a model, is empty, or is larger than any particle.
    """
    model = _assembly(_read(path), path)
    atoms = [one.atom for one in model.all()]
    if not 0 < len(atoms) <= MAX_ATOMS:
        raise UsageError(f"{path}: {len(atoms)} atoms; a structure has 1 to {MAX_ATOMS}")
    places = np.array([atom.pos.tolist() for atom in atoms])
    masses = np.array([atom.element.weight * atom.occ for atom in atoms])
    if not np.isfinite(places).all() or not np.isfinite(masses).all() or masses.sum() <= 0:
        raise UsageError(f"{path}: a position or an occupancy is not a number")
    length = extent(places)
    if length > MAX_EXTENT:
        raise UsageError(f"{path}: {length:.0f} Angstrom long; the limit is {MAX_EXTENT:.0f}")
    centre = masses @ places / masses.sum()
    radius = np.linalg.norm(places - centre, axis=1).max() + _MARGIN
    side = fft.next_fast_len(2 * int(np.ceil(radius / voxel)), real=True)
    places += side // 2 * voxel - centre
    bonded = 0.0 if any(atom.is_hydrogen() for atom in atoms) else _HYDROGENS_PER_CARBON
    carbons = sum(atom.occ for atom in atoms if atom.element.name == "C")
    mass = float(masses.sum() + bonded * carbons * gemmi.Element("H").weight)
    excess = _potential(model, places, bonded, side, voxel)
    excess -= ICE_POTENTIAL * _displaced(atoms, places, bonded, side, voxel)
    return Structure(excess, voxel, mass, length)


def _read(path: Path) -> gemmi.Structure:
    """Read a file of limited size."""
    if file_size(path) > MAX_BYTES:
        raise UsageError(f"{path}: larger than {MAX_BYTES} bytes: not the model of a particle")
    try:
        return gemmi.read_structure(str(path))
    except (RuntimeError, ValueError, OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not a PDB or mmCIF model: {one_line(error)}") from error


def _assembly(structure: gemmi.Structure, path: Path) -> gemmi.Model:
    """Return the first assembly, or the first model if none is described."""
    if len(structure) == 0:
        raise UsageError(f"{path}: no atoms: not a PDB or mmCIF model")
    structure.remove_waters()
    structure.remove_empty_chains()
    model = structure[0]
    if not structure.assemblies:
        return model
    copies = sum(len(generator.operators) for generator in structure.assemblies[0].generators)
    if copies * model.count_atom_sites() > MAX_ATOMS:
        raise UsageError(f"{path}: its assembly has more than {MAX_ATOMS} atoms")
    keep = gemmi.HowToNameCopiedChain.Dup
    return gemmi.make_assembly(structure.assemblies[0], model, keep)


def _potential(model: gemmi.Model, places: Floats, bonded: float, side: int, voxel: float) -> Image:
    """Sample the potential of the atoms in vacuum, volt, (side, side, side), axes z, y, x.

    `bonded` hydrogens scatter together with each carbon.
    """
    at_zero = {name: _at_zero(gemmi.Element(name)) for name in ("C", "H")}
    factor = 1 + bonded * at_zero["H"] / at_zero["C"]
    for one, place in zip(model.all(), places, strict=True):
        one.atom.pos = gemmi.Position(*place)
        one.atom.b_iso, one.atom.aniso = 0.0, gemmi.SMat33f(0, 0, 0, 0, 0, 0)
        if one.atom.element.name == "C":
            one.atom.occ *= factor
    calculator = gemmi.DensityCalculatorE()
    length = side * voxel
    calculator.d_min = 2 * voxel
    calculator.blur = 8 * np.pi**2 * (_BLUR * voxel) ** 2
    calculator.grid.set_unit_cell(gemmi.UnitCell(length, length, length, 90, 90, 90))
    calculator.grid.spacegroup = gemmi.SpaceGroup("P 1")
    calculator.grid.set_size(side, side, side)
    calculator.add_model_density_to_grid(model)
    density = np.array(calculator.grid, copy=True)  # axes x, y, z
    return np.ascontiguousarray(density.T) * np.float32(FORM_FACTOR_TO_POTENTIAL)


def _displaced(
    atoms: Sequence[gemmi.Atom], places: Floats, bonded: float, side: int, voxel: float
) -> Image:
    """Return the fraction of every voxel from which the atoms displace ice."""
    volumes = dict(_VOLUMES)
    volumes["C"] += bonded * volumes["H"]
    volume = [volumes.get(atom.element.name, _OTHER_VOLUME) for atom in atoms]
    z, y, x = np.rint(places.T[::-1] / voxel).astype(np.intp)
    flat = np.bincount((z * side + y) * side + x, volume, side**3)
    share = flat.reshape(side, side, side) / voxel**3
    return np.asarray(ndimage.gaussian_filter(share, _BLUR), np.float32)


def _at_zero(element: gemmi.Element) -> float:
    """Return the electron form factor at zero angle, Angstrom."""
    return float(element.c4322.calculate_sf(0.0))
