"""Fixtures that several folders share."""

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import settings

# The same examples in every run, so that a change is not blamed for what another draw finds;
# `pytest --hypothesis-profile=default` draws new ones.
settings.register_profile("repeatable", derandomize=True)
settings.load_profile("repeatable")

# As root, without a graphics card, and without asking anybody for anything.
CHROMIUM_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


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


@pytest.fixture(scope="session")
def relion():
    """RELION on the PATH; without it a test is skipped, or fails where it is required."""
    if shutil.which("relion_autopick") is None:
        if os.environ.get("DEEPCRYOPICKER_REQUIRE_RELION"):
            pytest.fail("DEEPCRYOPICKER_REQUIRE_RELION is set, but there is no relion_autopick")
        pytest.skip("no relion_autopick on the PATH")


@pytest.fixture(scope="session")
def chromium():
    """Debian's Chromium, driven by Playwright; without it a test is skipped, or fails."""
    found = shutil.which("chromium")
    if found is None:
        if os.environ.get("DEEPCRYOPICKER_REQUIRE_CHROMIUM"):
            pytest.fail("DEEPCRYOPICKER_REQUIRE_CHROMIUM is set, but there is no chromium")
        pytest.skip("no chromium on the PATH")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()
