"""What the page needs to save corrections: commands, weights, and the frame of RELION's files."""

import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from deepcryopicker.dataset.named_files import SAME
from deepcryopicker.errors import DeepCryoPickerError
from deepcryopicker.io.star.optics_groups import optics_notes, optics_table, with_own_numbers
from deepcryopicker.io.star.relion_folder import FLIPPED, is_turned_over, relion_name
from deepcryopicker.io.star.relion_star import checked_name, write_particles_star
from deepcryopicker.model.weights_file import INCLUDED, NETWORK_FILE
from deepcryopicker.pipeline.filtering.picked_micrographs import PickedMicrograph, open_picked
from deepcryopicker.reporting.content.scored_pickers import ScoredPicker
from deepcryopicker.reporting.page.page_model import Correcting, Json
from deepcryopicker.reporting.reading.pick_sets import PickSet
from deepcryopicker.reporting.reading.run_folders import RunFolder, original_run

_ODD = re.compile(r"[^\w.-]+")
_OF_LABELS = ("dataset.coordinates", "dataset.download")
_FOLDER = "folder"


def correcting(scored: ScoredPicker, places: Mapping[str, int]) -> Correcting:
    """Describe how the corrected picks of a picker are saved, and what is done with them.

    Parameters
    ----------
    scored : ScoredPicker
    places : mapping
        From the name of a micrograph to its index on the page.
    """
    pick_set = scored.pick_set
    picks = _picks(pick_set)
    filtering = train = ""
    if picks:
        filtering = f"python -m deepcryopicker.filter filter.picks={shlex.quote(picks)}"
        train = _train_command(scored)
    return Correcting(
        file=_ODD.sub("_", pick_set.name).strip("_.")[:60] or "picks",
        weights=_weights(original_run(pick_set.run)),
        filter=filtering,
        train=train,
        star=_star(picks, places) if picks else None,
    )


def _picks(pick_set: PickSet) -> str:
    """Return what ``filter.picks`` has to be; empty where there is nothing to filter."""
    run = pick_set.run
    if run.command == "evaluate":
        return str(run.section("evaluate").get("picks", ""))
    if run.command == "label":
        return ""
    return str(run.path if pick_set.folder == run.path else pick_set.folder / "picks")


def _weights(run: RunFolder) -> str | None:
    """Return the weights that picked; None if no network did."""
    if (run.path / NETWORK_FILE).is_file():
        return str(run.path)
    if run.schemas.get("picker") not in ("dense", "sliding"):
        return None
    return str(run.section("picker").get("weights") or INCLUDED)


def _train_command(scored: ScoredPicker) -> str:
    """Return the command that learns from the corrections, on the dataset of the run."""
    run = original_run(scored.pick_set.run)
    if run.command not in ("pick", "train"):
        return ""
    schema = run.schemas.get("dataset")
    if schema not in (_FOLDER, "public", "cryoppp"):
        return ""
    typed = [each for each in run.overrides if each.startswith(("dataset=", "dataset."))]
    words = [each for each in typed if not each.startswith(_OF_LABELS) and each != "dataset=folder"]
    named = any(each.startswith("dataset=") for each in words)
    if schema == _FOLDER:
        if not any(each.startswith("dataset.diameter") for each in words):
            sizes = [float(np.nanmedian(o.picks.diameter)) for o in scored.micrographs if o.picks]
            words += [f"dataset.diameter={np.nanmedian(sizes):.4g}"] if sizes else []
    elif not named:  # chosen by an experiment
        words.insert(0, f"dataset={run.section('dataset')['name']}")
    words = ["+experiment=corrections", *words, "dataset.coordinates=corrections.json"]
    return f"python -m deepcryopicker.train {' '.join(shlex.quote(each) for each in words)}"


def _star(picks: str, places: Mapping[str, int]) -> Json | None:
    """Return the head of a ``particles.star``, and how its rows name each micrograph."""
    try:
        listed = [one for one in open_picked(picks, ".mrc").micrographs if one.name in places]
        if not listed:
            return None
        optics = with_own_numbers([one.optics for one in listed])
        every = list(dict.fromkeys(optics))
        with TemporaryDirectory() as folder:
            path = Path(folder) / "particles.star"
            turned = any(is_turned_over(one.named.path, one.named.height) for one in listed)
            notes = [FLIPPED] * turned + optics_notes(every)
            write_particles_star(path, [], optics_table(every), notes)
            head = path.read_text(encoding="utf-8").rstrip("\n")
        rows = {
            str(places[one.name]): _row(one, group.group)
            for one, group in zip(listed, optics, strict=True)
        }
    except (DeepCryoPickerError, OSError):  # no STAR is offered
        return None
    return {"head": head, "micrographs": rows}


def _row(one: PickedMicrograph, group: int) -> Json:
    named = one.named
    name = checked_name(relion_name(named.path))
    return {
        "name": f'"{name}"' if " " in name else name,
        "group": group,
        "height": named.height if is_turned_over(named.path, named.height) else None,
        "scale": None if named.scale == SAME else list(named.scale),
    }
