"""Which keys of the configuration decide the picks: all of them, but those listed here.

Picks that an earlier run has left in a folder are kept if every key that decides is the same. A
key that is wrongly said not to matter would let other picks pass for these.
"""

import dataclasses

import pytest

from deepcryopicker.config.groups import SCHEMAS
from deepcryopicker.config.registry import COMMANDS
from deepcryopicker.runs import manifest
from deepcryopicker.runs.manifest import deciding

DO_NOT_DECIDE = {
    "outputs": "formats of the same picks",
    "overlays": "pictures are drawn of picks, and change none",
    "reference": "published numbers for the table of a sweep",
    **{
        f"logger.wandb.{name}": "where results are copied to"
        for name in ("enabled", "offline", "project")
    },
    "redo": "whether to pick again, not how",
    "shard": "which micrographs this machine picks",
    "watch": "whether to wait for more micrographs",
    "watching.every": "how often a folder is looked at",
    "watching.idle": "when to stop waiting",
    "watching.patience": "when a file counts as damaged, which then has no picks",
    "watching.refresh": "how often lists are written",
    "dataset.micrographs": "the manifest names the file of every micrograph",
    "dataset.coordinates_check": "whether coordinates are doubted",
    **{
        f"dataset.coordinates_{name}": "the hash of every micrograph holds how its truth is read"
        for name in ("swapped", "scale", "threshold", "classes")
    },
    "picker.device": "what is computed, not where",
    "picker.micrograph_suffix": "which files STAR files name, not what is picked",
    "preprocessing.save_stages": "pictures of what the network sees",
}
# Where a section of the configuration has one of several schemas, and those of its parts.
GROUPS = {
    "dataset": "dataset",
    "preprocessing": "preprocessing",
    "labeler": "labeler",
    "class_set": "class-set",
    "model": "model",
    "trainer": "trainer",
    "picker": "picker",
    "baseline": "picker",
    "logger": "logger",
}


def keys_of(kind, above=""):
    """Every key that a schema leads to, with those of all schemas that a section may have."""
    for each in dataclasses.fields(kind):
        key = f"{above}{each.name}"
        inner = next((t for t in types_in(each.type) if dataclasses.is_dataclass(t)), None)
        if each.name in GROUPS and inner is None:
            for schema in SCHEMAS[GROUPS[each.name]].values():
                yield from keys_of(schema, f"{key}.")
        elif inner is not None and "dict" not in str(each.type):
            yield from keys_of(inner, f"{key}.")
        else:
            yield key


def types_in(annotation):
    return [annotation, *getattr(annotation, "__args__", ())]


KEYS = sorted({key for name in ("pick", "train") for key in keys_of(COMMANDS[name])})


def filled(**changes):
    """Settings in which every key has a value, such as ``{"picker": {"floor": "one"}}``."""
    settings = {}
    for key in KEYS:
        *sections, name = key.split(".")
        place = settings
        for section in sections:
            place = place.setdefault(section, {})
        place[name] = changes.get(key, "one")
    return settings


@pytest.fixture(autouse=True)
def _weights_are_their_content(monkeypatch):
    """No files of weights: another path is another content."""
    monkeypatch.setattr(manifest, "content_of", str)


def test_the_keys_are_those_of_every_schema():
    assert len(KEYS) > 150
    assert {"picker.smoothing", "picker.labeler.blobs.clip", "dataset.members", "seed"} <= set(KEYS)
    assert {"watching.idle", "trainer.epochs", "baseline.threshold"} <= set(KEYS)
    assert set(DO_NOT_DECIDE) <= set(KEYS)


def test_a_key_decides_the_picks_unless_there_is_a_reason():
    same = deciding(filled())
    without = {key for key in KEYS if deciding(filled(**{key: "another"})) == same}
    assert without == set(DO_NOT_DECIDE)
