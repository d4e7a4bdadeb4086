"""Shards: runs that each pick a part of the dataset, their folders, and when all have ended.

Each shard has its own run folder, so that machines do not interfere: below ``shards/`` in the
folder of the whole run, or as a job of a sweep. The whole run collects their picks.
"""

from pathlib import Path
from typing import Any

from deepcryopicker.dataset.shard import Shard
from deepcryopicker.runs.manifest import MADE_BY
from deepcryopicker.runs.saved_config import difference, read_settings
from deepcryopicker.runs.status import STATUS, read_outcome

# Values in the configuration of the whole run.
_OF_THE_WHOLE: dict[str, Any] = {"shard": None, "watch": False}


def shard_folder(whole: Path, shard: Shard) -> Path:
    """Return the run folder of a shard outside of a sweep."""
    return whole / "shards" / f"{shard.index}of{shard.count}"


def shard_folders(whole: Path) -> list[Path]:
    """List the run folders of shards that have picked at least one micrograph."""
    made = [*whole.glob(f"shards/*of*/{MADE_BY}"), *whole.glob(f"[0-9]*/{MADE_BY}")]
    return sorted(path.parent for path in made)


def of_the_whole(settings: dict[str, Any]) -> dict[str, Any]:
    """Turn the configuration of a shard into that of the whole run, which merges all shards."""
    return settings | _OF_THE_WHOLE


def complete(whole: Path, settings: dict[str, Any]) -> bool:
    """Whether all shards have ended and have not been merged since.

    Parameters
    ----------
    whole : Path
        Folder of the whole run.
    settings : dict
        Resolved configuration of any shard.
    """
    ended: dict[str, float] = {}
    for folder in shard_folders(whole):
        there, outcome = read_settings(folder) or {}, read_outcome(folder)
        same = difference(of_the_whole(there), of_the_whole(settings)) is None
        if same and outcome is not None and outcome.finished:
            ended[str(there.get("shard"))] = (folder / STATUS).stat().st_mtime
    count = Shard.parse(settings["shard"]).count
    if not ended.keys() >= {f"{index}/{count}" for index in range(1, count + 1)}:
        return False
    together = whole / STATUS
    return not together.is_file() or together.stat().st_mtime < max(ended.values())
