"""Atomic models: potential, mass, assemblies, hydrogens, waters and occupancies."""

import bz2
import gzip

import gemmi
import numpy as np
import pytest
from scipy import ndimage

from deepcryopicker.dataset.structures.open_structure import open_structure
from deepcryopicker.dataset.structures.potential import (
    EXCESS_PER_DALTON,
    FORM_FACTOR_TO_POTENTIAL,
    ICE_POTENTIAL,
)
from deepcryopicker.errors import UsageError
from tests.dataset.structures.molecules import (
    VOLUME,
    ball,
    biomt,
    copies,
    mmcif,
    moved,
    pdb,
    protein,
    within,
)

RADIUS = 24.0
HYDROGENS = 1.57  # of a carbon


def opened(tmp_path, text, name="model.pdb", voxel=4.0):
    path = tmp_path / name
    path.write_text(text)
    return open_structure(path, voxel)


def at_zero(name):
    return gemmi.Element(name).c4322.calculate_sf(0.0)


def integral(structure):
    return float(structure.potential.sum(dtype=float)) * structure.voxel**3


@pytest.fixture(scope="module")
def of_protein(tmp_path_factory):
    names, places = protein(RADIUS)
    return opened(tmp_path_factory.mktemp("model"), pdb(names, places))


def test_mass_and_size_of_protein(of_protein):
    volume = 4 / 3 * np.pi * RADIUS**3
    assert of_protein.mass == pytest.approx(volume / VOLUME, rel=0.01)
    assert of_protein.diameter == pytest.approx(2 * RADIUS, rel=0.05)


def test_the_integral_of_the_potential_is_that_of_theory(of_protein):
    assert integral(of_protein) == pytest.approx(EXCESS_PER_DALTON * of_protein.mass, rel=0.06)
    middle = np.array(of_protein.potential.shape) // 2
    inside = of_protein.potential[tuple(slice(m - 2, m + 3) for m in middle)].mean()
    assert inside == pytest.approx(EXCESS_PER_DALTON / VOLUME, rel=0.1)


@pytest.mark.parametrize("voxel", [2.5, 4.0, 7.0])
def test_a_ball_of_carbons_has_the_potential_of_its_density(tmp_path, voxel):
    """Eight cubic Angstrom an atom; the hydrogens that belong to carbon in protein are added."""
    radius = 25.0
    atoms = round(4 / 3 * np.pi * radius**3 / 8)
    places = within(radius, atoms, np.random.default_rng(1))
    structure = opened(tmp_path, pdb("C", places), voxel=voxel)
    scattering = FORM_FACTOR_TO_POTENTIAL * (at_zero("C") + HYDROGENS * at_zero("H"))
    expected = (scattering - ICE_POTENTIAL * (16.44 + HYDROGENS * 5.15)) / 8.0
    assert integral(structure) == pytest.approx(expected * 8 * atoms, rel=0.01)
    middle = len(structure.potential) // 2
    some = int(12 / voxel)
    core = structure.potential[(slice(middle - some, middle + some + 1),) * 3].mean()
    assert core == pytest.approx(expected, rel=0.06)
    assert structure.mass == pytest.approx(atoms * (12.0107 + HYDROGENS * 1.00794), rel=1e-4)


def test_the_centre_of_mass_is_in_the_middle_and_axes_are_z_y_x(tmp_path):
    """A long arm along x and a short one along y, away from the origin."""
    arms = [ball(8.0), moved(ball(8.0), 30, 0, 0), moved(ball(8.0), 0, 12, 0)]
    structure = opened(tmp_path, pdb("C", moved(np.concatenate(arms), 1000, -500, 77)), voxel=3.0)
    centre = ndimage.center_of_mass(structure.potential)
    assert centre == pytest.approx([len(structure.potential) // 2] * 3, abs=0.1)
    middle = len(structure.potential) // 2
    densest = np.argwhere(structure.potential > 0.5 * structure.potential.max())
    z_width, y_width, x_width = np.ptp(densest, axis=0)
    assert x_width > y_width > z_width
    # The end of the long arm, towards larger x, is farther from the centre than its beginning.
    assert densest[:, 2].max() - middle > middle - densest[:, 2].min()
    assert densest[:, 1].max() - middle > middle - densest[:, 1].min()


def test_mmcif_and_compression_make_no_difference(tmp_path, of_protein):
    names, places = protein(RADIUS)
    text = mmcif(names, np.round(places, 3))
    (tmp_path / "m.cif.gz").write_bytes(gzip.compress(text.encode()))
    (tmp_path / "m.PDB.bz2").write_bytes(bz2.compress(pdb(names, places).encode()))
    for path in tmp_path.iterdir():
        structure = open_structure(path, 4.0)
        assert structure.mass == pytest.approx(of_protein.mass, rel=1e-6)
        np.testing.assert_allclose(structure.potential, of_protein.potential, atol=1e-3)


def shifted(x):
    return np.column_stack([np.eye(3), [x, 0, 0]])


def test_assemblies_are_built(tmp_path):
    """Two copies 60 Angstrom apart, in either format."""
    places = ball(12.0)
    single = opened(tmp_path, pdb("C", places))
    head = biomt([shifted(0), shifted(60)])
    pair = opened(tmp_path, pdb("C", places, head=head), "pair.pdb")
    text = mmcif("C", places, copies([(0, 0, 0), (60, 0, 0)], "1,2"))
    same = opened(tmp_path, text, "pair.cif")
    for one in (pair, same):
        assert one.mass == pytest.approx(2 * single.mass, rel=1e-6)
        assert one.diameter == pytest.approx(single.diameter + 60, rel=0.02)
        assert integral(one) == pytest.approx(2 * integral(single), rel=1e-3)
    three = mmcif("C", places, copies([(0, 0, 0), (60, 0, 0), (0, 90, 0)], "(1-3)"))
    assert opened(tmp_path, three, "three.cif").mass == pytest.approx(3 * single.mass, rel=1e-6)


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("(1,2)(1,3)", r"product of operators, \(1,2\)\(1,3\)\ngive the file of the assembly"),
        ("1-999999999", "999999999 copies; the limit is 10000"),
        ("(1-60)(1-99999999)", "100000058 copies; the limit is 10000"),
    ],
)
def test_assemblies_that_cannot_be_built_are_refused(tmp_path, expression, message):
    text = mmcif("C", ball(6.0), copies([(0, 0, 0), (60, 0, 0), (0, 90, 0)], expression))
    with pytest.raises(UsageError, match=message):
        opened(tmp_path, text, "model.cif")


def test_waters_are_ignored_and_occupancies_count(tmp_path):
    places = ball(12.0)
    single = opened(tmp_path, pdb("C", places))
    water = pdb("O", places + 40, residue="HOH").replace("ATOM  ", "HETATM")
    wet = opened(tmp_path, pdb("C", places).replace("END\n", "") + water, "wet.pdb")
    assert wet.mass == pytest.approx(single.mass, rel=1e-6)
    half = opened(tmp_path, pdb("C", places, occupancy=0.5), "half.pdb")
    assert half.mass == pytest.approx(single.mass / 2, rel=1e-6)
    np.testing.assert_allclose(half.potential, single.potential / 2, atol=1e-4)
    none = opened(tmp_path, pdb("C", places, occupancy=0.0), "none.pdb")
    assert none.mass == pytest.approx(single.mass, rel=1e-6)


def test_hydrogens_are_not_counted_twice(tmp_path):
    """A file with hydrogens, or with deuterium, has the mass of one without them."""
    places = ball(12.0)
    hydrogens = places[: int(HYDROGENS * len(places) / 2)] + 0.5
    single = opened(tmp_path, pdb("C", places))
    names = ["C"] * len(places) + ["H"] * (2 * len(hydrogens))
    explicit = pdb(names, np.concatenate([places, hydrogens, hydrogens + 0.5]))
    assert opened(tmp_path, explicit, "h.pdb").mass == pytest.approx(single.mass, rel=2e-3)
    few = pdb([*["C"] * len(places), "H"], np.concatenate([places, hydrogens[:1]]))
    assert opened(tmp_path, few, "one.pdb").mass == pytest.approx(single.mass, rel=2e-3)
    deuterated = opened(tmp_path, explicit.replace(" H", " D"), "d.pdb")
    heavier = 2 * len(hydrogens) * (2.0141 - 1.00794)
    assert deuterated.mass == pytest.approx(single.mass + heavier, rel=2e-3)


def test_displacement_factors_are_ignored(tmp_path):
    """Predicted models store their confidence in that column."""
    text = pdb("C", ball(12.0))
    other = text.replace("  1.00 30.00", "  1.00 99.00")
    assert other != text
    np.testing.assert_array_equal(
        opened(tmp_path, text).potential, opened(tmp_path, other, "b.pdb").potential
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (pdb("C", ball(12.0)).replace("-12.000", "    nan"), "a coordinate is not a number"),
        (pdb("C", [[1, 2, 3]]), "1 atoms, 12 dalton"),
        (pdb("C", []), "0 atoms"),
        ("", "empty file"),
        ("\x00\x01" * 1000, "0 atoms"),
        (pdb("C", ball(12.0), occupancy=7.0), "occupancy is not between 0 and 1"),
        (
            pdb("CA", ball(12.0)).replace("          CA", "           C"),
            "one atom for each residue",
        ),
        (pdb("O", ball(12.0), residue="HOH"), "0 atoms besides water"),
        (
            pdb("C", [*ball(12.0), [9999, 0, 0]], head=biomt([shifted(0), shifted(1e9)])),
            "Angstrom long; the limit is 3000",
        ),
    ],
)
def test_what_is_not_a_particle_is_refused(tmp_path, text, message):
    with pytest.raises(UsageError, match=message) as caught:
        opened(tmp_path, text)
    assert str(tmp_path) in str(caught.value)
    assert str(caught.value).count("\n") <= 1
