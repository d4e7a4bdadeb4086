"""Names of version 0.1.0 and the new ones: for refusals, and for its run folders and weights."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

_IN_ABLATION = (
    "augmentation cleaning compare_labelers contaminants distance few_samples input_size leak "
    "learning_rate leave_one_step_out losses network_variants nms nms_iou padding "
    "preprocessing_variants rounds scale_factor selection_modes smoothing split_shares step "
    "training_particles tuning"
)
_IN_PAPER = (
    "figure2 leave_one_out table3_paper table4 table5 table8 table9 training_set training_time"
)
_IN_BENCHMARK = "apoferritin beta_galactosidase klh ribosome"

EXPERIMENTS: dict[str, str] = {
    **{name: f"ablation/{name}" for name in _IN_ABLATION.split()},
    **{name: f"paper/{name}" for name in _IN_PAPER.split()},
    **{f"benchmark_{name}": f"benchmark/{name}" for name in _IN_BENCHMARK.split()},
}
"""Experiments of version 0.1.0, all of which were in one folder."""

OPTIONS: dict[str, dict[str, str]] = {
    "preprocessing": dict.fromkeys(
        ("matlab_inverted", "matlab_irregular", "legacy_mrc", "legacy_dm3"), "matlab"
    )
}
"""Options of version 0.1.0 that reproduced older pictures of the authors only; what to choose."""


class Now(NamedTuple):
    """What became of a key.

    Attributes
    ----------
    key : str or None
        Its new name, in the same place; None if it is a constant.
    value : object
        The constant, which was the key's default.
    """

    key: str | None
    value: object = None


KEYS: dict[str, Now] = {
    "left_out": Now("held_out_member"),
    "micrographs_to_label": Now("max_label_micrographs"),
    "class_set.background_coverage": Now(None, 0.1),
    "class_set.background_distance": Now(None, 0.75),
    "class_set.rejected_share": Now(None, 0.0),
    "labeler.largest_radius": Now(None, 0.65),
    "labeler.refine": Now(None, False),
    "labeler.selection.largest_area": Now(None, 1.6),
    "labeler.selection.smallest_area": Now(None, 0.5),
    "labeler.smallest_component": Now(None, 0.25),
    "labeler.smallest_radius": Now(None, 0.35),
    "labeler.split_clumps": Now(None, True),
    "labeler.superpixel_area": Now(None, 0.25),
    "picker.angle": Now(None, 10.0),
    "picker.largest_area": Now("max_area"),
    "picker.least_share": Now(None, 0.05),
    "picker.most": Now("max_picks"),
    "preprocessing.leave_out": Now("skip"),
    "trainer.momentum": Now(None, 0.9),
    "trainer.prior": Now(None, 0.05),
}
"""Keys of version 0.1.0; a labeler's are the same wherever it is, such as in ``picker.labeler``."""


def find_key(path: str) -> Now | None:
    """Look up a key as it is typed.

    Examples
    --------
    >>> find_key("baseline.labeler.seeds.refine")
    Now(key=None, value=False)
    """
    place = re.sub(r"^baseline\b", "picker", path)
    place = re.sub(r"^picker\.labeler\b", "labeler", place)
    return KEYS.get(re.sub(r"^labeler\.(seeds|blobs)\b", "labeler", place))


def up_to_date(settings: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    """Give the keys of a saved configuration their new names, and drop those that are constants.

    Parameters
    ----------
    settings : mapping
        Plain values.
    path : str
        Its place in the whole, such as ``preprocessing``.

    Returns
    -------
    dict
        A key with another value than the constant stays: no run of today is the same.
    """
    kept: dict[str, Any] = {}
    for key, value in settings.items():
        full = f"{path}.{key}" if path else str(key)
        now = find_key(full)
        if now is None or (now.key is None and value != now.value):
            kept[key] = up_to_date(value, full) if isinstance(value, Mapping) else value
        elif now.key is not None:
            kept[now.key] = value
    return kept


def constants_in(settings: Mapping[str, Any], path: str = "") -> list[str]:
    """List the keys, in full, that :func:`up_to_date` leaves because they are constants now."""
    found = []
    for key, value in settings.items():
        full = f"{path}.{key}" if path else str(key)
        if find_key(full) is not None:
            found.append(full)
        elif isinstance(value, Mapping):
            found += constants_in(value, full)
    return found


def refuse_constant(path: str) -> str:
    """Word the refusal of a key that is a constant now."""
    now = find_key(path)
    value = "" if now is None else f": it is always {str(now.value).lower()}"
    return f"{path} is no longer an option{value}; remove it"
