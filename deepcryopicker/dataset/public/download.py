"""Download a public dataset: only on request, and only missing files."""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import quote, urlsplit

import pooch
from requests import exceptions

from deepcryopicker.dataset.public.painted import read_painted
from deepcryopicker.dataset.public.schema import FilesConfig, MapsConfig, PaintedConfig
from deepcryopicker.dataset.schema import PublicConfig
from deepcryopicker.errors import MicrographError, NothingUsableError
from deepcryopicker.io.console import console, track
from deepcryopicker.io.coordinates.candidate_csv import write_csv
from deepcryopicker.io.files.atomic import replacing
from deepcryopicker.io.files.checks import one_line
from deepcryopicker.io.images.reader import micrograph_shape

_TIMEOUT = 30.0  # seconds without an answer


@dataclass(frozen=True)
class _File:
    """A file published at `url`; `sha256` is None if unknown."""

    url: str
    path: Path
    sha256: str | None

    @property
    def is_there(self) -> bool:
        """Whether the file has been downloaded completely."""
        return self.path.is_file() and self.is_right(self.path)

    def is_right(self, path: Path) -> bool:
        """Return whether the checksum of the file at `path` is right, or unknown."""
        return self.sha256 is None or self.sha256 == pooch.file_hash(str(path))


def download(config: PublicConfig) -> None:
    """Download the missing micrographs and truth of a dataset.

    Each file appears when it is complete, so that the same call continues after an interruption.
    Existing coordinate files are kept.

    Raises
    ------
    NothingUsableError
        No network, a wrong address, or a file that is not the published one. Files downloaded
        before are kept.
    """
    source, truth, root = config.source, config.source.truth, Path(config.root)
    micrographs = _files(source.micrographs, root / "micrographs") if source.micrographs else {}
    painted = _files(truth, root / "painted") if truth else {}
    coordinates = {name: root / "coordinates" / f"{name}.csv" for name in painted}
    undecoded = {name: each for name, each in painted.items() if not coordinates[name].exists()}
    missing = [one for one in (*micrographs.values(), *undecoded.values()) if not one.is_there]
    if missing:
        console.print(f"{config.name}: {source.page}\nlicence: {source.licence}")
    for file in track(missing, "downloading", "file"):
        _fetch(file)
    if truth:
        for name, picture in undecoded.items():
            _decode(picture, truth, micrographs[name].path, coordinates[name])


def download_maps(config: MapsConfig) -> None:
    """Download the missing files of published density maps.

    Raises
    ------
    NothingUsableError
        As of :func:`download`.
    """
    missing = [one for one in _files(config, Path(config.root)).values() if not one.is_there]
    if missing:
        console.print(f"{config.page}\nlicence: {config.licence}")
    for file in track(missing, "downloading", "file"):
        _fetch(file)


def _files(config: FilesConfig, folder: Path) -> dict[str, _File]:
    """List the files at an address by name."""
    suffix = PurePosixPath(urlsplit(config.url).path).suffix
    return {
        name: _File(
            config.url.replace("{name}", quote(config.renamed.get(name, name))),
            folder / f"{name}{suffix}",
            sha256,
        )
        for name, sha256 in config.sha256.items()
    }


def _fetch(file: _File) -> None:
    """Download one file atomically."""
    get = pooch.HTTPDownloader(timeout=_TIMEOUT)
    try:
        with replacing(file.path) as temporary:
            get(file.url, str(temporary), None)
            if not file.is_right(temporary):
                raise NothingUsableError(
                    f"{file.url} is not the published file: its sha256 is "
                    f"{pooch.file_hash(str(temporary))}, expected {file.sha256}"
                )
    except exceptions.RequestException as error:
        raise NothingUsableError(
            f"cannot download {file.url}: {_reason(error)}; complete files are kept\n"
            f"type the same command again, or download the file yourself and save it as {file.path}"
        ) from error


def _reason(error: exceptions.RequestException) -> str:
    if isinstance(error, exceptions.HTTPError) and error.response is not None:
        return f"{error.response.status_code} {error.response.reason}"
    if isinstance(error, exceptions.Timeout):
        return f"no answer in {_TIMEOUT:g} s"
    if isinstance(error, exceptions.ChunkedEncodingError):
        return "the connection was interrupted"
    if isinstance(error, exceptions.ConnectionError):
        return "no connection; is there a network?"
    return one_line(error)


def _decode(picture: _File, config: PaintedConfig, micrograph: Path, coordinates: Path) -> None:
    """Write the coordinates of the discs painted on a picture."""
    try:
        picks = read_painted(picture.path, config, micrograph_shape(micrograph)[1])
    except MicrographError as error:
        picture.path.unlink()
        raise NothingUsableError(f"{picture.url} is not a picture of particles: {error}") from error
    write_csv(coordinates, picks)
