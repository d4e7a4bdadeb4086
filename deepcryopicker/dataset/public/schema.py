"""Configuration of what public datasets publish: files, maps, painted truth."""

from dataclasses import dataclass, field

from omegaconf import MISSING

from deepcryopicker.errors import UsageError, unknown

PAINTS = ("yellow", "white")


@dataclass
class FilesConfig:
    """Files published at one address.

    Attributes
    ----------
    url : str
        With ``{name}`` in place of the file name; its extension is that of the files.
    sha256 : dict
        Local file names, without extension, and their checksums; null if unknown.
    renamed : dict
        Name in the address by local name, if they differ.
    """

    url: str = MISSING
    sha256: dict[str, str | None] = field(default_factory=dict)
    renamed: dict[str, str] = field(default_factory=dict)


@dataclass
class MapsConfig(FilesConfig):
    """Density maps published at one address, for simulation.

    Attributes
    ----------
    root : str
        Folder of the maps.
    page : str
        Address of a page about them.
    licence : str
        Of the maps, in words; shown before a download.
    """

    root: str = MISSING
    page: str = MISSING
    licence: str = MISSING


@dataclass
class PaintedConfig(FilesConfig):
    """Pictures with a painted disc on every particle, named as their micrographs.

    Attributes
    ----------
    paint : str
        ``yellow`` discs over the grey micrograph, or ``white`` discs on black.
    radius : float or None
        Of all discs, pixels; null for discs of several sizes.
    label : str
        Class of all particles.
    """

    paint: str = "yellow"
    radius: float | None = None
    label: str = "irregular"

    def __post_init__(self) -> None:
        if self.paint not in PAINTS:
            raise UsageError(f"dataset.paint: {unknown('paint', self.paint, PAINTS)}")
        if self.radius is not None and self.radius <= 0:
            raise UsageError(f"dataset.radius must be > 0 pixels, got {self.radius:g}")


@dataclass
class SourceConfig:
    """Where a public dataset comes from.

    Attributes
    ----------
    page : str
        Address of a page about it.
    licence : str
        Of the files, in words; shown before a download.
    movies : bool
        Whether only movies are published, which need motion correction before picking.
    micrographs : files or None
        None if they have to be downloaded manually.
    truth : painted files or None
        None if no positions can be downloaded.
    """

    page: str = MISSING
    licence: str = MISSING
    movies: bool = False
    micrographs: FilesConfig | None = None
    truth: PaintedConfig | None = None
