"""Density maps: their scale, mass and frame, and what is refused."""

import bz2
import gzip
import logging

import numpy as np
import pytest
from scipy import ndimage

from deepcryopicker.dataset.structures.open_structure import open_structure
from deepcryopicker.dataset.structures.potential import EXCESS_PER_DALTON
from deepcryopicker.errors import UsageError
from tests.dataset.structures.molecules import VOLUME, lumps, pdb, protein, write_map

VOXEL = 4.0


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Three balls of protein, the potential of which is known."""
    path = tmp_path_factory.mktemp("model") / "model.pdb"
    path.write_text(pdb(*lumps()))
    return path


@pytest.fixture(scope="module")
def known(model):
    return open_structure(model, VOXEL)


def overlap(one, other):
    """Correlation of two potentials, both with their centre in the middle."""
    side = min(len(one.potential), len(other.potential)) // 2

    def core(structure):
        middle = len(structure.potential) // 2
        return structure.potential[(slice(middle - side, middle + side),) * 3].ravel()

    return np.corrcoef(core(one), core(other))[0, 1]


@pytest.mark.parametrize("scale", [1e-4, 1.0, 3e6])
def test_units_and_offset_of_a_map_do_not_matter(tmp_path, known, scale):
    path = write_map(tmp_path / "a.mrc", scale * (known.potential - 7.0), VOXEL)
    found = open_structure(path, VOXEL)
    plain = open_structure(write_map(tmp_path / "b.mrc", known.potential, VOXEL), VOXEL)
    assert found.mass == pytest.approx(plain.mass, rel=0.02)
    np.testing.assert_allclose(found.potential, plain.potential, atol=0.03)


def test_the_mass_is_recovered_and_the_potential_is_that_of_the_model(tmp_path, known):
    found = open_structure(write_map(tmp_path / "a.mrc", known.potential, VOXEL), VOXEL)
    assert found.mass == pytest.approx(known.mass, rel=0.3)
    assert found.diameter == pytest.approx(known.diameter, rel=0.1)
    total = found.potential.sum(dtype=float) * VOXEL**3
    assert total == pytest.approx(EXCESS_PER_DALTON * found.mass, rel=1e-3)
    assert overlap(found, known) > 0.98
    centre = ndimage.center_of_mass(found.potential)
    assert centre == pytest.approx([len(found.potential) // 2] * 3, abs=0.1)


@pytest.mark.parametrize("radius", [16, 22, 30, 40])
def test_the_mass_of_simulated_proteins_is_recovered(tmp_path, radius):
    path = tmp_path / "a.pdb"
    path.write_text(pdb(*protein(radius)))
    density = open_structure(path, 3.0).potential
    found = open_structure(write_map(tmp_path / "a.map", density, 3.0), 5.0)
    assert found.mass == pytest.approx(4 / 3 * np.pi * radius**3 / VOLUME, rel=0.3)


@pytest.mark.parametrize("own", [2.0, 3.0, 6.0])
def test_the_voxel_size_of_a_map_hardly_matters(tmp_path, model, known, own):
    density = open_structure(model, own).potential
    found = open_structure(write_map(tmp_path / "a.mrc", density, own), VOXEL)
    assert found.voxel == VOXEL
    assert found.mass == pytest.approx(known.mass, rel=0.3)
    assert overlap(found, known) > 0.93
    assert found.diameter == pytest.approx(known.diameter, rel=0.12)


def test_fine_maps_are_averaged(tmp_path, model):
    """Half an Angstrom a voxel is read in blocks; the particle is the same."""
    coarse = open_structure(model, 2.0).potential
    fine = ndimage.zoom(coarse, 2, order=1, grid_mode=True, mode="nearest")
    one = open_structure(write_map(tmp_path / "a.mrc", fine, 1.001), VOXEL)
    other = open_structure(write_map(tmp_path / "b.mrc", coarse, 2.002), VOXEL)
    assert one.mass == pytest.approx(other.mass, rel=0.03)
    assert overlap(one, other) > 0.99


def test_axes_of_the_file_are_honoured(tmp_path, known):
    """Another order of the axes in the file does not mirror the particle."""
    plain = open_structure(write_map(tmp_path / "a.mrc", known.potential, VOXEL), VOXEL)
    for axes in ((3, 2, 1), (2, 1, 3), (2, 3, 1)):
        other = write_map(tmp_path / "b.mrc", known.potential, VOXEL, axes=axes)
        np.testing.assert_allclose(
            open_structure(other, VOXEL).potential, plain.potential, atol=1e-4
        )


@pytest.mark.parametrize(("dtype", "scale"), [(np.int8, 20), (np.int16, 3000), (np.float16, 1)])
def test_modes_of_mrc(tmp_path, known, dtype, scale):
    rounded = np.rint(scale * known.potential) if dtype != np.float16 else known.potential
    path = write_map(tmp_path / "a.mrc", rounded, VOXEL, dtype)
    plain = open_structure(write_map(tmp_path / "b.mrc", known.potential, VOXEL), VOXEL)
    found = open_structure(path, VOXEL)
    assert found.mass == pytest.approx(plain.mass, rel=0.05)
    assert overlap(found, plain) > 0.99


def test_compressed_maps(tmp_path, known):
    path = write_map(tmp_path / "a.mrc", known.potential, VOXEL)
    (tmp_path / "b.MRC.gz").write_bytes(gzip.compress(path.read_bytes()))
    (tmp_path / "c.map.bz2").write_bytes(bz2.compress(path.read_bytes()))
    masses = {open_structure(one, VOXEL).mass for one in tmp_path.iterdir()}
    assert len(masses) == 1


def test_noise_in_a_large_box_is_solvent(tmp_path, known):
    rng = np.random.default_rng(2)
    large = np.pad(known.potential, 12)
    noise = ndimage.gaussian_filter(rng.standard_normal(large.shape), 0.7)
    noisy = large + 0.3 * noise / noise.std()
    plain = open_structure(write_map(tmp_path / "a.mrc", large, VOXEL), VOXEL)
    found = open_structure(write_map(tmp_path / "b.mrc", noisy, VOXEL), VOXEL)
    assert found.mass == pytest.approx(plain.mass, rel=0.15)
    assert overlap(found, plain) > 0.97


def test_a_hot_voxel_changes_nothing(tmp_path, known):
    hot = known.potential.copy()
    hot[1, 2, 3] = 1e6
    plain = open_structure(write_map(tmp_path / "a.mrc", known.potential, VOXEL), VOXEL)
    found = open_structure(write_map(tmp_path / "b.mrc", hot, VOXEL), VOXEL)
    assert found.mass == pytest.approx(plain.mass, rel=0.05)
    assert found.diameter == pytest.approx(plain.diameter, rel=0.02)


def test_a_map_without_a_voxel_size_takes_the_length(tmp_path, known, caplog):
    known_size = open_structure(write_map(tmp_path / "a.mrc", known.potential, VOXEL), VOXEL)
    for name, voxel in (("b.mrc", None), ("c.mrc", 1.0)):
        path = write_map(tmp_path / name, known.potential, voxel)
        found = open_structure(path, VOXEL, length=known_size.diameter)
        assert found.diameter == pytest.approx(known_size.diameter, rel=1e-6)
        assert found.mass == pytest.approx(known_size.mass, rel=0.3)
    with pytest.raises(UsageError, match=r"b.mrc: the header has no voxel size\n.*dataset\."):
        open_structure(tmp_path / "b.mrc", VOXEL)
    with caplog.at_level(logging.WARNING):
        assert open_structure(tmp_path / "c.mrc", 1.0).diameter < known.diameter / 3
    assert "voxels of 1.0 Angstrom" in caplog.text


def refused(path, message):
    with pytest.raises(UsageError, match=message) as caught:
        open_structure(path, VOXEL)
    assert str(path) in str(caught.value)
    assert str(caught.value).count("\n") <= 1


def test_maps_that_are_refused(tmp_path, known):
    density, path = known.potential, tmp_path / "a.mrc"
    refused(write_map(path, -density, VOXEL), "darker than the solvent; multiply the map by -1")
    refused(write_map(path, density, (4, 4, 5)), "voxels of 4 x 4 x 5 Angstrom; resample")
    refused(write_map(path, density[:7], VOXEL), "too few for a density map")
    refused(write_map(path, density[:1], VOXEL), "an image, not a density map")
    refused(write_map(path, density[:20], VOXEL, space_group=0), "a stack of images")
    refused(write_map(path, density, VOXEL, space_group=401), "a stack of maps")
    refused(write_map(path, np.full((20, 20, 20), 3.0), VOXEL), "no density above that")
    one = np.zeros((20, 20, 20))
    one[10, 10, 10] = 1
    refused(write_map(path, one, VOXEL), "no density above that of the solvent")
    rng = np.random.default_rng(0)
    refused(write_map(path, rng.standard_normal((24, 24, 24)), VOXEL), "one particle|darker")
    broken = density.copy()
    broken[3, 3, 3] = np.nan
    refused(write_map(path, broken, VOXEL), "a voxel is not a number")
    infinite = np.where(density > 1, np.inf, density)
    refused(write_map(path, infinite, VOXEL), "a voxel is not a number")


def test_a_fine_voxel_is_refused_before_it_takes_all_memory(tmp_path, known):
    path = write_map(tmp_path / "a.mrc", known.potential, VOXEL)
    with pytest.raises(UsageError, match=r"the limit is 384\nuse micrographs binned to"):
        open_structure(path, 0.1)


# Masses of the entries in kDa: the table of molecules of polnet's documentation, which has those of
# the PDB (of 4v7r, which holds two ribosomes, half); the 70S ribosome 4v4r is split; from the
# sequences: beta-galactosidase 4 x 1023 residues, horse light chain apoferritin 24 x 174.
MASSES = {
    "1f4a_10A": 465,
    "1s3x": 42.75,
    "3d2f": 236.1,
    "3gl1": 84.6,
    "3h84": 79.0,
    "3qm1": 31.3,
    "4v7r": 5851 / 2,
    "5gjv": 413.3,
    "6pxm_10A": 476,
}


@pytest.mark.real
@pytest.mark.parametrize("name", MASSES)
def test_masses_of_known_structures(real_data, name):
    found = open_structure(real_data / "structures" / f"{name}.mrc", 10.0)
    assert 0.65 < found.mass / 1e3 / MASSES[name] < 1.35


@pytest.mark.real
def test_the_mass_of_a_ribosome_in_two_parts(real_data):
    parts = [real_data / "structures" / f"4v4r_{part}.mrc" for part in ("30S", "50S")]
    total = sum(open_structure(part, 5.0).mass for part in parts)
    assert 0.65 < total / 2.277e6 < 1.35
