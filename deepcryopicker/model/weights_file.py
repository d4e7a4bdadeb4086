"""Find the file of weights that is given, and the card in it, without loading torch."""

import hashlib
import json
from pathlib import Path
from typing import Any

from deepcryopicker.errors import UsageError

NETWORK_FILE = "model.safetensors"
"""File name of the weights of a network in a run folder."""
RIVAL_FILE = "rival.safetensors"
"""The same of a re-implemented picker."""
NETWORK_CARD, RIVAL_CARD = "model.yaml", "rival.yaml"
"""File names of the cards beside them."""
INCLUDED = "general"
"""Name of the weights included in the program, instead of a path (docs/general.md)."""
_PICKLES = frozenset({".ckpt", ".pt", ".pth", ".sav", ".pkl", ".pickle", ".bin"})


CARD_KEY = "deepcryopicker_card"
"""Key of the metadata of an exported file that holds its card, as JSON."""
_LENGTH = 8  # bytes of the number with which a safetensors file begins
_LARGEST_HEADER = 4_000_000  # bytes; a thousand layers take a twentieth


def embedded_card(weights: Path) -> dict[str, Any] | None:
    """Read the card of an exported file; None if it has none or is not a safetensors file.

    Raises
    ------
    UsageError
        Its card is damaged.
    """
    try:
        with weights.open("rb") as stream:
            length = int.from_bytes(stream.read(_LENGTH), "little")
            header = json.loads(stream.read(length)) if length <= _LARGEST_HEADER else None
    except (OSError, ValueError, RecursionError):
        return None
    metadata = header.get("__metadata__") if isinstance(header, dict) else None
    text = metadata.get(CARD_KEY) if isinstance(metadata, dict) else None
    if text is None:
        return None
    try:
        card = json.loads(text)
    except (TypeError, ValueError, RecursionError) as error:
        raise UsageError(f"{weights}: the model card in it is damaged; export it again") from error
    if not isinstance(card, dict):
        raise UsageError(f"{weights}: what it holds is not a model card; export it again")
    return card


def tensor_sum(weights: Path) -> str:
    """Return the SHA-256 of the tensors of a safetensors file, which follow its header."""
    with weights.open("rb") as stream:
        stream.seek(_LENGTH + int.from_bytes(stream.read(_LENGTH), "little"))
        return hashlib.file_digest(stream, "sha256").hexdigest()


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
