"""A mark in the PNG pictures that are written for people, so that none is read as a micrograph."""

import stat
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image as PillowImage

SOFTWARE = "DeepCryoPicker"

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_MARK = b"Software\0" + SOFTWARE.encode()
_HEAD = 4096  # bytes; the mark stands before the pixels


def save_own_picture(picture: "PillowImage.Image", path: Path, compress_level: int = 6) -> None:
    """Write a picture as a PNG with the mark of this program.

    Parameters
    ----------
    picture : PIL image
    path : Path
    compress_level : int
        0 to 9.
    """
    # Imported here: files are examined for the mark before any picture is read or written.
    from PIL import PngImagePlugin

    mark = PngImagePlugin.PngInfo()
    mark.add_text("Software", SOFTWARE)
    picture.save(path, format="PNG", pnginfo=mark, compress_level=compress_level)


def is_own_picture(path: Path) -> bool:
    """Whether a file is a PNG picture with the mark of this program."""
    try:
        status = path.stat()
        return stat.S_ISREG(status.st_mode) and _has_mark(path, status.st_mtime_ns, status.st_size)
    except OSError:
        return False


@lru_cache(maxsize=2**16)  # a watched folder is listed again and again
def _has_mark(path: Path, _modified: int, _size: int) -> bool:
    with path.open("rb") as stream:
        head = stream.read(_HEAD)
    return head.startswith(_SIGNATURE) and _MARK in head
