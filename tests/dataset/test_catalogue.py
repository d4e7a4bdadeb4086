"""Entries know their truth and diameter; generated micrographs are kept."""

import shutil
from dataclasses import replace
from pathlib import Path

import mrcfile
import numpy as np
import pytest
from hydra import compose, initialize_config_dir

from deepcryopicker.config import registry
from deepcryopicker.config.paths import CONF_DIR
from deepcryopicker.dataset import simulated, simulator
from deepcryopicker.dataset.open_files import open_combined, open_folder
from deepcryopicker.dataset.schema import (
    CombinedConfig,
    FolderConfig,
    PublicConfig,
    SimulatedConfig,
)
from deepcryopicker.dataset.simulated import open_simulated
from deepcryopicker.dataset.simulator import KINDS
from deepcryopicker.errors import MicrographError, UsageError


@pytest.fixture
def folder(tmp_path):
    for name, pixel_size in (("one", 1.5), ("sub/two", 1.5), ("three", 0)):
        path = tmp_path / "images" / f"{name}.mrc"
        path.parent.mkdir(parents=True, exist_ok=True)
        with mrcfile.new(path) as file:
            file.set_data(np.arange(1200, dtype=np.float32).reshape(30, 40))
            if pixel_size:
                file.voxel_size = pixel_size
    truth = tmp_path / "truth"
    (truth / "sub").mkdir(parents=True)
    (truth / "one.csv").write_text("x,y,diameter,class\n3,4,12,top\n5,6.5,12,side\n")
    (truth / "one.uncertain.csv").write_text("x,y\n9,9\n")
    (truth / "sub" / "two.box").write_text("10 20 8 8\n")
    return tmp_path


def opened(folder, **settings):
    catalogue = open_folder(FolderConfig(micrographs=str(folder / "images"), **settings))
    return {entry.name: entry for entry in catalogue.entries}


def test_truth_is_found_by_name(folder):
    entries = opened(folder, coordinates=str(folder / "truth"), name="mine")
    assert sorted(entries) == ["one", "sub/two", "three"]
    certain, uncertain = entries["one"].load_truth()
    assert (certain.x.tolist(), certain.y.tolist()) == ([3, 5], [4, 6.5])
    assert certain.label.tolist() == ["top", "side"]
    assert (uncertain.x.tolist(), uncertain.y.tolist()) == ([9], [9])
    certain, uncertain = entries["sub/two"].load_truth()
    assert (certain.x.tolist(), certain.y.tolist()) == ([14], [24])
    assert len(uncertain) == 0
    assert entries["three"].load_truth() is None
    assert {entry.group for entry in entries.values()} == {"mine"}


def test_truth_from_the_bottom_is_turned_over(folder):
    entries = opened(folder, coordinates=str(folder / "truth"), coordinates_from_bottom=True)
    certain, uncertain = entries["one"].load_truth()  # of 30 rows: row 0 from below is row 29
    assert (certain.x.tolist(), certain.y.tolist()) == ([3, 5], [25, 22.5])
    assert (uncertain.x.tolist(), uncertain.y.tolist()) == ([9], [20])


def test_without_coordinates_there_is_no_truth(folder):
    assert all(entry.load_truth() is None for entry in opened(folder).values())


def test_coordinates_of_other_micrographs_are_refused(folder):
    other = folder / "other"
    other.mkdir()
    (other / "unrelated.csv").write_text("x,y\n1,2\n")
    with pytest.raises(UsageError, match=r"belongs to a micrograph(.|\n)*one(.|\n)*unrelated.csv"):
        opened(folder, coordinates=str(other))


def test_missing_coordinates_folder_is_refused(folder):
    with pytest.raises(UsageError, match=r"dataset.coordinates: .*nowhere does not exist"):
        opened(folder, coordinates=str(folder / "nowhere"))


def test_micrograph_is_loaded_under_its_name(folder):
    micrograph = opened(folder)["sub/two"].load()
    assert micrograph.name == "sub/two"
    assert micrograph.pixel_size == pytest.approx(1.5)
    np.testing.assert_array_equal(micrograph.image, np.arange(1200).reshape(30, 40))
    bright = opened(folder, polarity="bright")["one"].load()
    np.testing.assert_array_equal(bright.image, -micrograph.image)


def test_diameter_in_pixels_is_taken_as_it_is(folder):
    entry = opened(folder, diameter=33.0)["one"]
    assert entry.particle_diameter(entry.load()) == 33


def test_diameter_in_angstrom_uses_the_header(folder):
    entry = opened(folder, diameter_angstrom=120.0)["one"]
    assert entry.particle_diameter(entry.load()) == pytest.approx(80)


def test_given_pixel_size_overrides_the_header(folder):
    for entry in opened(folder, diameter_angstrom=120.0, pixel_size=2.0).values():
        assert entry.particle_diameter(entry.load()) == pytest.approx(60)


def test_diameter_in_angstrom_needs_a_pixel_size(folder):
    entry = opened(folder, diameter_angstrom=120.0)["three"]
    with pytest.raises(MicrographError, match="pixel size missing"):
        entry.particle_diameter(entry.load())


def test_groups_without_diameter_get_an_estimate(folder):
    catalogue = open_folder(FolderConfig(micrographs=str(folder / "images"), name="mine"))
    assert catalogue.groups_without_diameter == ["mine"]
    known = catalogue.with_diameter("mine", 44.0)
    assert known.groups_without_diameter == []
    assert all((e.diameter, e.estimated) == (44.0, True) for e in known.entries)
    assert catalogue.with_diameter("other", 44.0) == catalogue
    given = open_folder(FolderConfig(micrographs=str(folder / "images"), diameter=3.0))
    assert given.groups_without_diameter == []
    assert not any(entry.estimated for entry in given.entries)


def combined(folder):
    """The same micrographs twice: with truth and a diameter in pixels, and without truth."""
    images = str(folder / "images")
    first = FolderConfig("mine", images, coordinates=str(folder / "truth"), diameter=33.0)
    second = FolderConfig("yours", images, diameter_angstrom=120.0, polarity="bright")
    return open_combined(CombinedConfig("both", {"first": first, "b": second}))


def test_names_of_combined_micrographs_start_with_their_member(folder):
    catalogue = combined(folder)
    assert catalogue.name == "both"
    alone = list(opened(folder))
    names = [entry.name for entry in catalogue.entries]
    assert names == [f"{member}/{name}" for member in ("first", "b") for name in alone]
    micrograph = next(entry for entry in catalogue.entries if entry.name == "b/sub/two").load()
    assert micrograph.name == "b/sub/two"


def test_combined_datasets_keep_what_is_theirs(folder):
    entries = {entry.name: entry for entry in combined(folder).entries}
    for name, entry in opened(folder, coordinates=str(folder / "truth")).items():
        first, second = entries[f"first/{name}"], entries[f"b/{name}"]
        assert first.path == second.path == entry.path
        assert (first.group, second.group) == ("mine", "yours")
        assert first.truth == entry.truth
        assert second.load_truth() is None
        assert first.particle_diameter(first.load()) == 33
        np.testing.assert_array_equal(second.load().image, -first.load().image)
    one = entries["b/one"]
    assert one.particle_diameter(one.load()) == pytest.approx(80)
    certain, uncertain = entries["first/one"].load_truth()
    assert (certain.x.tolist(), uncertain.x.tolist()) == ([3, 5], [9])


def test_each_combined_dataset_without_a_diameter_gets_its_own_estimate(folder):
    images = str(folder / "images")
    members = {name: FolderConfig(name, images) for name in ("a", "b")}
    members["c"] = FolderConfig("c", images, diameter=5.0)
    catalogue = open_combined(CombinedConfig("all", members))
    assert catalogue.groups_without_diameter == ["a", "b"]
    known = catalogue.with_diameter("a", 44.0)
    assert known.groups_without_diameter == ["b"]
    assert {entry.group: entry.diameter for entry in known.entries} == {"a": 44, "b": None, "c": 5}


def test_a_combination_of_nothing_is_refused():
    with pytest.raises(UsageError, match=r"^dataset\.members is empty: .*dataset=paper"):
        CombinedConfig()


def test_the_papers_dataset_has_four_members(monkeypatch):
    monkeypatch.setenv("DEEPCRYOPICKER_DATA", "/data")
    registry.register()
    with initialize_config_dir(str(CONF_DIR), version_base="1.3"):
        composed = compose("train", ["dataset=paper", "dataset.members.klh.diameter=151"])
    dataset = registry.validated(composed).dataset
    assert isinstance(dataset, CombinedConfig)
    assert dataset.name == "paper"
    diameters = {"apoferritin": 60, "klh": 151, "ribosome": 92, "beta_galactosidase": 108}
    assert {name: member.diameter for name, member in dataset.members.items()} == diameters
    for name, member in dataset.members.items():
        assert type(member) is PublicConfig
        assert member.name == name
        assert member.micrographs == f"/data/{name}/micrographs"
        assert member.coordinates == f"/data/{name}/coordinates"


def test_a_folder_of_cryoppp_is_read_as_it_is_laid_out(tmp_path):
    for name in ("micrographs", "ground_truth/particle_coordinates"):
        (tmp_path / name).mkdir(parents=True)
    with mrcfile.new(tmp_path / "micrographs" / "one.mrc") as file:
        file.set_data(np.arange(1200, dtype=np.float32).reshape(30, 40))
    (tmp_path / "ground_truth" / "particle_coordinates" / "one.csv").write_text(
        "X-Coordinate,Y-Coordinate,Diameter\n12,9,8\n"
    )
    registry.register()
    with initialize_config_dir(str(CONF_DIR), version_base="1.3"):
        composed = compose("train", ["dataset=cryoppp", f"dataset.root={tmp_path}"])
    (entry,) = open_folder(registry.validated(composed).dataset).entries
    truth, _ = entry.load_truth()
    assert (truth.x.tolist(), truth.y.tolist(), truth.diameter.tolist()) == ([12], [20], [8])


@pytest.mark.parametrize(
    "settings",
    [
        {"diameter": 0.0},
        {"diameter": float("nan")},
        {"pixel_size": -1.0},
        {"diameter": 3.0, "diameter_angstrom": 4.0},
        {"polarity": "drak"},
    ],
)
def test_absurd_folder_settings_are_refused(settings):
    with pytest.raises(UsageError, match="dataset"):
        FolderConfig(micrographs="x", **settings)


@pytest.mark.parametrize(
    "settings",
    [
        {"kinds": []},
        {"kinds": ["apoferitin"]},
        {"micrographs_per_kind": 0},
        {"shape": [100, 1000]},
        {"shape": [1000]},
        {"dose": 0.0},
    ],
)
def test_absurd_simulations_are_refused(settings):
    with pytest.raises(UsageError, match="dataset"):
        SimulatedConfig(**settings)


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    return SimulatedConfig(
        kinds=["apoferritin", "klh"],
        micrographs_per_kind=1,
        shape=[300, 340],
        cache=str(tmp_path_factory.mktemp("cache")),
    )


class Track:
    """Remember what had to be generated."""

    def __init__(self):
        self.generated = []

    def __call__(self, items, title):
        for kind, index in items:
            self.generated.append((kind.name, index))
            yield kind, index


@pytest.fixture(scope="module")
def first(config):
    track = Track()
    return open_simulated(config, track), track


def test_simulated_micrographs_have_truth_and_diameter(first):
    catalogue, track = first
    assert track.generated == [("apoferritin", 0), ("klh", 0)]
    assert [entry.name for entry in catalogue.entries] == ["apoferritin_000", "klh_000"]
    for entry in catalogue.entries:
        kind = KINDS[entry.group]
        micrograph = entry.load()
        assert micrograph.image.shape == (300, 340)
        assert micrograph.pixel_size == pytest.approx(kind.pixel_size, rel=1e-5)
        diameter = kind.diameter / kind.pixel_size
        assert entry.particle_diameter(micrograph) == pytest.approx(diameter, rel=1e-5)
        certain, uncertain = entry.load_truth()
        assert len(certain) > 0
        assert len(uncertain) == 0
        np.testing.assert_allclose(certain.diameter, diameter, atol=0.01)
        assert ((certain.x > -0.5) & (certain.x < 339.5)).all()
        assert ((certain.y > -0.5) & (certain.y < 299.5)).all()


def test_cache_is_used_again(first, config):
    catalogue, _ = first
    times = [entry.path.stat().st_mtime_ns for entry in catalogue.entries]
    truths = [entry.load_truth()[0] for entry in catalogue.entries]
    track = Track()
    again = open_simulated(config, track)
    assert track.generated == []
    assert again == catalogue
    assert [entry.path.stat().st_mtime_ns for entry in again.entries] == times
    for entry, truth in zip(again.entries, truths, strict=True):
        np.testing.assert_array_equal(entry.load_truth()[0].x, truth.x)


def test_more_micrographs_add_to_the_cache_and_a_lost_one_is_the_same_again(first, config):
    catalogue, _ = first
    lost = catalogue.entries[0]
    image, truth = lost.load().image, lost.truth.read_bytes()
    lost.path.unlink()
    lost.truth.unlink()
    track = Track()
    more = open_simulated(replace(config, kinds=["apoferritin"], micrographs_per_kind=2), track)
    assert track.generated == [("apoferritin", 0), ("apoferritin", 1)]
    np.testing.assert_array_equal(lost.load().image, image)
    assert lost.truth.read_bytes() == truth
    assert (more.entries[1].load().image != image).any()


@pytest.mark.parametrize("changes", [{"dose": 31.0}, {"seed": 1}, {"shape": [301, 340]}])
def test_other_settings_have_files_of_their_own(first, config, changes):
    changed = replace(config, kinds=["apoferritin"], **changes)
    other = open_simulated(changed, Track())
    assert other.entries[0].path != first[0].entries[0].path
    assert other.entries[0].path.exists()


@pytest.fixture
def copied_simulator(tmp_path, monkeypatch):
    """A copy of the simulator's source files, from which the name of the cache is made."""
    folder = tmp_path / "simulator"
    shutil.copytree(Path(simulator.__file__).parent, folder)
    monkeypatch.setattr(simulator, "__file__", str(folder / "__init__.py"))
    simulated._code_digest.cache_clear()
    yield folder
    simulated._code_digest.cache_clear()


def test_a_changed_simulator_does_not_find_the_old_micrographs(copied_simulator, config, first):
    assert simulated.list_simulated(config) == first[0]
    with (copied_simulator / "scene.py").open("a") as stream:
        stream.write("\nNOISE = 2.0\n")
    simulated._code_digest.cache_clear()
    assert simulated.list_simulated(config).entries == ()
