"""Files that are never micrographs, by the names that other programs give them.

MotionCor2 and 3, RELION, cryoSPARC, Warp, CTFFIND, Gctf, SIMPLE, cisTEM, EPU, SerialEM, Leginon and
Appion, Scipion, Topaz and MicrographCleaner write them beside micrographs or into sub-folders.
"""

import re
from collections.abc import Mapping
from functools import lru_cache

from deepcryopicker.dataset.left_out.image_file import ImageFile, words_of
from deepcryopicker.dataset.left_out.reasons import Reason


def _any_of(words: str) -> frozenset[str]:
    return frozenset(words.split())


# The last words of a name, joined: x_PS, x_diag_2D, x-gain-ref.
_LAST: Mapping[Reason, frozenset[str]] = {
    Reason.SPECTRUM: _any_of(
        "ps psd psds pspec powspec powerspectrum powerspectra powerspec fft spectrum spectra"
    ),
    Reason.CTF: _any_of(
        "ctf ctffit ctffind ctffind3 ctffind4 ctffind5 gctf avrot rotavg epa diag diagnostic "
        "diagnostics diag1d diag2d ctfdiag ctfplot"
    ),
    Reason.MASK: _any_of("mask masks junkmask segmentation seg"),
    Reason.BACKGROUND: _any_of("background backgrounds backgroundestimate bkg bkgd bg"),
    Reason.THUMBNAIL: _any_of("thumb thumbs thumbnail thumbnails preview previews"),
    Reason.REFERENCE: _any_of(
        "gain gainref gainreference superref countref darkref darkreference defect defects "
        "defectmap badpixels hotpixels flatfield"
    ),
    Reason.OVERVIEW: _any_of("atlas lmm mmm"),
}
# Plots are pictures; an MRC file may be called x_shift.
_LAST_OF_PICTURES = _any_of(
    "shift shifts globalshifts localshifts polarshifts cartesianshifts traj trajectory motion "
    "drift plot plots"
)
_FIRST: Mapping[Reason, frozenset[str]] = {
    Reason.SPECTRUM: _any_of("powerspectrum pspec"),
    Reason.MASK: _any_of("mask"),
    Reason.BACKGROUND: _any_of("background"),
    Reason.THUMBNAIL: _any_of("thumb thumbnail preview"),
    Reason.REFERENCE: _any_of("superref countref gainref gain defects darkref"),
}
_WHOLE: Mapping[Reason, frozenset[str]] = {Reason.REFERENCE: _any_of("dark defect")}
_FOLDERS: Mapping[Reason, frozenset[str]] = {
    Reason.SPECTRUM: _any_of("psd pspec fft powerspectrum powerspectra spectrum spectra"),
    Reason.CTF: _any_of("ctf ctffind ctffind4 gctf ctfestimated ctfestimate"),
    Reason.MASK: _any_of("mask masks predictedmasks junkmasks"),
    Reason.BACKGROUND: _any_of("background backgrounds"),
    Reason.THUMBNAIL: _any_of("thumb thumbs thumbnail thumbnails preview previews icons"),
    Reason.REFERENCE: _any_of("gain gains gainref gainrefs gainreference gainreferences defects"),
    Reason.OVERVIEW: _any_of("atlas atlases foilholes"),
}
# Words that say so at the end of a longer name as well: micrograph_thumbnails.
_SURE_OF_FOLDERS = _any_of(
    "masks thumbs thumbnails previews spectra powerspectra backgrounds gainrefs"
)
# Numbers after such a word count pages or sizes: x_ctf_0, x_thumb_@2x, gain_x1.
_COUNTER = re.compile(r"@?x?\d{1,2}x?")
_COUNTED = (Reason.CTF, Reason.THUMBNAIL, Reason.REFERENCE)
_CORRECTED = re.compile(r"corr|norm|appl")  # gain_corrected_x is a micrograph
_REFERENCE = re.compile(r"\b(gain|dark) ?ref")  # K2-0001 1 Gain Ref. x1.m3.kv[300]
_OVERVIEWS = (
    re.compile(r"gridsquare_\d{8}_\d{6}"),  # EPU
    re.compile(r"foilhole_\d+_\d{8}_\d{6}"),  # EPU; exposures have _Data_
    re.compile(r"(.*_)?atlas(_\d+)*"),
    re.compile(r"tile_\d+_\d+(_\d+)*"),  # EPU's atlas
    re.compile(r".*\d{5}(gr|sqn?|hln?|fcn?|fan?)(_v\d\d)*(-[a-z])?"),  # Leginon
)
# Jobs of RELION whose MRC files are particles, classes, masks or maps.
_RELION = re.compile(
    r"(class2d|class3d|refine3d|multibody|initialmodel|maskcreate|postprocess|localres|extract|"
    r"subtract|select|ctffind|autopick|reconstruct|dynamight|modelangelo)/job\d+/"
)
_PARTICLES = re.compile(r".*_particles(_fs)?")  # cryoSPARC's stacks are .mrc files


# Where this program keeps simulated micrographs, see dataset.cache.
_SIMULATED = re.compile(r"(simulated|varied)/[0-9a-f]{12}/micrographs/$")


def reason_never(file: ImageFile) -> Reason | None:
    """Return the reason why a file is never a micrograph, by its name; None if it may be one.

    Parameters
    ----------
    file : ImageFile
        Only its sub-folders count: the folder itself was chosen by the user.
    """
    return _by_folders(file.folders) or _by_name(file.stem, file.is_picture)


@lru_cache(maxsize=2**12)
def _by_folders(folders: tuple[str, ...]) -> Reason | None:
    below = "/".join((*folders, ""))
    if _RELION.search(below):
        return Reason.RELION
    if "trash" in folders:
        return Reason.TRASH
    if _SIMULATED.search(below):
        return Reason.SIMULATED
    for folder in folders:
        words = words_of(folder)
        ends = {"".join(words), *(_SURE_OF_FOLDERS & {*words[-1:]})}
        for reason, names in _FOLDERS.items():
            if not names.isdisjoint(ends):
                return reason
    return None


@lru_cache(maxsize=2**17)  # a watched folder is listed again and again
def _by_name(stem: str, is_picture: bool) -> Reason | None:
    if _PARTICLES.fullmatch(stem):
        return Reason.STACK
    if any(pattern.fullmatch(stem) for pattern in _OVERVIEWS):
        return Reason.OVERVIEW
    words = words_of(stem)
    if not words:
        return None
    joined = "".join(words)
    for reason, names in _WHOLE.items():
        if joined in names:
            return reason
    for reason, names in _LAST.items():
        end = words
        if reason in _COUNTED and len(words) > 1 and _COUNTER.fullmatch(words[-1]):
            end = words[:-1]
        if end[-1] in names or "".join(end[-2:]) in names:
            return reason
    if is_picture and not _LAST_OF_PICTURES.isdisjoint((words[-1], "".join(words[-2:]))):
        return Reason.PLOT
    if any(_CORRECTED.match(word) for word in words[1:]):
        return None
    if _REFERENCE.search(" ".join(words)):
        return Reason.REFERENCE
    for reason, names in _FIRST.items():
        if words[0] in names or "".join(words[:2]) in names:
            return reason
    return None
