"""Shards: every micrograph belongs to exactly one, whatever else is there."""

import pytest

from deepcryopicker.dataset.shard import Shard
from deepcryopicker.errors import UsageError

NAMES = [f"grid{index % 7}/micrograph_{index:04d}" for index in range(2000)]


@pytest.mark.parametrize("count", [1, 2, 4, 7])
def test_every_name_belongs_to_one_shard_and_all_are_about_as_large(count):
    shards = [Shard.parse(f"{index}/{count}") for index in range(1, count + 1)]
    parts = [[name for name in NAMES if shard.takes(name)] for shard in shards]
    assert sorted(name for part in parts for name in part) == sorted(NAMES)
    for part in parts:
        assert abs(len(part) - 2000 / count) < 0.15 * 2000 / count


def test_the_shard_of_a_name_never_changes():
    """Other machines, and other versions of the program, have to agree."""
    assert [name for name in "abcdefgh" if Shard(1, 3).takes(name)] == ["a", "c", "d", "e", "h"]


@pytest.mark.parametrize("text", ["0/4", "5/4", "1", "a/b", "1/4/2", "-1/4", "1/0", "../4"])
def test_other_texts_are_refused(text):
    with pytest.raises(UsageError, match=r"^shard must be 1/N"):
        Shard.parse(text)
