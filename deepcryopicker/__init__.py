"""DeepCryoPicker: particle picking in cryo-EM micrographs without labels.

Functions are imported on first use, so that importing the package takes no time.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.2.0"

if TYPE_CHECKING:
    from deepcryopicker.api.choosing import filter_picks
    from deepcryopicker.api.comparing import match_picks, score_picks
    from deepcryopicker.api.coordinate_files import read_coordinates, write_coordinates
    from deepcryopicker.api.finding import find_particles, pick_micrograph
    from deepcryopicker.api.learning import train_network
    from deepcryopicker.api.loading import load_weights, save_weights
    from deepcryopicker.api.micrographs import read_micrograph, simulate_micrograph
    from deepcryopicker.errors import DeepCryoPickerError
    from deepcryopicker.types import Micrograph, Picks

_PLACES = {
    "DeepCryoPickerError": "errors",
    "Micrograph": "types",
    "Picks": "types",
    "filter_picks": "api.choosing",
    "find_particles": "api.finding",
    "load_weights": "api.loading",
    "match_picks": "api.comparing",
    "pick_micrograph": "api.finding",
    "read_coordinates": "api.coordinate_files",
    "read_micrograph": "api.micrographs",
    "save_weights": "api.loading",
    "score_picks": "api.comparing",
    "simulate_micrograph": "api.micrographs",
    "train_network": "api.learning",
    "write_coordinates": "api.coordinate_files",
}

__all__ = [
    "DeepCryoPickerError",
    "Micrograph",
    "Picks",
    "__version__",
    "filter_picks",
    "find_particles",
    "load_weights",
    "match_picks",
    "pick_micrograph",
    "read_coordinates",
    "read_micrograph",
    "save_weights",
    "score_picks",
    "simulate_micrograph",
    "train_network",
    "write_coordinates",
]


def __getattr__(name: str) -> Any:
    """Import a public name on first use."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names."""
    return sorted({*globals(), *__all__})
