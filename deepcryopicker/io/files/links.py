"""Links in a run folder: output written to it must stay inside it."""

import os
from pathlib import Path

from deepcryopicker.errors import UsageError


def refuse_links_out(folder: Path) -> None:
    """Refuse a folder with a link to a place outside it, through which output would be written.

    The folder itself may be a link, for example to another disk.

    Raises
    ------
    UsageError
        Names the link.
    """
    inside = folder.resolve()
    for parent, folders, files in os.walk(folder):
        for path in (Path(parent, name) for name in (*folders, *files)):
            if path.is_symlink() and not path.resolve().is_relative_to(inside):
                raise UsageError(f"{path} is a link out of the run folder\nremove the link")
