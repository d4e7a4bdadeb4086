"""Several files of one micrograph: which of them is the micrograph, by the names of other programs.

A suffix, prefix or sub-folder such as _DW, denoised_ or odd/ counts only where another file of the
same micrograph is there: a folder that holds nothing but x_DW.mrc holds micrographs.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import lru_cache

from deepcryopicker.dataset.left_out.image_file import ImageFile
from deepcryopicker.dataset.left_out.reasons import LeftOut, Reason


class ImageForm(Enum):
    """What a part of a name says about the sum of the frames."""

    WEIGHTED = "weighted by dose"
    WEIGHTED_SHORT = "weighted by dose, fewer frames"
    UNWEIGHTED = "not weighted by dose"
    ALIGNED = "corrected for motion"
    EVEN = "even half"
    ODD = "odd half"
    FILTERED = "filtered"
    MOVIE = "movie"


_WORDS: Mapping[ImageForm, str] = {
    # First, as its words end with those of the next.
    ImageForm.UNWEIGHTED: "nodw no_dw non_dw notdw nondw unweighted nonweighted not_weighted "
    "non_weighted undoseweighted non_dose_weighted nondoseweighted not_doseweighted "
    "not_dose_weighted no_doseweighted forctf",
    ImageForm.WEIGHTED: "dw dose_weighted doseweighted weighted dosew",
    ImageForm.WEIGHTED_SHORT: "dws",
    ImageForm.ALIGNED: "aligned patch_aligned rigid_aligned aligned_mic sumcorr motioncorrected "
    "motion_corrected motioncorr intg",
    ImageForm.EVEN: "even evn half1 half_1 halfa half_a",
    ImageForm.ODD: "odd half2 half_2 halfb half_b",
    ImageForm.FILTERED: "denoised denoise dn deconv deconvolved deconvolution wiener filtered filt "
    "lowpass lowpassed highpass bandpass lp\\d* hp\\d* binned bin\\d* downsampled downscaled ds "
    "scaled rescaled shrunk small inverted inv flipped flipy contrast enhanced subtracted "
    "bgsub ctfcorr ctf_corrected phaseflipped phase_flipped flatfielded jpeg",
    ImageForm.MOVIE: "fractions fraction frames movie movies stack eer",
}
_FOLDERS: Mapping[ImageForm, str] = {
    ImageForm.WEIGHTED: "dw dose_weighted doseweighted",
    ImageForm.WEIGHTED_SHORT: "dws",
    ImageForm.UNWEIGHTED: "nodw no_dw non_dw unweighted not_weighted non_dose_weighted",
    ImageForm.ALIGNED: "average averages aligned",
    ImageForm.EVEN: "even evn half1",
    ImageForm.ODD: "odd half2",
    ImageForm.FILTERED: "denoised denoise deconv deconvolved filtered filtered_tmp lowpass binned "
    "bin\\d* downsampled scaled preprocessed flipped inverted ps",
    ImageForm.MOVIE: "frames movies fractions",
}


def _pattern(words: str) -> str:
    # The parts of a word may be joined by any separator: dose_weighted, dose-weighted.
    return "|".join(word.replace("_", r"[-_. ]") for word in sorted(words.split(), key=len)[::-1])


_LAST = {
    form: re.compile(rf"(?:\.(?:mrc|tiff?))?[-_. ]+(?:{_pattern(words)})$")
    for form, words in _WORDS.items()
}
_FIRST = {
    form: re.compile(rf"^(?:{_pattern(words)})[-_. ]+(?=.)") for form, words in _WORDS.items()
}
_FOLDER = {form: re.compile(_pattern(words)) for form, words in _FOLDERS.items()}
# Appion: 00002en.mrc is the sum of the camera, 00002en-a.mrc is aligned.
_OF_APPION = re.compile(r"(?<=\d[a-z]{2})(?P<rest>[a-z]?)-a$")
_OF_RELION = re.compile(r"^(?:.*/)?motioncorr/job\d+/")


@dataclass(frozen=True)
class Variant:
    """A file, the micrograph that it belongs to, and its forms.

    Attributes
    ----------
    file : ImageFile
    micrograph : str
        Equal for all files of one micrograph.
    forms : frozenset of ImageForm
    """

    file: ImageFile
    micrograph: str
    forms: frozenset[ImageForm]

    @property
    def is_movie(self) -> bool:
        """Whether the frames are not summed: a corrected sum may keep the name of its movie."""
        return ImageForm.MOVIE in self.forms and not self.forms & {
            ImageForm.WEIGHTED,
            ImageForm.WEIGHTED_SHORT,
            ImageForm.UNWEIGHTED,
            ImageForm.ALIGNED,
        }

    @property
    def is_half(self) -> bool:
        """Whether it is the sum of half of the frames."""
        return bool(self.forms & {ImageForm.EVEN, ImageForm.ODD})

    @property
    def weight(self) -> int:
        """Rank by dose weighting, best first."""
        ranks = (ImageForm.WEIGHTED, ImageForm.WEIGHTED_SHORT)
        for rank, form in enumerate(ranks):
            if form in self.forms:
                return rank
        return 3 if ImageForm.UNWEIGHTED in self.forms else 2


def variant_of(file: ImageFile) -> Variant:
    """Split the name of a file into that of its micrograph and its forms."""
    below, of_folders = _forms_of_folders(file.folders)
    stem, of_name = _forms_of_name(file.stem)
    return Variant(file, below + stem, of_folders | of_name)


@lru_cache(maxsize=2**12)
def _forms_of_folders(folders: tuple[str, ...]) -> tuple[str, frozenset[ImageForm]]:
    """Remove the sub-folders that name a form; return the others, with a slash at the end."""
    forms, others = set(), []
    for folder in folders:
        form = next((form for form, names in _FOLDER.items() if names.fullmatch(folder)), None)
        if form is None:
            others.append(folder)
        else:
            forms.add(form)
    below = "/".join((*others, ""))
    if _OF_RELION.match(below):
        forms.add(ImageForm.ALIGNED)
        below = _OF_RELION.sub("", below)
    return below, frozenset(forms)


@lru_cache(maxsize=2**17)  # a watched folder is listed again and again
def _forms_of_name(stem: str) -> tuple[str, frozenset[ImageForm]]:
    """Remove all suffixes and prefixes that name a form."""
    forms: set[ImageForm] = set()
    before = ""
    while before != stem:
        before = stem
        if _OF_APPION.search(stem):
            stem = _OF_APPION.sub(r"\g<rest>", stem)
            forms.add(ImageForm.ALIGNED)
        for form, pattern in (*_LAST.items(), *_FIRST.items()):
            shorter = pattern.sub("", stem)
            if shorter and shorter != stem:
                stem = shorter
                forms.add(form)
                break
    return stem, frozenset(forms)


def choose_variants(
    files: Iterable[ImageFile],
) -> tuple[list[Variant], list[LeftOut], list[list[Variant]]]:
    """Choose one file of each micrograph.

    Of several files of one micrograph, the whole sum is preferred to halves, the original to
    filtered copies, the sum to the movie, and the dose-weighted one to the others.

    Parameters
    ----------
    files : iterable of ImageFile

    Returns
    -------
    kept : list of Variant
        Those in doubt included.
    left_out : list of LeftOut
    doubts : list of list of Variant
        Files of one micrograph among which no convention decides.
    """
    families: dict[str, list[Variant]] = defaultdict(list)
    for variant in map(variant_of, files):
        families[variant.micrograph].append(variant)
    kept: list[Variant] = []
    left_out: list[LeftOut] = []
    doubts = []
    for family in families.values():
        best, worse = _choose(family)
        kept += best
        left_out += worse
        if len(best) > 1 and not _differ_in_case(best):
            doubts.append(best)
    return kept, left_out, doubts


def _choose(family: Sequence[Variant]) -> tuple[list[Variant], list[LeftOut]]:
    """Apply the conventions one after the other, as long as several files are left."""
    if len(family) == 1:
        return list(family), []
    best = _without_common_folders(family)
    lost: list[tuple[Variant, Reason]] = []
    least = min(each.weight for each in best)
    rules: tuple[tuple[Reason, Callable[[Variant], bool]], ...] = (
        (Reason.MOVIE, lambda one: one.is_movie),
        (Reason.HALF, lambda one: one.is_half),
        (Reason.FILTERED, lambda one: ImageForm.FILTERED in one.forms),
        (Reason.TWIN, lambda one: one.weight > least),
        (Reason.UNALIGNED, lambda one: ImageForm.ALIGNED not in one.forms),
        (Reason.COMPRESSED, lambda one: _is_copy(one, best)),
    )
    for reason, applies in rules:
        if reason is Reason.TWIN:
            least = min(each.weight for each in best)
        others = [one for one in best if not applies(one)]
        if others and len(others) < len(best):
            lost += [(one, reason) for one in best if applies(one)]
            best = others
    used = best[0].file.path if len(best) == 1 else None
    return best, [LeftOut(one.file.path, reason, used) for one, reason in lost]


def _without_common_folders(family: Sequence[Variant]) -> list[Variant]:
    """Return the files without the forms that the folders of all of them name.

    Sums of RELION lie in MotionCorr/job002/Movies, the dose-weighted ones and the others.
    """
    of_folders = [_forms_of_folders(one.file.folders)[1] for one in family]
    common = frozenset.intersection(*of_folders)
    return [
        replace(one, forms=(folders - common) | _forms_of_name(one.file.stem)[1])
        for one, folders in zip(family, of_folders, strict=True)
    ]


def _is_copy(one: Variant, best: Sequence[Variant]) -> bool:
    """Whether the same file is there without compression."""
    plain = one.file.path.with_suffix("")
    return one.file.is_compressed and any(each.file.path == plain for each in best)


def _differ_in_case(variants: Sequence[Variant]) -> bool:
    """Whether the names differ in upper and lower case only: then they are two micrographs."""
    return len({str(one.file.below).lower() for one in variants}) == 1
