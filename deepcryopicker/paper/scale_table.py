"""The paper's scale factors (Table 4), published numbers beside computed ones."""

from dataclasses import dataclass

from deepcryopicker.preprocessing.scaling import even_shape, grid_factor, scaled_shape

INPUT = 227
"""Side of the paper's windows, pixels."""

COLUMNS = {
    "what": "patch",
    "side": "side",
    "factor": "factor",
    "paper_factor": "paper",
    "scaled": "scaled side",
    "paper_scaled": "paper",
    "micrograph": "micrograph",
    "scaled_micrograph": "scaled",
    "paper_micrograph": "paper",
}


@dataclass(frozen=True)
class ScaleExample:
    """An example of the paper.

    Attributes
    ----------
    dataset, view : str
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

    dataset: str
    view: str
    side: int
    shape: tuple[int, int]
    factor: float
    scaled: int | None = None
    micrograph: int | None = None


TABLE_4 = (
    ScaleExample("apoferritin", "top", 94, (1200, 1240), 2.375, 224, 3374),
    ScaleExample("klh", "top", 187, (2048, 2048), 1.0),
    ScaleExample("klh", "side", 221, (2048, 2048), 1.0),
    ScaleExample("ribosome", "irregular", 320, (4096, 4096), 0.625, 212, 4030),
)
"""If views share micrographs, the largest patch decides: top views of klh keep a factor of 1."""


def scale_rows(examples: tuple[ScaleExample, ...]) -> list[dict[str, object]]:
    """Compute factor, patch and padded micrograph of each example, as rows of :data:`COLUMNS`."""
    rows: list[dict[str, object]] = []
    for one in examples:
        largest = max(other.side for other in examples if other.dataset == one.dataset)
        factor = grid_factor(largest, INPUT)
        rows.append(
            {
                "what": f"{one.dataset}, {one.view}",
                "side": one.side,
                "factor": factor,
                "paper_factor": one.factor,
                "scaled": one.side * factor,
                "paper_scaled": one.scaled,
                "micrograph": _size(one.shape),
                "scaled_micrograph": _size(even_shape(scaled_shape(one.shape, factor))),
                "paper_micrograph": one.micrograph and _size((one.micrograph, one.micrograph)),
            }
        )
    return rows


def _size(shape: tuple[int, int]) -> str:
    return f"{shape[1]}x{shape[0]}"
