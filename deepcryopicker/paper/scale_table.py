"""Scale factors by the paper's rule for measured patches (Table 4), published ones beside them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from deepcryopicker.preprocessing.scaling import even_shape, grid_factor, scaled_shape

INPUT = 227
"""Side of the paper's windows, pixels."""

PRINTED = {
    "what": "patch of",
    "micrograph": "micrograph",
    "side": "side",
    "paper_side": "paper",
    "factor": "factor",
    "factor_at_paper_size": "at paper's size",
    "paper_factor": "paper",
}
COLUMNS = (
    *PRINTED,
    "diameter",
    "scaled",
    "paper_scaled",
    "scaled_micrograph",
    "paper_micrograph",
)
"""Of the table, and of its file, which also has the sides after scaling."""


@dataclass(frozen=True)
class MeasuredDataset:
    """What sets the scale of a dataset.

    Attributes
    ----------
    name : str
    shape : (height, width)
        Of a micrograph, pixels.
    diameter : float
        Of its particles, pixels.
    sides : dict
        From the view to the side of its average patch, pixels.
    """

    name: str
    shape: tuple[int, int]
    diameter: float
    sides: dict[str, float]


@dataclass(frozen=True)
class ScaleExample:
    """An example of the paper.

    Attributes
    ----------
    side : int
        Side of the average patch, pixels.
    shape : (height, width)
        Shape of a micrograph, pixels.
    factor : float
        Published scale factor.
    scaled : int or None
        Published side of the patch after scaling.
    micrograph : int or None
        Published side of the micrograph after scaling; all are square.
    """

    side: int
    shape: tuple[int, int]
    factor: float
    scaled: int | None = None
    micrograph: int | None = None


TABLE_4 = {
    ("apoferritin", "top"): ScaleExample(94, (1200, 1240), 2.375, 224, 3374),
    ("klh", "top"): ScaleExample(187, (2048, 2048), 1.0),
    ("klh", "side"): ScaleExample(221, (2048, 2048), 1.0),
    ("ribosome", "irregular"): ScaleExample(320, (4096, 4096), 0.625, 212, 4030),
}
"""By dataset and view."""


def scale_rows(datasets: Sequence[MeasuredDataset]) -> list[dict[str, Any]]:
    """Compute factor, patch and padded micrograph of each view, as rows of :data:`COLUMNS`.

    If views share micrographs, the largest patch decides: so the paper's factor of KLH is 1, though
    its top views alone could be enlarged. Where the paper has the same dataset in another number of
    pixels, such as the ribosome without binning, the factor of that size stands beside ours.

    Parameters
    ----------
    datasets : sequence of MeasuredDataset

    Returns
    -------
    list of dict
        None where the paper states nothing.
    """
    rows = []
    for one in datasets:
        largest = max(one.sides.values())
        factor = grid_factor(largest, INPUT)
        for view, side in one.sides.items():
            paper = TABLE_4.get((one.name, view))
            rows.append(
                {
                    "what": f"{one.name}, {view}",
                    "micrograph": _size(one.shape),
                    "diameter": round(one.diameter, 2),
                    "side": round(side, 2),
                    "paper_side": paper and paper.side,
                    "factor": factor,
                    "factor_at_paper_size": paper
                    and grid_factor(largest * paper.shape[1] / one.shape[1], INPUT),
                    "paper_factor": paper and paper.factor,
                    "scaled": round(side * factor, 2),
                    "paper_scaled": paper and paper.scaled,
                    "scaled_micrograph": _size(even_shape(scaled_shape(one.shape, factor))),
                    "paper_micrograph": paper
                    and paper.micrograph
                    and _size((paper.micrograph, paper.micrograph)),
                }
            )
    return rows


def _size(shape: tuple[int, int]) -> str:
    return f"{shape[1]}x{shape[0]}"
