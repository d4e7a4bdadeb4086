"""What is common to the micrographs of a batch, and the digest of all that decides their picks."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from deepcryopicker.dataset.catalogue import Entry
from deepcryopicker.io.coordinates.corrections import Correction
from deepcryopicker.io.coordinates.selected_picks import Selection
from deepcryopicker.picker.function import Picker
from deepcryopicker.preprocessing.schema import PreprocessingConfig
from deepcryopicker.runs.manifest import Finished, digest_of, stamp


@dataclass(frozen=True)
class Recipe:
    """Settings common to all micrographs of a batch.

    Attributes
    ----------
    preprocessing : PreprocessingConfig
        Preprocessing of the picker.
    make_picker : callable
        Builds the picker; called once, before the first micrograph is picked.
    threshold : float
        Candidates with at least this score are written to BOX, STAR and overlays. CSV and
        CBOX files and Topaz's table hold every candidate.
    settings : dict
        Settings that decide the picks, see :func:`deepcryopicker.runs.manifest.deciding`.
    learned_from : tuple of str
        Files on which the picker depends, such as micrographs to which a labeler is fitted, and
        given masks.
    outputs : tuple of str
        Formats to write; CSV is always written.
    micrograph_suffix : str or None
        Files that STAR files name instead, see :class:`NamedFiles`.
    mask : str or None
        Where nothing is picked, as ``picker.mask``.
    assess : bool
        Whether the picks are assessed against those in noise, when the lists are written.
    recalibrate : bool
        Whether scores are then calibrated on the micrographs themselves, too.
    concurrent : bool
        Whether the picker may pick several micrographs at the same time.
    vouched : bool
        Whether the network finds what the general weights find.
    by_hand : mapping of Correction
        By micrograph: what a person has decided, and holds whatever the picker finds.
    """

    preprocessing: PreprocessingConfig
    make_picker: Callable[[], Picker]
    threshold: float
    settings: dict[str, Any]
    learned_from: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ("csv", "relion")
    micrograph_suffix: str | None = None
    mask: str | None = None
    assess: bool = False
    recalibrate: bool = False
    concurrent: bool = False
    vouched: bool = False
    by_hand: Mapping[str, Correction] = field(default_factory=dict)

    def digest(self, finished: Finished) -> str:
        """Hash the settings common to all micrographs, as recorded in a folder."""
        return digest_of([finished.settings, self.learned_from])


def digest_of_entry(entry: Entry, common: str) -> str:
    """Hash everything but the image file that decides the picks of a micrograph.

    Parameters
    ----------
    entry : Entry
    common : str
        Digest of the settings of all micrographs.
    """
    own = asdict(entry)
    for name in ("name", "path", "group", "truth", "optics", "selection"):
        del own[name]
    # Left out as long as they are the defaults, for run folders that are older than they are.
    usually = {"truth_swapped": False, "truth_scale": 1.0, "turned_over": False}
    for name, usual in usually.items():
        if own[name] == usual:
            del own[name]
    truth: list[object] = [(str(path), stamp(path)) for path in entry.truth_files]
    if entry.selection != Selection():
        truth.append(asdict(entry.selection))
    return digest_of([common, own, truth])
