"""What ``import deepcryopicker`` offers, and what it costs."""

import inspect
import subprocess
import sys

import pytest

import deepcryopicker

FUNCTIONS = [name for name in deepcryopicker.__all__ if name.islower() and name != "__version__"]


def python(code):
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (answer.returncode, answer.stderr) == (0, "")
    return answer.stdout.strip()


def test_the_import_loads_nothing():
    loaded = python(
        "import sys; before = set(sys.modules); import deepcryopicker; "
        "print(sorted(name.partition('.')[0] for name in set(sys.modules) - before "
        "if name.partition('.')[0] in "
        "('numpy', 'torch', 'hydra', 'omegaconf', 'rich', 'scipy', 'cv2')))"
    )
    assert loaded == "[]"


def test_the_import_takes_no_time():
    seconds = python(
        "import time; start = time.process_time(); import deepcryopicker; "
        "print(time.process_time() - start)"
    )
    assert float(seconds) <= 0.2


@pytest.mark.thorough
def test_nothing_that_is_exported_loads_hydra_tracking_or_plots():
    loaded = python(
        "import sys, deepcryopicker as d; [getattr(d, name) for name in d.__all__]; "
        "print([name for name in ('hydra', 'wandb', 'deepcryopicker.plots') "
        "if name in sys.modules])"
    )
    assert loaded == "[]"


def test_everything_exported_is_there_and_listed():
    assert set(deepcryopicker.__all__) <= set(dir(deepcryopicker))
    for name in deepcryopicker.__all__:
        assert getattr(deepcryopicker, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'pick_micrographs'"):
        _ = deepcryopicker.pick_micrographs


def test_no_name_is_that_of_a_module():
    """``import deepcryopicker.pick`` sets an attribute of that name."""
    from deepcryopicker.__main__ import COMMANDS

    assert not set(deepcryopicker.__all__) & {*COMMANDS, "types", "frames", "errors", "api"}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_options_are_given_by_name_and_explained(name):
    function = getattr(deepcryopicker, name)
    parameters = inspect.signature(function).parameters.values()
    positional = [one for one in parameters if one.kind is not one.KEYWORD_ONLY]
    assert len(positional) <= 2
    for one in parameters:
        assert one.name in (inspect.getdoc(function) or "")
