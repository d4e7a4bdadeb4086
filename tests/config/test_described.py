"""Every key of every schema is explained, and the document of all is up to date."""

import dataclasses
import importlib.util
from pathlib import Path

import pytest

from deepcryopicker.config.described import describe_keys
from deepcryopicker.config.groups import SCHEMAS
from deepcryopicker.config.registry import COMMANDS
from deepcryopicker.dataset.schema import FolderConfig

GUIDE = Path(__file__).parents[2] / "docs" / "guide"
EVERY = {f"{group}={name}": each for group in SCHEMAS for name, each in SCHEMAS[group].items()}
# What the configuration puts together, rather than a value that is typed.
COMPOSED = {*SCHEMAS, "class_set", "baseline"}


@pytest.mark.parametrize("name", [*EVERY, *COMMANDS])
def test_every_key_is_explained(name):
    schema = EVERY.get(name) or COMMANDS[name]
    explained = {key.name for key in describe_keys(schema)}
    lacking = {
        field.name
        for field in dataclasses.fields(schema)
        if not dataclasses.is_dataclass(field.type) and field.name not in explained
    }
    assert lacking <= COMPOSED | {"members", "simulated", "source", "maps", "steps", "labeler"}


def test_types_defaults_and_texts_are_those_of_the_docstring():
    keys = {key.name: key for key in describe_keys(FolderConfig)}
    assert keys["micrographs"].default == "required"
    assert keys["diameter"].default == "null"
    assert (keys["polarity"].kind, keys["polarity"].default) == ("str", "dark")
    assert keys["pixel_size"].text.startswith("Angstrom per pixel; null reads it")


def test_the_document_is_that_of_the_schemas():
    found = importlib.util.spec_from_file_location("options_document", GUIDE / "options.py")
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    assert (GUIDE / "options.md").read_text() == module.main(), "python docs/guide/options.py"
