"""Find the file of weights that is given, without loading the libraries that read it."""

from pathlib import Path

from deepcryopicker.errors import UsageError

NETWORK_FILE = "model.safetensors"
"""File name of the weights of a network in a run folder."""
RIVAL_FILE = "rival.safetensors"
"""The same of a re-implemented picker."""
INCLUDED = "general"
"""Name of the weights included in the program, instead of a path (docs/general.md)."""
_PICKLES = frozenset({".ckpt", ".pt", ".pth", ".sav", ".pkl", ".pickle", ".bin"})


def find_weights(path: Path, name: str, key: str) -> Path:
    """Return the weights file of a run folder, or the file itself.

    Parameters
    ----------
    path : Path
        Run folder or file.
    name : str
        File name of the weights in a run folder.
    key : str
        Of the configuration, for messages.

    Raises
    ------
    UsageError
        There is none, or it is a pickle, which can run arbitrary code when read.
    """
    weights = path / name if path.is_dir() else path
    if weights.suffix.lower() in _PICKLES:
        raise UsageError(
            f"{key}: {weights} may be a pickle, which can run code; only .safetensors is read\n"
            f"give the run folder of train, which holds {name}"
        )
    if not weights.is_file():
        raise UsageError(f"{key}: there is no {weights}; give a run folder of train")
    return weights
