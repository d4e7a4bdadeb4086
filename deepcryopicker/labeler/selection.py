"""Good and bad training particles, Algorithms 1 and 2 of the paper (METHOD.md 6)."""

from collections import Counter
from dataclasses import replace

import numpy as np

from deepcryopicker.labeler.schema import SelectionConfig
from deepcryopicker.labeler.shapes import Shapes, nearest_distance
from deepcryopicker.types import Candidates, Margins, Strings


def judge(
    shapes: Shapes,
    shape: tuple[int, int],
    margins: Margins,
    diameter: float,
    config: SelectionConfig,
) -> Strings:
    """Say of each shape why it may not train the network; empty where it may.

    A good particle looks like its ideal disc or rectangle (Algorithm 1), has about the area of
    its own disc (Algorithm 2; the paper compares with the mean over the micrograph, which
    junk biases), stands alone, and lies inside the valid image as a whole.

    Parameters
    ----------
    shapes : Shapes
    shape : (H, W)
        Of the working image.
    margins : Margins
        Its invalid border.
    diameter : float
        Working pixels.
    config : SelectionConfig

    Returns
    -------
    (N,) str
    """
    reason = np.full(len(shapes.x), "", dtype="<U24")
    radius = diameter / 2.0
    typical = np.pi * shapes.diameter**2 / 4.0
    inside = (
        (shapes.x >= margins.left + radius)
        & (shapes.x <= shape[1] - 1 - margins.right - radius)
        & (shapes.y >= margins.top + radius)
        & (shapes.y <= shape[0] - 1 - margins.bottom - radius)
    )
    # The first rule broken names the reason, so the rules run from the last to the first.
    rules = [
        ("touching", nearest_distance(shapes.x, shapes.y) < config.isolation * diameter),
        ("too large", shapes.area > config.largest_area * typical),
        ("too small", shapes.area < config.smallest_area * typical),
        ("ill-shaped", shapes.overlap < config.overlap),
        ("cut by the edge", ~inside),
    ]
    for why, broken in rules:
        reason[broken] = why
    return reason


def reject_odd_shapes(found: list[Candidates], config: SelectionConfig) -> list[Candidates]:
    """Reject the good candidates whose shape the dataset does not seem to hold.

    ``irregular`` is what is left where no circle or rectangle fits. Where most good candidates
    are circles or rectangles, these leftovers are contamination; where most are irregular, a few
    circles are accidents of the mask. Taught to the network, either would become a class.
    """
    counts = Counter(str(label) for c in found for label in c.picks.label[c.good])
    total = sum(counts.values())
    odd = [label for label, n in counts.items() if n < config.rarest_shape * total]
    if 2 * counts["irregular"] < total:
        odd.append("irregular")
    judged = []
    for candidates in found:
        accident = candidates.good & np.isin(candidates.picks.label, odd)
        reason = np.where(accident, "odd shape", candidates.reason)
        judged.append(replace(candidates, good=candidates.good & ~accident, reason=reason))
    return judged
