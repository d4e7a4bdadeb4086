"""Molecules of known composition as PDB and mmCIF text, and maps of them."""

import warnings

import mrcfile
import numpy as np

# Atoms of a residue of 111 dalton and 1.21 cubic Angstrom per dalton, without its hydrogens.
COMPOSITION = {"C": 4.94, "N": 1.36, "O": 1.48, "S": 0.04}
RESIDUE = 111.0
VOLUME = 1.21
PAIRS = [(300, 6.526e-4), (200, 7.288e-4), (100, 9.244e-4)]


def ball(radius, spacing=2.0):
    """Points of a cubic lattice within a ball, (N, 3), x, y, z, Angstrom."""
    line = np.arange(-radius, radius + spacing, spacing)
    points = np.stack(np.meshgrid(line, line, line), axis=-1).reshape(-1, 3)
    return points[np.linalg.norm(points, axis=1) <= radius]


def moved(places, x, y, z):
    """The same places elsewhere."""
    return np.asarray(places) + np.array([x, y, z])


def within(radius, count, rng):
    """Places drawn uniformly from a ball, (count, 3)."""
    directions = rng.standard_normal((count, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return directions * radius * rng.random((count, 1)) ** (1 / 3)


def protein(radius, seed=0):
    """Elements and places of a ball with the composition and density of protein."""
    rng = np.random.default_rng(seed)
    residues = 4 / 3 * np.pi * radius**3 / (RESIDUE * VOLUME)
    names = [name for name, each in COMPOSITION.items() for _ in range(round(each * residues))]
    return names, within(radius, len(names), rng)


def pdb(names, places, occupancy=1.0, residue="ALA", head=""):
    """PDB text; one name or one for each place."""
    names = [names] * len(places) if isinstance(names, str) else names
    lines = [
        f"ATOM  {i % 99999 + 1:5d}  {name:<3s} {residue} A{i % 9999 + 1:4d}    "
        f"{x:8.3f}{y:8.3f}{z:8.3f}{occupancy:6.2f}{30.0:6.2f}          {name:>2s}"
        for i, (name, (x, y, z)) in enumerate(zip(names, places, strict=True))
    ]
    return head + "\n".join([*lines, "END", ""])


def lumps():
    """Elements and places of three unequal balls of protein, without any symmetry."""
    balls = [(26, (0, 0, 0)), (20, (40, 10, 0)), (14, (0, 35, 12))]
    names, places = [], []
    for radius, shift in balls:
        elements, own = protein(radius, radius)
        names += elements
        places.append(moved(own, *shift))
    return names, np.concatenate(places)


def biomt(operators):
    """Header of a PDB file with an assembly of (3, 4) matrices."""
    lines = ["REMARK 350 BIOMOLECULE: 1", "REMARK 350 APPLY THE FOLLOWING TO CHAINS: A"]
    for number, matrix in enumerate(operators, 1):
        for row, (a, b, c, t) in enumerate(matrix, 1):
            lines.append(
                f"REMARK 350   BIOMT{row} {number:3d} {a:9.6f} {b:9.6f} {c:9.6f} {t:14.5f}"
            )
    return "\n".join([*lines, ""])


def mmcif(names, places, assembly=""):
    """Text of an mmCIF file; `assembly` is more of it."""
    names = [names] * len(places) if isinstance(names, str) else names
    keys = (
        *("group_PDB", "id", "type_symbol", "label_atom_id", "label_alt_id", "label_comp_id"),
        *("label_asym_id", "label_seq_id", "auth_seq_id", "auth_asym_id"),
        *("Cartn_x", "Cartn_y", "Cartn_z"),
        *("occupancy", "B_iso_or_equiv"),
    )
    rows = [
        f"ATOM {i + 1} {name} {name} . ALA A {i + 1} {i + 1} A {x:.3f} {y:.3f} {z:.3f} 1.0 30.0"
        for i, (name, (x, y, z)) in enumerate(zip(names, places, strict=True))
    ]
    head = ["data_TEST", assembly, "loop_", *(f"_atom_site.{key}" for key in keys)]
    return "\n".join([*head, *rows, ""])


def copies(shifts, expression):
    """mmCIF categories of an assembly of shifted copies."""
    matrix = [f"{kind}[{i}]{rest}" for i in (1, 2, 3) for kind, rest in _COLUMNS]
    rows = [
        f"{n} 'point symmetry operation' 1 0 0 {x} 0 1 0 {y} 0 0 1 {z}"
        for n, (x, y, z) in enumerate(shifts, 1)
    ]
    return "\n".join(
        [
            *("loop_", "_pdbx_struct_assembly.id", "_pdbx_struct_assembly.details"),
            *("_pdbx_struct_assembly.method_details", "_pdbx_struct_assembly.oligomeric_details"),
            *("_pdbx_struct_assembly.oligomeric_count", "1 ? ? ? ?"),
            *("loop_", "_pdbx_struct_assembly_gen.assembly_id"),
            *("_pdbx_struct_assembly_gen.oper_expression",),
            *("_pdbx_struct_assembly_gen.asym_id_list", f"1 '{expression}' A"),
            *("loop_", "_pdbx_struct_oper_list.id", "_pdbx_struct_oper_list.type"),
            *(f"_pdbx_struct_oper_list.{one}" for one in matrix),
            *rows,
        ]
    )


_COLUMNS = (("matrix", "[1]"), ("matrix", "[2]"), ("matrix", "[3]"), ("vector", ""))


def write_map(path, density, voxel=None, dtype=np.float32, axes=(1, 2, 3), space_group=1):
    """Write a map, axes z, y, x, as MRC; its file may order them otherwise."""
    order = [3 - axis for axis in reversed(axes)]
    with warnings.catch_warnings(), mrcfile.new(path, overwrite=True) as file:
        warnings.simplefilter("ignore")  # of values that are not numbers
        file.set_data(np.ascontiguousarray(np.transpose(density, order)).astype(dtype))
        file.header.mapc, file.header.mapr, file.header.maps = axes
        if voxel is not None:
            file.voxel_size = voxel
        file.header.ispg = space_group
    return path
