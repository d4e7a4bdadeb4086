"""Trained networks on disk."""

from pathlib import Path

from deepcryopicker.model import weights as files
from deepcryopicker.model.weights import GENERAL, Trained


def load_weights(path: str | Path = GENERAL) -> Trained:
    """Read a trained network, and all that is needed to pick with it.

    Parameters
    ----------
    path : str or Path
        Run folder of ``train``, folder that :func:`save_weights` has written, or a
        ``.safetensors`` file with its card beside it. ``general`` is the network that comes with
        the program, which was trained on simulated particles of all sizes.

    Raises
    ------
    UsageError
        If a file is missing or damaged.
    """
    return files.load_weights(path, "weights")


def save_weights(folder: str | Path, weights: Trained) -> Path:
    """Write a trained network as ``model.safetensors`` and its card ``model.yaml``.

    Parameters
    ----------
    folder : str or Path
        Made if it is not there. Weights in it are replaced. ``picker.weights`` of the commands
        takes it too.
    weights : Trained

    Returns
    -------
    Path
        Of the weights file.
    """
    return files.save_weights(Path(folder), weights)
