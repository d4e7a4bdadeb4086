"""Figures of picks on micrographs."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from deepcryopicker.io.files.yaml_files import part
from deepcryopicker.model.weights import CARD
from deepcryopicker.paper.figures.score_figures import by_dataset, file_name
from deepcryopicker.plots.overlays import draw_overlay
from deepcryopicker.plots.tiles import WHITE, Rgb, Tile, grid, write_picture
from deepcryopicker.reporting.content.scored_pickers import ScoredMicrograph, ScoredPicker
from deepcryopicker.reporting.reading.pick_sets import PickSet
from deepcryopicker.reporting.reading.run_files import UnreadableError, read_settings

_TILE = 640  # longer side of a micrograph, pixels
_MOST_TILES = 12
_COLUMNS = 3


def network_picks(scored_pickers: Sequence[ScoredPicker], folder: Path) -> list[Path]:
    """Draw the picks of the network on the first micrograph of every group (figure 3)."""
    tiles = []
    groups: set[str] = set()
    for scored in scored_pickers:
        if not is_network(scored.pick_set) or is_unseen(scored.pick_set):
            continue
        for one in scored.micrographs:
            if one.entry is not None and one.entry.group not in groups:
                groups.add(one.entry.group)
                tiles.append(_tile(one, scored.pick_set, one.entry.group))
    return _save(folder / "figure_03_picks.png", tiles)


def unseen(scored_pickers: Sequence[ScoredPicker], folder: Path) -> list[Path]:
    """Draw picks on datasets on which the network was not trained (figure 5)."""
    tiles = []
    for scored in scored_pickers:
        there = [one for one in scored.micrographs if one.entry is not None]
        if there and is_network(scored.pick_set) and is_unseen(scored.pick_set):
            tiles.append(_tile(there[0], scored.pick_set, scored.pick_set.name))
    return _save(folder / "figure_05_unseen.png", tiles)


def rivals(
    scored_pickers: Sequence[ScoredPicker], datasets: Mapping[str, str], folder: Path
) -> list[Path]:
    """Draw hits and missed particles of each picker in one micrograph per dataset (figure 7).

    Parameters
    ----------
    scored_pickers : sequence of ScoredPicker
    datasets : mapping
        From the name of a set of picks to its dataset.
    folder : Path

    Returns
    -------
    list of Path
        PNG files, one for each dataset with several pickers.
    """
    files = []
    for dataset, members in by_dataset(scored_pickers, datasets).items():
        entries = {one.name: one.entry for each in members for one in each.micrographs if one.entry}
        tiles = []
        for member in members:
            one = next((each for each in member.micrographs if each.name in entries), None)
            if one is not None:
                entry = entries[one.name]
                scored = ScoredMicrograph(one.name, one.picks, one.evaluated, entry, one.radius)
                tiles.append(_tile(scored, member.pick_set, member.pick_set.name))
        if len(tiles) > 1:
            files += _save(folder / f"figure_07_{file_name(dataset)}.png", tiles)
    return files


def is_network(pick_set: PickSet) -> bool:
    """Whether the picks are those of a trained network."""
    if pick_set.run.command == "train":
        return pick_set.folder == pick_set.run.path
    return bool(pick_set.run.command == "pick" and pick_set.run.section("picker").get("weights"))


def is_unseen(pick_set: PickSet) -> bool:
    """Whether the network was trained on other datasets than the one picked."""
    if pick_set.run.command == "train":
        return bool(
            pick_set.run.settings.get("held_out_member") and not pick_set.run.settings.get("adapt")
        )
    weights = pick_set.run.section("picker").get("weights")
    if pick_set.run.command != "pick" or not weights:
        return False
    path = Path(str(weights))
    try:
        card = read_settings((path if path.is_dir() else path.parent) / CARD)
    except UnreadableError:
        return False
    trained_on = part(card, "provenance").get("dataset")
    return trained_on is not None and trained_on != pick_set.dataset


def _tile(one: ScoredMicrograph, pick_set: PickSet, title: str) -> Tile:
    return [(title, WHITE)], _overlay(one, pick_set.threshold)


def _overlay(one: ScoredMicrograph, threshold: float) -> Rgb:
    """Draw the overlay of a micrograph as in ``pick``."""
    assert one.entry is not None
    outcome = None if one.evaluated is None else one.evaluated.outcome
    missed = None if one.evaluated is None else one.evaluated.missed_at(threshold)
    return draw_overlay(one.entry.load(), one.picks, threshold, outcome, missed, _TILE)


def _save(path: Path, tiles: list[Tile]) -> list[Path]:
    if not tiles:
        return []
    shown = tiles[:_MOST_TILES]
    write_picture(path, grid(shown, columns=min(_COLUMNS, len(shown))))
    return [path]
