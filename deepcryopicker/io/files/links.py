"""Links in a run folder: what is written there must stay there."""

import os
from pathlib import Path

from deepcryopicker.errors import UsageError


def refuse_links_out(folder: Path) -> None:
    """Refuse a folder that holds a link to somewhere else, which would be written through.

    The folder itself may be a link: that is how results are kept on another disk.

    Raises
    ------
    UsageError
    """
    inside = folder.resolve()
    for parent, folders, files in os.walk(folder):
        for path in (Path(parent, name) for name in (*folders, *files)):
            if path.is_symlink() and not path.resolve().is_relative_to(inside):
                raise UsageError(f"{path} is a link out of the run folder\nremove the link")
