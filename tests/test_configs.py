"""Every configuration file composes, refuses nonsense by name, and has no key that nobody reads."""

import ast
import dataclasses
import importlib
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from deepcryopicker import config
from deepcryopicker._conf import CONF_DIR
from deepcryopicker.errors import UsageError

PACKAGE = Path(config.__file__).parent
TESTS = Path(__file__).parent
PRIMARIES = {
    "train": config.TrainConfig,
    "label": config.LabelConfig,
    "pick": config.PickConfig,
    "evaluate": config.EvaluateConfig,
}
NOT_BOXES = {"experiment", "hydra"}
GROUPS = sorted(p.name for p in CONF_DIR.iterdir() if p.is_dir() and p.name not in NOT_BOXES)
OPTIONS = [(group, path.stem) for group in GROUPS for path in sorted((CONF_DIR / group).iterdir())]
EXPERIMENTS = sorted(path.stem for path in (CONF_DIR / "experiment").iterdir())
NEEDED = {
    "evaluate": ["evaluate.picks=p", "evaluate.truth=t"],
    "folder": ["dataset.micrographs=m"],
    "no_labels": ["dataset.micrographs=m"],
}


@pytest.fixture(autouse=True)
def _composing(monkeypatch):
    monkeypatch.setenv("DEEPCRYOPICKER_DATA", "/data")
    config.register()
    with initialize_config_dir(str(CONF_DIR), version_base="1.3"):
        yield


def build(name, *overrides):
    return OmegaConf.to_object(compose(name, list(overrides)))


@pytest.mark.parametrize("name", PRIMARIES)
def test_a_primary_composes_alone(name):
    settings = build(name, *NEEDED.get(name, []))
    assert type(settings) is PRIMARIES[name]


def test_no_configuration_file_is_left_out():
    tested = {f"{name}.yaml" for name in PRIMARIES} | {"hydra_defaults.yaml"}
    assert {path.name for path in CONF_DIR.glob("*.yaml")} == tested
    assert {path.suffix for path in CONF_DIR.rglob("*") if path.is_file()} == {".yaml"}


@pytest.mark.parametrize(("group", "option"), OPTIONS)
def test_an_option_gives_the_schema_of_its_group(group, option):
    settings = build("train", f"{group}={option}", *NEEDED.get(option, []))
    box = getattr(settings, group.replace("-", "_"))
    assert type(box) in config.SCHEMAS[group].values()


@pytest.mark.parametrize("option", ["dense", "log"])
def test_any_picker_can_be_the_baseline(option):
    baseline = build("train", f"picker@baseline={option}").baseline
    assert type(baseline) is config.SCHEMAS["picker"][option]


def test_the_baseline_can_be_left_out():
    assert build("train", "baseline=null").baseline is None


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_an_experiment_composes_and_does_what_it_says(experiment):
    settings = compose("train", [f"+experiment={experiment}", *NEEDED.get(experiment, [])])
    assert type(OmegaConf.to_object(settings)) is config.TrainConfig
    written = OmegaConf.load(CONF_DIR / "experiment" / f"{experiment}.yaml")
    for override in written.pop("defaults", []):
        (group, option), *_ = override.items()
        chosen = group.removeprefix("override /")
        expected = build("train", f"{chosen}={option}", *NEEDED.get(option, []))
        kind = type(getattr(expected, chosen.replace("-", "_")))
        assert OmegaConf.get_type(settings[chosen.replace("-", "_")]) is kind
    merged = OmegaConf.merge(settings, written)
    assert merged == settings


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_is_a_subpackage_with_schema_and_tests(group):
    name = group.replace("-", "_")
    assert (PACKAGE / name / "__init__.py").is_file()
    assert (PACKAGE / name / "schema.py").is_file()
    # Tracking has no pixels of its own; its tests are those of the commands.
    assert name == "logger" or (TESTS / name).is_dir()


def test_every_schema_belongs_to_a_group():
    assert sorted(config.SCHEMAS) == GROUPS
    assert {p.parent.name for p in PACKAGE.rglob("schema.py")} == {
        group.replace("-", "_") for group in GROUPS
    }


OUT_OF_RANGE = [
    "seed=-1",
    "overlays=-1",
    "micrographs_to_label=0",
    "dataset.kinds=[]",
    "dataset.kinds=[apoferitin]",
    "dataset.micrographs_per_kind=0",
    "dataset.shape=[100,100]",
    "dataset.shape=[512]",
    "dataset.dose=0",
    "preprocessing.working_diameter=4",
    "preprocessing.working_diameter=1000",
    "preprocessing.model_input=nowhere",
    "labeler.clusters=1",
    "labeler.sensitivity=1",
    "labeler.smallest_radius=0.9",
    "labeler.selection.overlap=1.1",
    "labeler.selection.rarest_shape=-0.1",
    "labeler.selection.smallest_area=2",
    "class_set.classes=[top,botom,background]",
    "class_set.classes=[background]",
    "class_set.classes=[top]",
    "class_set.samples_per_class=1",
    "class_set.off_centre_share=2",
    "class_set.validation=0.9",
    "class_set.test=-0.1",
    "class_set.background_coverage=1.5",
    "class_set.off_centre=[0.8,0.3]",
    "class_set.off_centre=[0.3]",
    "model.widths=[1,2]",
    "model.widths=[0,1,1,1,1,1]",
    "model.dropout=1",
    "model.dropout=-0.1",
    "trainer.epochs=0",
    "trainer.patience=0",
    "trainer.batch_size=0",
    "trainer.learning_rate=0",
    "trainer.weight_decay=-1",
    "trainer.jitter=-1",
    "trainer.label_smoothing=1",
    "trainer.device=gpu",
    "picker.threshold=1.1",
    "picker.threshold=-0.1",
    "picker.floor=2",
    "picker.smoothing=-1",
    "picker.distance=-1",
    "picker.largest_area=-1",
    "picker.tile=100",
    "picker.device=gpu",
]


@pytest.mark.parametrize("override", OUT_OF_RANGE)
def test_a_value_out_of_range_is_refused_by_name(override):
    with pytest.raises(UsageError, match=override.partition("=")[0].replace(".", r"\.")):
        build("train", override)


@pytest.mark.parametrize(
    "overrides",
    [
        ["model=timm", "model.window=4"],
        ["model=timm", "model.level=-1"],
        ["model=deepcryopicker", "model.dropout=1"],
        ["picker=log", "picker.scale=0"],
        ["picker=log", "picker.distance=0"],
        ["dataset=folder", "dataset.micrographs=m", "dataset.diameter=0"],
        ["dataset=folder", "dataset.micrographs=m", "dataset.diameter=inf"],
        ["dataset=folder", "dataset.micrographs=m", "dataset.diameter_angstrom=-1"],
        ["dataset=folder", "dataset.micrographs=m", "dataset.pixel_size=nan"],
        ["dataset=folder", "dataset.micrographs=m", "dataset.polarity=light"],
        ["dataset=apoferritin", "dataset.diameter_angstrom=100"],
    ],
)
def test_a_value_out_of_range_of_another_option_is_refused_by_name(overrides):
    with pytest.raises(UsageError, match=overrides[-1].partition("=")[0].replace(".", r"\.")):
        build("train", *overrides)


@pytest.mark.parametrize("override", ["evaluate.radius=0", "evaluate.threshold=2"])
def test_evaluate_refuses_values_out_of_range_by_name(override):
    with pytest.raises(UsageError, match=override.partition("=")[0].replace(".", r"\.")):
        build("evaluate", *NEEDED["evaluate"], override)


def schemas():
    """Every configuration dataclass of the package."""
    paths = [*sorted(PACKAGE.rglob("schema.py")), PACKAGE / "config.py"]
    for path in paths:
        name = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
        module = importlib.import_module(name)
        for value in vars(module).values():
            if dataclasses.is_dataclass(value) and value.__module__ == name:
                yield value


def attributes_read(source):
    """Names that are read as ``something.name``; assignments and calls with ``name=`` are not."""
    return {
        node.attr
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load)
    }


def unread(kinds, sources):
    """Keys of dataclasses that no source reads, as ``Class.key``."""
    read = set().union(*map(attributes_read, sources))
    return [
        f"{c.__name__}.{f.name}" for c in kinds for f in dataclasses.fields(c) if f.name not in read
    ]


def test_every_key_is_read_outside_its_schema():
    sources = [
        path.read_text(encoding="utf-8")
        for path in PACKAGE.rglob("*.py")
        if path.name not in {"schema.py", "config.py"}
    ]
    assert unread(schemas(), sources) == []


def test_the_search_for_unread_keys_can_fail():
    kind = dataclasses.make_dataclass("Kind", ["used", "assigned", "passed", "mentioned"])
    source = "f(config.used, passed=1); config.assigned = 2  # config.mentioned"
    assert unread([kind], [source]) == ["Kind.assigned", "Kind.passed", "Kind.mentioned"]
