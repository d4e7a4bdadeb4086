"""Every configuration file composes, refuses nonsense by name, and has no key that nobody reads."""

import ast
import copy
import dataclasses
import functools
import importlib
import re
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from deepcryopicker.config import registry, result_schemas, schemas
from deepcryopicker.config.paths import CONF_DIR
from deepcryopicker.errors import UsageError
from deepcryopicker.labeler import schema as labelers
from deepcryopicker.picker.schema import LabelerPickerConfig

PACKAGE = Path(schemas.__file__).parents[1]
TESTS = Path(__file__).parents[1]
PRIMARIES = {
    "train": schemas.TrainConfig,
    "label": schemas.LabelConfig,
    "pick": schemas.PickConfig,
    "classes": result_schemas.ClassesConfig,
    "filter": result_schemas.FilterConfig,
    "evaluate": result_schemas.EvaluateConfig,
    "report": result_schemas.ReportConfig,
    "view": result_schemas.ViewConfig,
}
NOT_BOXES = {"experiment", "hydra", "search"}
GROUPS = sorted(p.name for p in CONF_DIR.iterdir() if p.is_dir() and p.name not in NOT_BOXES)
OPTIONS = [(group, path.stem) for group in GROUPS for path in sorted((CONF_DIR / group).iterdir())]
# Groups of choices that experiments are made of.
PARTS = {"network", "rival"}
EXPERIMENTS = sorted(
    path.relative_to(CONF_DIR / "experiment").with_suffix("").as_posix()
    for path in (CONF_DIR / "experiment").rglob("*.yaml")
    if path.parent.name not in PARTS
)
LABELERS = [option for group, option in OPTIONS if group == "labeler"]
PICKERS = [option for group, option in OPTIONS if group == "picker"]
# Pickers with a network, by the way it is laid over a micrograph; rivals have schemas of their own.
SCANS = {
    **dict.fromkeys(("dense", "deepem", "deeppicker"), "dense"),
    **dict.fromkeys(("sliding", "deepem_sliding", "deeppicker_sliding"), "sliding"),
    **{name: name for name in ("eman2", "fast_rcnn", "pixer")},
}
# What calls a program, or reads files, and its schema.
PROGRAMS = {
    "imported": "imported",
    "relion_log": "relion_log",
    "relion_reference": "relion_reference",
    "relion_template": "relion_template",
    "topaz_pretrained": "topaz",
    "topaz_trained": "topaz_trained",
}
# What each picker without a network is made of.
WITHIN = {
    "auto": labelers.AutoConfig,
    "autocryopicker": labelers.IbcConfig,
    "log": labelers.LogConfig,
    "supercryopicker": labelers.SuperKmeansConfig,
}
NEEDED = {
    "classes": ["dataset.micrographs=m"],
    "corrections": ["dataset.micrographs=m", "dataset.coordinates=c"],
    "evaluate": ["evaluate.picks=p", "evaluate.truth=t"],
    "filter": ["filter.picks=p"],
    "folder": ["dataset.micrographs=m"],
    "from_structure": ["dataset.micrographs=m"],
    "imported": ["picker.picks=p"],
    "no_labels": ["dataset.micrographs=m"],
    "report": ["report.runs=[r]"],
    "view": ["view.run=r"],
}


@pytest.fixture(autouse=True, scope="module")
def _composing():
    registry.register()
    with (
        pytest.MonkeyPatch.context() as patch,
        initialize_config_dir(str(CONF_DIR), version_base="1.3"),
    ):
        patch.setenv("DEEPCRYOPICKER_DATA", "/data")
        yield


@functools.cache
def composed(name, *overrides):
    """Compose once what several tests look at; none of them changes it."""
    return compose(name, list(overrides))


def build(name, *overrides):
    return registry.validated(composed(name, *overrides))


def build_with(value, name, *overrides):
    """Build with one more value such as ``seed=1``.

    It is set in the composed configuration of the others, and refused as if it had been typed: a
    tenth of the time that Hydra takes to compose all of it again.
    """
    settings = copy.deepcopy(composed(name, *overrides))
    override = OverridesParser.create().parse_override(value)
    OmegaConf.update(settings, override.key_or_group, override.value(), merge=False)
    return registry.validated(settings)


@pytest.mark.parametrize("name", PRIMARIES)
def test_a_primary_composes_alone(name):
    settings = build(name, *NEEDED.get(name, []))
    assert type(settings) is PRIMARIES[name]


def test_no_configuration_file_is_left_out():
    tested = {f"{name}.yaml" for name in PRIMARIES} | {"hydra_defaults.yaml"}
    assert {path.name for path in CONF_DIR.glob("*.yaml")} == tested
    assert {path.suffix for path in CONF_DIR.rglob("*") if path.is_file()} == {".yaml"}


def alone(group, option):
    """Build an option without the command that it is chosen in."""
    settings = registry.validated(composed(f"{group}/{option}", *NEEDED.get(option, [])))
    return settings[group.replace("-", "_")]


@pytest.mark.parametrize(("group", "option"), OPTIONS)
def test_an_option_gives_the_schema_of_its_group(group, option):
    assert type(alone(group, option)) in registry.SCHEMAS[group].values()


@pytest.mark.thorough
@pytest.mark.parametrize(("group", "option"), OPTIONS)
def test_an_option_is_the_same_where_it_is_chosen(group, option):
    settings = build("train", f"{group}={option}", *NEEDED.get(option, []))
    assert getattr(settings, group.replace("-", "_")) == alone(group, option)


@pytest.mark.parametrize("option", LABELERS)
def test_a_labeler_has_the_schema_of_its_name(option):
    assert type(alone("labeler", option)) is registry.SCHEMAS["labeler"][option]


@pytest.mark.parametrize("option", PICKERS)
def test_a_picker_has_the_schema_of_its_kind(option):
    """A labeler within it has the values of its own option."""
    picker = alone("picker", option)
    kinds = SCANS | PROGRAMS
    if option in kinds:
        assert type(picker) is registry.SCHEMAS["picker"][kinds[option]]
        return
    assert type(picker) is LabelerPickerConfig
    assert type(picker.labeler) is WITHIN[option]
    names = {kind: name for name, kind in registry.SCHEMAS["labeler"].items()}
    assert picker.labeler == alone("labeler", names[WITHIN[option]])


@pytest.mark.parametrize(
    "option",
    [
        pytest.param(name, marks=[] if name in {"dense", "auto"} else pytest.mark.thorough)
        for name in PICKERS
    ],
)
def test_a_baseline_is_what_the_picker_of_that_name_is(option):
    needed = ["baseline.picks=p"] if option == "imported" else []
    baseline = build("train", f"picker@baseline={option}", *needed).baseline
    assert baseline == alone("picker", option)


@pytest.mark.parametrize("command", ["pick", "train"])
def test_keys_of_a_pickers_labeler_are_set_within_it(command):
    settings = build(command, "picker=auto", "picker.labeler.seeds.selection.overlap=0.5")
    assert settings.picker.labeler.seeds.selection.overlap == 0.5
    assert settings.labeler.seeds.selection.overlap == 0.65  # another one


@pytest.mark.parametrize("option", sorted(set(LABELERS) - {"structure", "truth"}))
def test_a_picker_can_have_any_labeler_that_learns(option):
    picker = build("pick", "picker=auto", f"labeler@picker.labeler={option}").picker
    assert type(picker.labeler) is registry.SCHEMAS["labeler"][option]


@pytest.mark.parametrize(
    ("command", "place", "overrides"),
    [
        ("pick", "picker", ["picker=auto", "labeler@picker.labeler=truth"]),
        ("train", "picker", ["picker=log", "labeler@picker.labeler=truth"]),
        ("train", "baseline", ["labeler@baseline.labeler=truth"]),
    ],
)
def test_the_truth_cannot_be_a_picker(command, place, overrides):
    with pytest.raises(UsageError, match=rf"^{place}\.labeler=truth cannot be used as a picker"):
        build(command, *overrides)


@pytest.mark.parametrize("command", ["label", "train"])
def test_the_truth_needs_coordinates(command):
    given = ["labeler=truth", "dataset=folder", "dataset.micrographs=m"]
    with pytest.raises(UsageError, match=r"labeler=truth .* dataset\.coordinates"):
        build(command, *given)
    build(command, *given, "dataset.coordinates=c")
    build(command, "labeler=truth")  # of simulated micrographs it is known


def test_the_baseline_can_be_left_out():
    assert build("train", "baseline=null").baseline is None


PUBLIC = [
    option
    for group, option in OPTIONS
    if group == "dataset"
    and option not in {"folder", "paper", "simulated", "varied", "varied_structures"}
]


@pytest.mark.parametrize("option", PUBLIC)
def test_a_public_dataset_is_where_the_environment_says(option, monkeypatch):
    """Named as its option; it has a licence, and sums of its micrographs if they can be had."""
    dataset = build("pick", f"dataset={option}").dataset
    assert dataset.name == option
    assert dataset.source.licence
    assert dataset.source.page.startswith("https://")
    folder = "cryoppp" if option.startswith("cryoppp_") else option  # a set is below it
    assert dataset.root == f"/data/{folder}"
    monkeypatch.delenv("DEEPCRYOPICKER_DATA")
    assert build("pick", f"dataset={option}").dataset.root == f"outputs/data/{folder}"
    if dataset.source.micrographs is not None:
        micrographs = dataset.source.micrographs
        assert re.search(r"/[0-9a-f]{40}/[^{]*\{name\}\.(png|jpg)$", micrographs.url)
        assert all(re.fullmatch("[0-9a-f]{64}", each) for each in micrographs.sha256.values())
        assert build_with("dataset.download=true", "pick", f"dataset={option}").dataset.download


def test_truth_can_be_had_only_of_micrographs_that_can():
    for option in PUBLIC:
        source = build("pick", f"dataset={option}").dataset.source
        if source.truth is not None:
            assert source.truth.sha256.keys() <= source.micrographs.sha256.keys()
            assert source.truth.renamed.keys() <= source.truth.sha256.keys()


def command_of(experiment):
    """The command in the comment at the top of an experiment, and what is typed after it."""
    text = (CONF_DIR / "experiment" / f"{experiment}.yaml").read_text(encoding="utf-8")
    typed = re.search(rf"python -m deepcryopicker\.(\w+) \+experiment={experiment}\b(.*)", text)
    return typed.groups() if typed else ("train", "")


def test_an_experiment_in_a_folder_says_how_it_is_typed():
    silent = {name for name in EXPERIMENTS if "/" in name and command_of(name) == ("train", "")}
    text = {name: (CONF_DIR / "experiment" / f"{name}.yaml").read_text("utf-8") for name in silent}
    assert {name for name in silent if f"+experiment={name}\n" not in text[name]} == {
        "ablation/few_samples"  # what others have in common
    }


def test_sweeps_have_folders_of_their_own():
    files = [OmegaConf.load(CONF_DIR / "experiment" / f"{name}.yaml") for name in EXPERIMENTS]
    found = [OmegaConf.to_container(one).get("hydra", {}).get("sweep") for one in files]
    folders = [one["dir"].removesuffix("/${dataset.name}") for one in found if one]
    assert len(folders) > 25
    assert len(set(folders)) == len(folders)
    assert all(folder.startswith("outputs/") for folder in folders)


def test_experiments_with_trained_weights_say_that_they_need_them():
    given = {
        name: typed for name in EXPERIMENTS for kind, typed in [command_of(name)] if kind == "pick"
    }
    names = ("nms", "nms_iou", "cleaning", "distance", "scale_factor", "step")
    assert {f"ablation/{name}" for name in names} <= set(given)
    assert " picker.weights=" not in given.pop("cryoppp7")  # general weights
    assert all(" picker.weights=" in typed for typed in given.values())


@pytest.mark.parametrize("experiment", EXPERIMENTS)
@pytest.mark.thorough
def test_an_experiment_composes_and_does_what_it_says(experiment):
    command, typed = command_of(experiment)
    needed = [one for one in typed.split() if one.startswith("picker.weights=")]
    given = [f"+experiment={experiment}", *needed, *NEEDED.get(experiment, [])]
    settings = composed(command, *given)
    assert type(OmegaConf.to_object(settings)) is PRIMARIES[command]
    written = OmegaConf.load(CONF_DIR / "experiment" / f"{experiment}.yaml")
    for override in written.pop("defaults", []):
        if isinstance(override, str) or "override /" not in next(iter(override)):
            continue  # builds on another experiment
        (group, option), *_ = override.items()
        chosen = group.removeprefix("override /")
        kind = type(alone(chosen, option))
        assert OmegaConf.get_type(settings[chosen.replace("-", "_")]) is kind
    sweep = OmegaConf.select(written, "hydra.sweeper.params", default={})
    for key, values in sweep.items():
        override = OverridesParser.create().parse_override(f"{key}={values}")
        assert override.is_sweep_override()
        for value in override.sweep_string_iterator():
            if key in GROUPS:
                assert (key, value) in OPTIONS
            elif "/" not in key:  # rivals are composed below
                build_with(f"{key}={value}", command, *given)
    written.pop("hydra", None)  # no part of what compose returns
    plain = OmegaConf.create(OmegaConf.to_container(settings))
    assert OmegaConf.merge(plain, written) == plain


def values_of(experiment, key):
    """What an experiment sweeps over, as it is typed."""
    written = OmegaConf.load(CONF_DIR / "experiment" / f"{experiment}.yaml")
    sweep = f"{key}={written.hydra.sweeper.params[key]}"
    return list(OverridesParser.create().parse_override(sweep).sweep_string_iterator())


def test_the_ablation_leaves_out_every_step_once():
    steps = build("label").preprocessing.steps
    assert values_of("ablation/leave_one_step_out", "preprocessing.skip") == ["null", *steps]


def test_every_labeler_that_learns_is_compared():
    compared = values_of("ablation/compare_labelers", "labeler")
    assert sorted([*compared, "structure", "truth"]) == sorted(LABELERS)


RIVALS = sorted(path.stem for path in (CONF_DIR / "experiment" / "rival").glob("*.yaml"))
BENCHMARKS = [name for name in EXPERIMENTS if name.startswith("benchmark/")]


def rivals_of(benchmark):
    return values_of(benchmark, "experiment/rival@_global_")


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("benchmark", "rival"),
    [(benchmark, rival) for benchmark in BENCHMARKS for rival in rivals_of(benchmark)],
)
def test_rivals_are_compared_on_what_none_of_them_has_learnt_from(benchmark, rival):
    chosen = f"experiment/rival@_global_={rival}"
    settings = build("train", f"+experiment={benchmark}", chosen)
    assert 0 < settings.held_out < 1
    assert settings.baseline is None


@pytest.mark.thorough
@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_every_option_of_a_sweep_can_be_chosen(experiment):
    written = OmegaConf.load(CONF_DIR / "experiment" / f"{experiment}.yaml")
    command, typed = command_of(experiment)
    needed = [one for one in typed.split() if one.startswith("picker.weights=")]
    for key in set(OmegaConf.select(written, "hydra.sweeper.params", default={})) & set(GROUPS):
        for option in values_of(experiment, key):
            settings = build(command, f"+experiment={experiment}", *needed, f"{key}={option}")
            chosen = getattr(settings, key.replace("-", "_"))
            assert type(chosen) is type(alone(key, option))


def test_every_rival_is_in_a_benchmark_and_every_picker_a_rival():
    compared = {
        rival for name in BENCHMARKS for rival in values_of(name, "experiment/rival@_global_")
    }
    assert compared == set(RIVALS)
    written = [OmegaConf.load(CONF_DIR / "experiment" / "rival" / f"{one}.yaml") for one in RIVALS]
    chosen = {
        each["override /picker"]
        for one in written
        for each in one.defaults
        if "override /picker" in each
    }
    assert chosen == {name for name in PICKERS if not name.endswith("_sliding")}


def test_every_rule_of_selection_is_compared():
    modes = values_of("ablation/selection_modes", "labeler.selection.mode")
    assert sorted(modes) == sorted(labelers.MODES)


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_is_a_subpackage_with_schema_and_tests(group):
    name = group.replace("-", "_")
    assert (PACKAGE / name / "__init__.py").is_file()
    assert (PACKAGE / name / "schema.py").is_file()
    assert (TESTS / name).is_dir()


def test_every_schema_belongs_to_a_group():
    assert sorted(registry.SCHEMAS) == GROUPS
    # Rivals are options of the group picker.
    assert {p.relative_to(PACKAGE).parts[0] for p in PACKAGE.rglob("schema.py")} == {
        "rivals",
        *(group.replace("-", "_") for group in GROUPS),
    }


OUT_OF_RANGE = [
    "seed=-1",
    "overlays=-1",
    "outputs=[csv,emn]",
    "max_label_micrographs=0",
    "dataset.kinds=[]",
    "dataset.kinds=[apoferitin]",
    "dataset.micrographs_per_kind=0",
    "dataset.shape=[100,100]",
    "dataset.shape=[512]",
    "dataset.dose=0",
    "preprocessing.working_diameter=4",
    "preprocessing.working_diameter=1000",
    "preprocessing.model_input=nowhere",
    "preprocessing.skip=nowhere",
    "preprocessing.scale=0.01",
    "preprocessing.scale=5",
    "preprocessing.precision=half",
    "preprocessing.scaling=steps",
    "labeler.rarest_shape=-0.1",
    "labeler.rarest_shape=1.1",
    "labeler.clip=0",
    "labeler.seeds.clusters=1",
    "labeler.seeds.sensitivity=1",
    "labeler.seeds.selection.mode=paper",
    "labeler.seeds.selection.overlap=1.1",
    "labeler.blobs.scale=0.6",
    "labeler.blobs.clip=-1",
    "labeler.blobs.distance=0",
    "labeler.blobs.typical.weakest=1",
    "labeler.blobs.typical.contrast=[0.9,0.2]",
    "labeler.blobs.typical.isolation=-1",
    "held_out=0",
    "held_out=1",
    "class_set.classes=[top,botom,background]",
    "class_set.classes=[background]",
    "class_set.classes=[top]",
    "class_set.samples_per_class=1",
    "class_set.background_windows=0",
    "class_set.off_centre_share=2",
    "class_set.validation=1",
    "class_set.test=-0.1",
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
    "picker.max_area=0",
    "picker.iou=2",
    "picker.max_picks=0",
    "picker.maps=each",
    "picker.suppression=nms",
    "picker.scale_factor=0",
    "picker.tile=100",
    "picker.stride=0",
    "picker.padding=zeros",
    "picker.precision=half",
    "picker.device=gpu",
    "baseline.threshold=1.1",
    "baseline.labeler.clip=0",
    "baseline.labeler.typical.weakest=-0.1",
]


def refused_by_name(command, *overrides, build=build_with):
    """The message begins with the last override's key in full."""
    *others, value = overrides
    key = value.partition("=")[0].replace(".", r"\.")
    with pytest.raises(UsageError, match=rf"^(give \S+ or )?{key}\b"):
        build(value, command, *others)


@pytest.mark.parametrize("override", OUT_OF_RANGE)
def test_a_value_out_of_range_is_refused_by_name(override):
    refused_by_name("train", override)


@pytest.mark.parametrize(
    "override",
    [
        "seed=-1",
        "dataset.dose=0",
        "preprocessing.scale=5",
        "labeler.blobs.typical.weakest=1",
        "class_set.off_centre=[0.3]",
        "model.widths=[1,2]",
        "trainer.device=gpu",
        "picker.tile=100",
        "baseline.labeler.clip=0",
    ],
)
def test_a_value_out_of_range_is_refused_by_name_as_it_is_typed(override):
    """One of each section, composed by Hydra."""
    refused_by_name("train", override, build=lambda value, name: build(name, value))


OF_LABELERS = {
    "ibc": (
        "clusters=1 clusters=65 sensitivity=1 selection.mode=paper selection.overlap=1.1 "
        "selection.rarest_shape=-0.1"
    ),
    "kmeans": "clusters=1 selection.overlap=-1",
    "fcm": "clusters=65 selection.overlap=-1",
    "super_kmeans": "clusters=1 sensitivity=0",
    "log": (
        "scale=0.01 scale=0.6 clip=0 distance=0 typical.weakest=1 typical.weakest=-0.1 "
        "typical.contrast=[0.9,0.2] typical.contrast=[0.1] typical.contrast=[0,1.1] "
        "typical.isolation=-1"
    ),
    "auto": "clip=-1 rarest_shape=2",
}
WITHIN_LABELERS = [
    (option, value) for option, values in OF_LABELERS.items() for value in values.split()
]


@pytest.mark.parametrize(("option", "value"), WITHIN_LABELERS)
def test_a_labelers_value_out_of_range_is_refused_by_name(option, value):
    refused_by_name("label", f"labeler={option}", f"labeler.{value}")


@pytest.mark.parametrize("place", ["picker", "baseline"])
@pytest.mark.parametrize("option", OF_LABELERS)
@pytest.mark.thorough
def test_within_a_picker_the_name_is_still_the_one_typed(place, option):
    group = "picker@baseline" if place == "baseline" else "picker"
    given = [f"{group}=auto", f"labeler@{place}.labeler={option}"]
    refused_by_name("train", *given, f"{place}.labeler.{OF_LABELERS[option].split()[-1]}")


@pytest.mark.parametrize("key", ["labeler", "picker.labeler", "baseline.labeler"])
@pytest.mark.parametrize(
    "value", ["seeds.selection.overlap=2", "seeds.clusters=1", "blobs.typical.weakest=2"]
)
def test_deeper_names_are_given_in_full(key, value):
    pickers = ["picker=auto", "picker@baseline=auto"]
    refused_by_name("train", *pickers, f"{key}.{value}")


@pytest.mark.parametrize(
    "overrides",
    [
        ["model=timm", "model.window=4"],
        ["model=timm", "model.stride=0"],
        ["model=deepcryopicker", "model.dropout=1"],
        ["picker=log", "picker.threshold=2"],
        ["picker=sliding", "picker.step=0"],
        ["picker=sliding", "picker.batch=0"],
        ["picker=relion_log", "picker.threshold=2"],
        ["picker=relion_log", "picker.diameters=[1.2,0.8]"],
        ["picker=relion_log", "picker.diameters=[1]"],
        ["picker=relion_reference", "picker.lowpass=0"],
        ["picker=relion_reference", "picker.structure=[a.pdb,b.mrc]"],
        ["picker=relion_template", "picker.picks=2"],
        ["picker=relion_template", "picker.classes=0"],
        ["picker=relion_template", "picker.lowpass=0"],
        ["picker=topaz_pretrained", "picker.working_diameter=2"],
        ["picker=topaz_trained", "picker.updates=0"],
        ["picker=topaz_trained", "picker.batch=0"],
        ["picker=imported", "picker.picks=p", "picker.threshold=-1"],
        ["picker=eman2", "picker.threshold=2"],
        ["picker=pixer", "picker.floor=-1"],
        ["picker=pixer", "picker.distance=0"],
        ["picker=fast_rcnn", "picker.steps=0"],
        ["picker=fast_rcnn", "picker.device=gpu"],
        ["picker@baseline=eman2", "baseline.steps=0"],
        ["picker=log", "picker.labeler.scale=0"],
        ["picker=log", "picker.labeler.distance=0"],
        ["picker=supercryopicker", "picker.labeler.clusters=1"],
        ["dataset=folder", "dataset.micrographs=m", "dataset.diameter=0"],
        ["dataset=folder", "dataset.micrographs=m", "dataset.diameter=inf"],
        ["dataset=folder", "dataset.micrographs=m", "dataset.diameter_angstrom=-1"],
        ["dataset=folder", "dataset.micrographs=m", "dataset.pixel_size=nan"],
        ["dataset=folder", "dataset.micrographs=m", "dataset.polarity=light"],
        ["dataset=apoferritin", "dataset.diameter_angstrom=100"],
    ],
)
@pytest.mark.thorough
def test_a_value_out_of_range_of_another_option_is_refused_by_name(overrides):
    refused_by_name("train", *overrides)


@pytest.mark.parametrize(
    "override", ["evaluate.radius=0", "evaluate.missing=ignore", "evaluate.against_threshold=1"]
)
def test_evaluate_refuses_values_out_of_range_by_name(override):
    refused_by_name("evaluate", *NEEDED["evaluate"], override)


@pytest.mark.parametrize("override", ["report.runs=[]", "report.picture_megabytes=-1"])
def test_report_refuses_values_out_of_range_by_name(override):
    refused_by_name("report", *NEEDED["report"], override)


SCHEMA_FILES = [
    *sorted(PACKAGE.rglob("schema.py")),
    PACKAGE / "config" / "schemas.py",
    PACKAGE / "config" / "sections.py",
]


def every_schema():
    """Every configuration dataclass of the package."""
    for path in SCHEMA_FILES:
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
        if path not in SCHEMA_FILES
    ]
    kinds = list(every_schema())
    assert {"TrainConfig", "ReportSection", "DenseConfig"} <= {kind.__name__ for kind in kinds}
    assert unread(kinds, sources) == []


def test_the_search_for_unread_keys_can_fail():
    kind = dataclasses.make_dataclass("Kind", ["used", "assigned", "passed", "mentioned"])
    source = "f(schemas.used, passed=1); schemas.assigned = 2  # schemas.mentioned"
    assert unread([kind], [source]) == ["Kind.assigned", "Kind.passed", "Kind.mentioned"]
