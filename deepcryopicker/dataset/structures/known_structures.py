"""The structures of a simulated dataset: given files, and published maps that are on disk."""

from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from deepcryopicker.dataset.public.schema import MapsConfig
from deepcryopicker.dataset.schema import VariedConfig
from deepcryopicker.dataset.structures.given_structures import given_structures
from deepcryopicker.errors import UsageError


def known_structures(config: VariedConfig) -> list[Path]:
    """Return the structures of a dataset, after a download of its maps if that is requested.

    Raises
    ------
    UsageError
        A file is missing; the message says how to get published maps.
    NothingUsableError
        A download failed.
    """
    if config.maps is not None and config.download:
        # Imported on demand: maps on disk do not need it.
        from deepcryopicker.dataset.public.download import download_maps

        download_maps(config.maps)
    missing = [path for path in _published(config.maps) if not path.is_file()]
    if missing:
        raise UsageError(
            f"dataset={config.name}: {len(missing)} density maps are missing, first {missing[0]}\n"
            "add dataset.download=true to download them, or export DEEPCRYOPICKER_DATA=DIR, the "
            "folder of the datasets"
        )
    return structures_of(config)


def structures_of(config: VariedConfig) -> list[Path]:
    """Return the structures of a dataset; published ones, whether they are there or not."""
    return [*given_structures(config.structures or None), *_published(config.maps)]


def _published(config: MapsConfig | None) -> list[Path]:
    """List the files of published maps."""
    if config is None:
        return []
    suffix = PurePosixPath(urlsplit(config.url).path).suffix
    return [Path(config.root) / f"{name}{suffix}" for name in config.sha256]
