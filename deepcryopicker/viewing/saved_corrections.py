"""The corrections of a run, saved into its folder at once, so that nobody overwrites another."""

import json
from pathlib import Path
from threading import Lock
from typing import Any

from deepcryopicker.errors import UsageError
from deepcryopicker.io.coordinates.corrections import check_corrections
from deepcryopicker.io.files.atomic import write_text

FILE = "corrections.json"
_PAGE, _VERSION = "page", "saved"


class ConflictError(Exception):
    """Somebody else has saved corrections since they were read."""


class SavedCorrections:
    """``corrections.json`` of a run folder.

    The file is replaced as a whole, after its new content is on the disk: a server that is killed
    leaves the old one or the new one. It counts how often it was saved; who has read an earlier
    state cannot overwrite a later one.

    Parameters
    ----------
    folder : Path
        Run folder.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        self._lock = Lock()

    def read(self) -> dict[str, Any]:
        """Return ``saved``, how often the file was saved, and ``page``, the state of the page."""
        content = self._content()
        return {_VERSION: _count(content), _PAGE: content.get(_PAGE)}

    def save(self, saved: int, corrections: Any, page: Any) -> int:
        """Replace the file, and return how often it was saved.

        Parameters
        ----------
        saved : int
            How often it was when it was read.
        corrections : object
            Content of a file of corrections, see
            :mod:`deepcryopicker.io.coordinates.corrections`.
        page : object
            State of the page, given back by `read`.

        Raises
        ------
        ConflictError
            It was saved in the meantime.
        UsageError
            It is not a file of corrections.
        """
        check_corrections(self.path, corrections)
        with self._lock:
            now = _count(self._content())
            if saved != now:
                raise ConflictError
            content = {**corrections, _PAGE: page, _VERSION: now + 1}
            write_text(self.path, json.dumps(content) + "\n")
            return now + 1

    def _content(self) -> dict[str, Any]:
        try:
            content = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, RecursionError) as error:
            raise UsageError(f"{self.path} is damaged: {error}\nmove it away") from error
        return content if isinstance(content, dict) else {}


def _count(content: dict[str, Any]) -> int:
    count = content.get(_VERSION, 0)
    return count if isinstance(count, int) else 0
