"""Atomic models, PDB or mmCIF: their electrostatic potential from electron form factors."""

import re
from pathlib import Path

import gemmi
import numpy as np
import numpy.typing as npt
from scipy import ndimage

from deepcryopicker.dataset.structures.given_structures import PDB, bare_suffix
from deepcryopicker.dataset.structures.potential import (
    FORM_FACTOR_TO_POTENTIAL,
    ICE_POTENTIAL,
    Structure,
    cube_side,
    extent,
)
from deepcryopicker.errors import MicrographError, UsageError
from deepcryopicker.io.files.checks import file_size, one_line
from deepcryopicker.io.images.streams import open_bytes
from deepcryopicker.types import Floats, Image

MAX_BYTES = 2**28
"""Of the text, decompressed; the largest entry of the PDB, of 2.4 million atoms, fits."""
MAX_ATOMS = 4_000_000
"""Of the assembly."""
MAX_COPIES = 10_000
"""Operators of the assembly: a virus has 60 to some hundred."""
MAX_EXTENT = 3000.0  # Angstrom
LEAST_MASS = 1000.0  # dalton
_TRACE = 0.9
"""Share of atoms called CA or P from which on a model is a trace of its chains."""
_MARGIN = 5.0  # Angstrom, beyond the centres of the outermost atoms

_BLUR = 0.5  # standard deviation of the smoothing, voxels
_BLUR_OF_BINNED = np.sqrt(_BLUR**2 - 1 / 12)
"""The same after each atom has been moved to the nearest voxel, which has a variance of 1/12."""

_VOLUMES = {"H": 5.15, "C": 16.44, "N": 2.49, "O": 9.13, "P": 5.73, "S": 19.86}
"""Volume that an atom displaces, cubic Angstrom (Fraser et al. 1978, J. Appl. Cryst. 11:693)."""
_OTHER_VOLUME = 10.0
_HYDROGENS_PER_CARBON = 1.57
"""In protein; most models have none, and some only those of their ligands."""

_RANGE = re.compile(r"(\d{1,12})-(\d{1,12})")


def read_atomic_model(path: Path, voxel: float) -> Structure:
    """Read a model and sample its potential above that of the ice it displaces.

    The first biological assembly if the file describes one, else the first model; without waters.
    The potential is the sum of those of isolated atoms, from electron form factors (International
    Tables C, table 4.3.2.2), each multiplied by its occupancy; displacement factors are ignored,
    since some programs store other numbers in their place. Hydrogens that the file lacks are added
    to the carbons.

    Parameters
    ----------
    path : Path
        PDB or mmCIF, also compressed (``.gz``, ``.bz2``).
    voxel : float
        Angstrom; detail below two voxels is smoothed away.

    Raises
    ------
    UsageError
        The file is not a model, or is smaller or larger than any particle.
    """
    whole = gemmi.Structure()
    whole.add_model(_assembly(_parsed(path), path))
    model, atoms = whole[0], gemmi.FlatStructure(whole)
    places, occupancy = np.array(atoms.pos), _occupancies(atoms, path)
    masses = np.asarray(atoms.element_weights) * occupancy
    _check(path, places, masses, np.asarray(atoms.atom_names))
    centre = masses @ places / masses.sum()
    length = extent(places)
    if length > MAX_EXTENT:
        raise UsageError(f"{path}: {length:.3g} Angstrom long; the limit is {MAX_EXTENT:.0f}")
    radius = float(np.linalg.norm(places - centre, axis=1).max()) + _MARGIN
    side = cube_side(path, radius, voxel)
    origin = side // 2 * voxel - centre
    index = np.rint((places + origin) / voxel).astype(np.intp)
    flat = (index[:, 2] * side + index[:, 1]) * side + index[:, 0]
    elements = np.asarray(atoms.elements)
    hydrogens = _lacking_hydrogens(elements, occupancy)
    excess = _vacuum(model, origin, occupancy, side, voxel)
    beside = FORM_FACTOR_TO_POTENTIAL * _at_zero("H") * hydrogens
    beside -= ICE_POTENTIAL * occupancy * _volumes(elements)
    beside -= ICE_POTENTIAL * _VOLUMES["H"] * hydrogens
    share = np.bincount(flat, beside / voxel**3, side**3).reshape(side, side, side)
    excess += ndimage.gaussian_filter(share, _BLUR_OF_BINNED)
    mass = masses.sum() + hydrogens.sum() * gemmi.Element("H").weight
    return Structure(excess, voxel, float(mass), length)


def _check(path: Path, places: Floats, masses: Floats, names: npt.NDArray) -> None:
    """Refuse what cannot be a particle; `names` of atoms are rows of bytes."""
    if not np.isfinite(places).all():
        raise UsageError(f"{path}: a coordinate is not a number")
    if masses.sum() < LEAST_MASS:
        raise UsageError(
            f"{path}: {len(masses)} atoms, {masses.sum():.0f} dalton without hydrogens that are "
            f"not in the file; a particle has at least {LEAST_MASS:.0f}"
        )
    traces = [np.frombuffer(name, np.uint8) for name in (b"CA\0", b"P\0\0")]
    if any((names[:, :3] == trace).all(axis=1).mean() > _TRACE for trace in traces):
        raise UsageError(f"{path}: one atom for each residue; the whole model is needed")


def _parsed(path: Path) -> gemmi.Structure:
    """Read a file of limited size."""
    text = _text(path)
    try:
        if bare_suffix(path) in PDB:
            return gemmi.read_pdb_string(text)
        document = gemmi.cif.read_string(text)
        del text
        for block in document:
            if block.find_values("_atom_site.Cartn_x"):
                _check_copies(block, path)
                return gemmi.make_structure_from_block(block)
    # The parser raises several types on damaged files.
    except (RuntimeError, ValueError, IndexError, OverflowError, MemoryError) as error:
        raise UsageError(f"{path}: not a PDB or mmCIF model: {one_line(error)}") from error
    raise UsageError(f"{path}: no atoms: not an mmCIF model")


def _text(path: Path) -> bytes:
    """Read the file, decompressed, but no more than `MAX_BYTES`."""
    try:
        size = file_size(path)
        with open_bytes(path) as stream:
            text = stream.read(MAX_BYTES + 1) if size <= MAX_BYTES else b""
    except (MicrographError, OSError) as error:
        reason = f"cannot be read: {error.strerror}" if isinstance(error, OSError) else error
        raise UsageError(f"{path}: {reason}") from error
    if not text or len(text) > MAX_BYTES:
        raise UsageError(f"{path}: more than {MAX_BYTES >> 20} MB: not the model of a particle")
    return text


def _check_copies(block: gemmi.cif.Block, path: Path) -> None:
    """Refuse an assembly of too many copies, such as ``1-99999``, before they are listed.

    Also products of operators, such as ``(1-60)(P)``: the parser uses only their first factor.
    """
    rows = block.find("_pdbx_struct_assembly_gen.", ["assembly_id", "oper_expression"])
    for name, expression in ((row.str(0), row.str(1)) for row in rows):
        ranges = _RANGE.findall(expression)
        _refuse_copies(
            expression.count(",") + 1 + sum(abs(int(b) - int(a)) for a, b in ranges), path
        )
        if ")(" in expression.replace(" ", "") and name == rows[0].str(0):
            raise UsageError(
                f"{path}: its assembly is a product of operators, {expression[:40]}\n"
                "give the file of the assembly itself"
            )


def _refuse_copies(copies: int, path: Path) -> None:
    if copies > MAX_COPIES:
        raise UsageError(f"{path}: its assembly has {copies} copies; the limit is {MAX_COPIES}")


def _assembly(structure: gemmi.Structure, path: Path) -> gemmi.Model:
    """Return the first assembly, or the first model if none is described."""
    if len(structure) == 0:
        raise UsageError(f"{path}: no atoms: not a PDB or mmCIF model")
    structure.remove_waters()
    structure.remove_empty_chains()
    model = structure[0]
    atoms, copies = model.count_atom_sites(), 1
    if structure.assemblies:
        generators = structure.assemblies[0].generators
        copies = max(1, sum(len(generator.operators) for generator in generators))
    _refuse_copies(copies, path)
    if not 0 < atoms * copies <= MAX_ATOMS:
        raise UsageError(
            f"{path}: {atoms * copies} atoms besides water; a particle has 1 to {MAX_ATOMS}"
        )
    if copies == 1 and not structure.assemblies:
        return model
    keep = gemmi.HowToNameCopiedChain.Dup
    assembled = gemmi.make_assembly(structure.assemblies[0], model, keep)
    return assembled if assembled.count_atom_sites() else model


def _occupancies(atoms: gemmi.FlatStructure, path: Path) -> Floats:
    """Return the occupancies, (N,) float64; ones if the file has none."""
    found = np.array(atoms.occ, np.float64)
    if not found.any():
        return np.ones_like(found)
    if not ((found >= 0) & (found <= 1.01)).all():
        raise UsageError(f"{path}: an occupancy is not between 0 and 1")
    return found


def _lacking_hydrogens(elements: npt.NDArray, occupancy: Floats) -> Floats:
    """Return the number of hydrogens that the file lacks, for each atom, (N,) float64."""
    carbons = occupancy * (elements == _number("C"))
    present = occupancy @ ((elements == _number("H")) | (elements == _number("D")))
    return carbons * max(0.0, _HYDROGENS_PER_CARBON - present / max(float(carbons.sum()), 1.0))


def _vacuum(
    model: gemmi.Model, origin: Floats, occupancy: Floats, side: int, voxel: float
) -> Image:
    """Sample the potential of the atoms in vacuum, volt, (side, side, side), axes z, y, x."""
    none = gemmi.SMat33f(0, 0, 0, 0, 0, 0)
    for one, share in zip(model.all(), occupancy, strict=True):
        one.atom.occ, one.atom.b_iso, one.atom.aniso = share, 0.0, none
    shift = gemmi.Transform(gemmi.Mat33(), gemmi.Vec3(*origin))
    model.transform_pos_and_adp(shift)
    calculator = gemmi.DensityCalculatorE()
    length = side * voxel
    calculator.d_min = 2 * voxel
    calculator.blur = 8 * np.pi**2 * (_BLUR * voxel) ** 2
    # A thousandth of the peak of a smoothed hydrogen: less than 1 % of any atom is cut off.
    calculator.cutoff = 1e-3 * _at_zero("H") / (np.sqrt(2 * np.pi) * _BLUR * voxel) ** 3
    calculator.grid.set_unit_cell(gemmi.UnitCell(length, length, length, 90, 90, 90))
    calculator.grid.spacegroup = gemmi.SpaceGroup("P 1")
    calculator.grid.set_size(side, side, side)
    calculator.add_model_density_to_grid(model)
    density = np.array(calculator.grid, copy=False)  # axes x, y, z
    return np.ascontiguousarray(density.T) * np.float32(FORM_FACTOR_TO_POTENTIAL)


def _volumes(elements: npt.NDArray) -> Floats:
    """Return the volume that each atom displaces, cubic Angstrom, (N,) float64."""
    volumes = np.full(elements.shape, _OTHER_VOLUME)
    for name, volume in (*_VOLUMES.items(), ("D", _VOLUMES["H"])):
        volumes[elements == _number(name)] = volume
    return volumes


def _number(name: str) -> int:
    """Return the number by which flat tables of atoms know an element."""
    return 119 if name == "D" else gemmi.Element(name).atomic_number


def _at_zero(name: str) -> float:
    """Return the electron form factor at zero angle, Angstrom."""
    return float(gemmi.Element(name).c4322.calculate_sf(0.0))
