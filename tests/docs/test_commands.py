"""Every command, option and key that the documents name exists, so that none of them goes stale."""

import copy
import re
import shlex
from dataclasses import fields, is_dataclass
from functools import reduce
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from deepcryopicker.config import registry
from deepcryopicker.config.groups import SCHEMAS
from deepcryopicker.config.paths import CONF_DIR

ROOT = Path(__file__).parents[2]
DOCUMENTS = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    ROOT / "deepcryopicker" / "model" / "general" / "README.md",
]
OF_THE_PAST = {"CHANGELOG.md"}  # names what was renamed
TEXTS = {
    path.relative_to(ROOT).as_posix(): path.read_text("utf-8")
    for path in DOCUMENTS
    if path.name not in OF_THE_PAST
}
NAMES = "|".join(registry.COMMANDS)
COMMAND = re.compile(rf"(?:(?:python -m )?deepcryopicker[. ])?({NAMES})\s+(\S.*)")
OVERRIDE = re.compile(r"[+~]*[a-z][\w.@/-]*=.*")
# What stands for the reader's own: DIR, N, RUN/picks, ...; nothing, as in `labeler=`.
PLACEHOLDER = re.compile(r"\b[A-Z][A-Z]*\b|\.\.\.|…|\$|^$")


def code_in(text):
    """Yield every piece of code: lines of blocks, continued ones joined, and spans in sentences.

    Python is left to the test of docs/api.md.
    """
    for kind, block in re.findall(r"^```(\w*)\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        if kind == "python":
            continue
        for line in block.replace("\\\n", " ").splitlines():
            yield re.sub(r"\s+#\s.*", "", line.removeprefix("$ ")).strip()
    prose = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    for span in re.findall(r"`([^`]+)`", prose):
        yield " ".join(span.split())


def overrides_in(code):
    """Split a piece of code into words, and keep those that set something.

    Options of plugins are left to tests/end_to_end/test_plugins.py, the table of runs, which has
    columns instead of keys, to test_runs.py, and export to tests/model/test_exported_weights.py.
    """
    if "plugins=" in code or code.startswith(("deepcryopicker runs", "deepcryopicker export")):
        return []
    try:
        words = shlex.split(code)
    except ValueError:  # half of a quotation
        words = code.split()
    found = [word.rstrip(",;") for word in words if OVERRIDE.fullmatch(word)]
    # A parenthesis that the sentence closes, not the value.
    return [word.rstrip(")") if word.count(")") > word.count("(") else word for word in found]


def commands_in(text):
    """Yield each command of a text, with what is typed after it."""
    for code in code_in(text):
        found = COMMAND.match(code)
        if found:
            yield found[1], tuple(overrides_in(found[2]))


FRAGMENTS = {
    override: name
    for name, text in TEXTS.items()
    for code in code_in(text)
    for override in overrides_in(code)
}
OF_HYDRA = {
    *("hydra.run.dir", "hydra.sweep.dir"),
    *("hydra.sweeper.n_jobs", "hydra.sweeper.n_trials"),
}
COMMANDS = {command for text in TEXTS.values() for command in commands_in(text)}


def is_choice(override):
    """Whether an override chooses an option of a group."""
    group = override.lstrip("+~").partition("=")[0].partition("@")[0]
    others = {"hydra/launcher", "hydra/sweeper", "search"}
    return group in SCHEMAS or group.partition("/")[0] == "experiment" or group in others


def problem_of(override):
    """Say what a choice or key names that does not exist; None if nothing."""
    key, _, value = override.lstrip("+~").partition("=")
    if is_choice(override):
        group = key.partition("@")[0]
        options = [one for one in value.split(",") if not PLACEHOLDER.search(one) and one != "null"]
        missing = [one for one in options if not (CONF_DIR / group / f"{one}.yaml").is_file()]
        return f"{group} has no {missing}" if missing else None
    if key.startswith("hydra."):
        return None if key in OF_HYDRA else f"{key} is not known here"
    if key == "seeds":  # of the command line
        return None
    head, _, rest = key.partition(".")
    group = "picker" if head == "baseline" else head.replace("_", "-")
    if not rest:
        if group in SCHEMAS and value != "null":
            return f"{head} is a group"
        return first_problem(registry.COMMANDS.values(), key, value)
    sections = {one.name: one.type for each in registry.COMMANDS.values() for one in fields(each)}
    schemas = SCHEMAS[group].values() if group in SCHEMAS else [sections.get(head)]
    return first_problem(filter(is_dataclass, schemas), rest, value)


def first_problem(schemas, key, value):
    """Return None if any schema takes the value."""
    problems = [problem_in(OmegaConf.structured(schema), key, value) for schema in schemas]
    return None if None in problems else (problems or [f"no key {key}"])[0]


def problem_in(settings, key, value):
    """Say why a configuration does not take a value; None if it does."""
    parent, _, last = key.rpartition(".")
    try:
        place = reduce(lambda node, part: node[part], parent.split(".") if parent else [], settings)
        if last not in place.keys():  # noqa: SIM118, `in` overlooks what is missing
            return f"no key {key}"
        if not PLACEHOLDER.search(value):
            override = OverridesParser.create().parse_override(f"{key}={value}")
            if not override.is_sweep_override():
                OmegaConf.update(settings, key, override.value())
    except OmegaConfBaseException as error:
        return str(error)
    return None


@pytest.mark.parametrize("override", sorted(FRAGMENTS))
def test_what_is_set_exists(override):
    assert problem_of(override) is None, FRAGMENTS[override]


def first_choices(overrides):
    """Of a sweep over options, such as model=compact,timm, the first."""
    return tuple(
        re.sub(r"=([^,]*),.*", r"=\1", each)
        for each in overrides
        if is_choice(each) and not PLACEHOLDER.search(each.partition("=")[2])
    )


def is_an_experiment_alone(command, overrides):
    """Whether tests/config/test_options.py composes it."""
    if len(overrides) != 1 or not overrides[0].startswith("+experiment="):
        return False
    path = CONF_DIR / "experiment" / f"{overrides[0].partition('=')[2]}.yaml"
    return path.is_file() and f"deepcryopicker.{command} {overrides[0]}" in path.read_text("utf-8")


CHOICES = {}
for each_command in COMMANDS:
    if not is_an_experiment_alone(*each_command):
        name, typed = each_command
        # Of the command line: seeds=3 is a sweep over the seed.
        keys = {
            one for one in typed if not is_choice(one) and not one.startswith(("hydra.", "seeds="))
        }
        CHOICES.setdefault((name, first_choices(typed)), set()).update(keys)


@pytest.mark.parametrize(("command", "chosen"), sorted(CHOICES))
def test_a_command_composes_and_has_the_keys_that_are_set(command, chosen, monkeypatch):
    monkeypatch.setenv("DEEPCRYOPICKER_DATA", "/data")
    registry.register()
    with initialize_config_dir(str(CONF_DIR), version_base="1.3"):
        settings = compose(command, list(chosen))
    for override in CHOICES[command, chosen]:
        key, _, value = override.partition("=")
        assert problem_in(copy.deepcopy(settings), key, value) is None


def test_the_searches_find_something():
    assert len(FRAGMENTS) > 100
    assert len(COMMANDS) > 60
    assert {command for command, _ in COMMANDS} == set(registry.COMMANDS)


@pytest.mark.parametrize(
    "stale",
    [
        "+experiment=table9",
        "picker=densest",
        "class_set=five",
        "picker.thresold=0.3",
        "optimizer.lr=1",
        "seed=x",
        "hydra.run.folder=RUN",
        "model=compact,tim",
    ],
)
def test_what_does_not_exist_is_noticed(stale):
    assert problem_of(stale) is not None
