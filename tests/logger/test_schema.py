"""What W&B would refuse is refused before anything is done."""

import pytest

from deepcryopicker.errors import UsageError
from deepcryopicker.logger.schema import WandbConfig


@pytest.mark.parametrize("project", ["", "p" * 129, *(f"a{sign}b" for sign in "/\\#?%:")])
def test_a_project_that_wandb_refuses(project):
    with pytest.raises(UsageError, match=r"^logger\.wandb\.project must be 1 to 128 characters"):
        WandbConfig(project=project)


@pytest.mark.parametrize("project", ["p" * 128, "cryo EM, 2nd try"])
def test_a_project_that_wandb_takes(project):
    assert WandbConfig(project=project).project == project
