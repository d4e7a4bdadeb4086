"""The class sheets of runs: what picks average to, beside candidates in noise."""

import base64
from collections.abc import Sequence

from deepcryopicker.io.images.own_pictures import is_own_picture
from deepcryopicker.reporting.page.page_model import ClassSheet
from deepcryopicker.reporting.reading.run_folders import RunFolder

_LARGEST = 4 * 2**20  # bytes
_MOST = 20  # sheets on a page
_AVERAGES = (
    "likely candidates on up to eight micrographs, and the strongest in noise like them "
    "(grey titles)"
)
_CLASSES = "picks (grey titles: no better than random places)"


def class_sheets(runs: Sequence[RunFolder], shown: str | None = None) -> list[ClassSheet]:
    """Read the class sheets that runs have drawn; anything else of their names is left out.

    Parameters
    ----------
    runs : sequence of RunFolder
    shown : str, optional
        Folder of the run of ``classes`` whose averages are shown one by one.
    """
    sheets = []
    for run in runs:
        groups = sorted(run.path.glob("averages/*.png"))
        captions = {path: f"{run.name} {path.stem}: {_AVERAGES}" for path in groups}
        captions[run.path / "averages.png"] = f"{run.name}: {_AVERAGES}"
        if str(run.path) != shown:
            captions[run.path / "classes.png"] = f"{run.name}: {_CLASSES}"
        for path, caption in captions.items():
            if is_own_picture(path) and path.stat().st_size <= _LARGEST:
                data = base64.b64encode(path.read_bytes()).decode("ascii")
                sheets.append(ClassSheet(caption, data))
    return sheets[:_MOST]
