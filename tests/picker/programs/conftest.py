"""Programs that tests need."""

import os
import shutil

import pytest


@pytest.fixture
def relion_installed():
    """RELION on the PATH; an absent one skips a test, or fails it where required."""
    if shutil.which("relion_autopick") is None:
        if os.environ.get("DEEPCRYOPICKER_REQUIRE_RELION"):
            pytest.fail("DEEPCRYOPICKER_REQUIRE_RELION is set, but there is no relion_autopick")
        pytest.skip("no relion_autopick on the PATH")
