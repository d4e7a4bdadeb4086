"""Fixtures that several folders share."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def real_data():
    """Folder with the real micrographs; absent ones skip a test, or fail it where required."""
    given = os.environ.get("DEEPCRYOPICKER_DATA")
    if given and Path(given).is_dir():
        return Path(given)
    reason = f"DEEPCRYOPICKER_DATA names no folder: {given}"
    if os.environ.get("DEEPCRYOPICKER_REQUIRE_DATA"):
        pytest.fail(reason)
    pytest.skip(reason)
