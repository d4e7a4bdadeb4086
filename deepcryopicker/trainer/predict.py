"""Logits of windows, and the temperature that calibrates their probabilities."""

import numpy as np
import numpy.typing as npt
import torch
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from deepcryopicker.model.network import Network
from deepcryopicker.types import Image

_BATCH = 128
_TEMPERATURES = (0.05, 20.0)
_PULL = 1e-6  # weight of the regularisation towards 1


@torch.inference_mode()
def predict(network: Network, windows: Image, index: npt.NDArray[np.int64] | None = None) -> Image:
    """Compute the logits of single windows, without temperature.

    Parameters
    ----------
    network : Network
        In evaluation mode.
    windows : (N, S, S) float32 or float16
    index : (M,) int64, optional
        Of the windows to classify, which are copied batch by batch; all of them if not given.

    Returns
    -------
    (M, C) float32
    """
    index = np.arange(len(windows)) if index is None else index
    device = next(network.parameters()).device
    batches = [
        network(
            torch.from_numpy(windows[index[start : start + _BATCH]])[:, None].to(device).float()
        )[..., 0, 0]
        for start in range(0, len(index), _BATCH)
    ]
    return torch.cat(batches).float().cpu().numpy()


def fit_temperature(logits: Image, target: np.ndarray) -> float:
    """Return the temperature of maximum likelihood (Guo et al., 2017).

    Parameters
    ----------
    logits : (N, C) float32
        Of windows not used for training.
    target : (N,) int64

    Returns
    -------
    float
        In [0.05, 20]; above 1 for an overconfident network.
    """

    def loss(log_temperature: float) -> float:
        scaled = log_softmax(logits.astype(np.float64) / np.exp(log_temperature), axis=1)
        likelihood = float(scaled[np.arange(len(target)), target].mean())
        # If all windows are right with certainty, the likelihood is flat and the result is 1.
        return -likelihood + _PULL * log_temperature**2

    found = minimize_scalar(loss, bounds=np.log(_TEMPERATURES), method="bounded")
    return float(np.exp(found.x))
