"""Lay a network over a whole micrograph: the dense scan."""

import cv2
import numpy as np
import torch

from deepcryopicker.errors import UsageError
from deepcryopicker.model.network import Network
from deepcryopicker.types import Image, ScoreMap


def scan(network: Network, image: Image, classes: tuple[str, ...], tile: int) -> ScoreMap:
    """Compute the class probabilities at every `network.stride`-th pixel.

    The image is mirrored by half a window at its edges, so that particles there can be found.
    Tiles overlap by a window less a stride: for a network without padding the result is exactly
    that of one pass, and exactly that of classifying every window on its own.

    Parameters
    ----------
    network : Network
        In evaluation mode, on the device that it is to run on.
    image : (H, W) float32
        Working pixels, as the network was trained on.
    classes : tuple of str
    tile : int
        Side of a tile, working pixels.

    Returns
    -------
    ScoreMap
        Position i lies at working pixel ``i * stride``.
    """
    half = network.window // 2
    padded = cv2.copyMakeBorder(
        image,
        half,
        network.window - 1 - half,
        half,
        network.window - 1 - half,
        cv2.BORDER_REFLECT_101,
    )
    step = max(tile // network.stride, 1)  # outputs per tile and axis
    rows, columns = ((n - 1) // network.stride + 1 for n in image.shape)
    probability = np.empty((len(classes), rows, columns), np.float32)
    for top in range(0, rows, step):
        for left in range(0, columns, step):
            bottom, right = min(top + step, rows), min(left + step, columns)
            crop = padded[
                top * network.stride : (bottom - 1) * network.stride + network.window,
                left * network.stride : (right - 1) * network.stride + network.window,
            ]
            probability[:, top:bottom, left:right] = _probabilities(network, crop)
    return ScoreMap(probability, classes, stride=float(network.stride), offset=0.0)


@torch.inference_mode()
def _probabilities(network: Network, image: Image) -> Image:
    device = next(network.parameters()).device
    batch = torch.from_numpy(np.ascontiguousarray(image))[None, None].to(device)
    # Not at the network's temperature: that is fitted to windows, of which half hold a particle,
    # and a map of surer scores ranks worse once it is smoothed (docs/experiments.md).
    return torch.softmax(network(batch).float(), dim=1)[0].cpu().numpy()


def choose_device(name: str) -> torch.device:
    """Resolve ``auto`` to CUDA where present and to the CPU elsewhere.

    Raises
    ------
    UsageError
        If CUDA is asked for where there is none.
    """
    if name == "cuda" and not torch.cuda.is_available():
        raise UsageError("picker.device=cuda, but torch finds no GPU here; leave it out")
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)
