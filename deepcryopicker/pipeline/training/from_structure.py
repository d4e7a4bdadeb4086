"""Labelled micrographs of a known structure, like those of a dataset, to train on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import mrcfile
import numpy as np
from scipy import ndimage

from deepcryopicker.config.schemas import TrainConfig
from deepcryopicker.dataset.catalogue import Catalogue, Entry
from deepcryopicker.dataset.pasting.crowds import gaps, like, paste
from deepcryopicker.dataset.pasting.radial import radial_mean
from deepcryopicker.dataset.pasting.spectra import (
    Spectrum,
    block_spectra,
    noise,
    noise_spectrum,
)
from deepcryopicker.dataset.pasting.transfer import fit_profile, refine_transfer, window_side
from deepcryopicker.dataset.pasting.views import BOX, Transfer, boxed, enlarged
from deepcryopicker.dataset.structures.given_structures import given_structures
from deepcryopicker.dataset.structures.open_structure import open_structure
from deepcryopicker.dataset.structures.orientations import uniform_orientations
from deepcryopicker.dataset.structures.projections import project_structure
from deepcryopicker.dataset.structures.scale import scale_of, seen_diameter
from deepcryopicker.detection.windows import cut
from deepcryopicker.errors import NothingUsableError
from deepcryopicker.frames import to_working
from deepcryopicker.io.console import console, track
from deepcryopicker.io.coordinates.candidate_csv import write_csv
from deepcryopicker.io.files.atomic import replacing
from deepcryopicker.labeler.masks.shapes import nearest_distance
from deepcryopicker.labeler.truth import as_candidates
from deepcryopicker.model.cards import chain_on
from deepcryopicker.model.weights import GENERAL, load_weights
from deepcryopicker.picker.folder.curve import calibrate_scores
from deepcryopicker.picker.schema import DenseConfig
from deepcryopicker.picker.search import build_search, search_beside_noise
from deepcryopicker.pipeline.inputs.open_dataset import spread
from deepcryopicker.pipeline.training.labelled_windows import LabelledMicrograph, with_sites
from deepcryopicker.preprocessing.preprocessed import Preprocessed
from deepcryopicker.runs.folder import Run
from deepcryopicker.types import CONTAMINANT, UNCERTAIN, Floats, Image, Picks, Strings

FOLDER = "simulated"
"""Folder in a run for the simulated micrographs and their particles."""

_MICROGRAPHS = 16  # of each group that are imitated
_VIEWS = 600  # projections of each structure
_FIRST_VOXEL = 5.0  # Angstrom, to measure a structure
_SURE = 0.7  # score of a particle from which the transfer is measured
_SUREST = 600  # particles that are aligned
_FEWEST = 30
_SIMULATED_PIXELS = 6e6  # together: small datasets are imitated several times
_NOISE = (0.55, 1.0)  # power of the noise over that measured
_GAIN = 0.1  # spread of the contrast between micrographs, logarithm
_CONTRASTS = (0.7, 1.4)  # of particles, in their median
_ISOLATION = 0.7  # diameters: particles closer to another one are not trained on, as in labels
_JUNK = 0.12  # contaminants per particle
_DARK = (1.8, 3.0)  # contrasts of contaminants that are too dark
_LUMP = 4  # particles in one lump


@dataclass(frozen=True)
class Measured:
    """A micrograph at the working scale, and what the general weights find in it.

    Attributes
    ----------
    entry : Entry
    image : (H, W) float32
        Input of the network, particles dark.
    inner : tuple of slice
        Without invalid borders.
    places : (N, 2) float64
        x, y of all candidates, pixels of `image`.
    score : (N,) float64
    diameter : float
        Particle diameter, original pixels.
    pixel_size : float or None
        Angstrom per original pixel.
    """

    entry: Entry
    image: Image
    inner: tuple[slice, slice]
    places: Floats
    score: Floats
    diameter: float
    pixel_size: float | None


def imitate(
    catalogue: Catalogue, size: int, config: TrainConfig, run: Run
) -> list[LabelledMicrograph]:
    """Simulate micrographs of the given structure like those of a dataset, and label them.

    Parameters
    ----------
    catalogue : Catalogue
        Micrographs to be picked; no truth is read.
    size : int
        Side of the training windows, working pixels.
    config : TrainConfig
        With ``dataset.structure``.
    run : Run
        The micrographs are written to its folder ``simulated/``.

    Returns
    -------
    list of LabelledMicrograph
        At the working scale.

    Raises
    ------
    NothingUsableError
        Hardly any particle is found to measure contrast and noise from.
    """
    made: list[LabelledMicrograph] = []
    for number, group in enumerate(dict.fromkeys(one.group for one in catalogue.entries)):
        members = [one for one in catalogue.entries if one.group == group]
        measured = _measure(members, config, run)
        rng = np.random.default_rng([config.seed, number])
        for name, image, picks, reason in _scenes(group, measured, config, rng):
            path = run.folder / FOLDER / f"{name}.mrc"
            write_csv(path.with_suffix(".csv"), picks[reason == ""])
            with replacing(path) as temporary, mrcfile.new(temporary, overwrite=True) as file:
                file.set_data(image)
            entry = Entry(name, path, f"{FOLDER}_{group}", diameter=_working(config))
            preprocessed = Preprocessed(entry.load(), _working(config), config.preprocessing)
            candidates = as_candidates(preprocessed, picks, reason)
            labelled = with_sites(entry, preprocessed, candidates, size, config, len(made))
            made.append(replace(labelled, imitation=True))
    return made


def _scenes(
    group: str, measured: Sequence[Measured], config: TrainConfig, rng: np.random.Generator
) -> Iterator[tuple[str, Image, Picks, Strings]]:
    """Simulate the micrographs of one group: name, image, and what lies where."""
    diameter = _working(config)
    views, known = _views(measured, config, rng)
    transfer, contrast = _transfer(group, measured, views, diameter, resize=not known)
    views = enlarged(views, transfer.enlargement)
    noises = _noises(measured, views, transfer, diameter)
    seen = transfer.apply(views, diameter)
    copies = max(1, round(_SIMULATED_PIXELS / sum(one.image.size for one in measured)))
    jobs = [(index, copy) for copy in range(copies) for index in range(len(measured))]
    for index, copy in track(jobs, "simulating"):
        one = measured[index]
        height, width = one.image.shape[:2]
        shape = (height, width)
        image = noise(noises[index], shape, diameter, rng)
        image *= np.float32(np.sqrt(rng.uniform(*_NOISE)))
        usual = rng.lognormal(0.0, _GAIN)
        places = like(one.places, one.score, shape, diameter, rng)
        image = paste(
            image, _drawn(seen, places, rng), places, usual * rng.choice(contrast, len(places))
        )
        junk = gaps(places, shape, diameter / 2, 0.9 * diameter, rng)[: round(_JUNK * len(places))]
        for stacked in range(_LUMP):
            # Half are too dark, half a lump of several, in which none can be distinguished.
            dark = np.arange(len(junk)) % 2 == 0
            factor = np.where(dark, rng.uniform(*_DARK, len(junk)) * (stacked == 0), 1.0)
            beside = np.rint(junk + ~dark[:, None] * rng.normal(0, 0.2 * diameter, junk.shape))
            image = paste(image, _drawn(seen, junk, rng), beside, usual * factor)
        every = np.concatenate([places, junk])
        picks = Picks.create(every[:, 0], every[:, 1], diameter=diameter)
        reason = np.where(np.arange(len(picks)) < len(places), "", CONTAMINANT).astype("<U12")
        reason[: len(places)][nearest_distance(*places.T) < _ISOLATION * diameter] = UNCERTAIN
        yield f"{group}_{index:03d}_{copy:02d}", image, picks, reason


def _drawn(views: Image, places: Floats, rng: np.random.Generator) -> Image:
    """Return a random projection for each place."""
    return np.asarray(views[rng.integers(len(views), size=len(places))])


def _working(config: TrainConfig) -> float:
    return float(config.preprocessing.working_diameter)


def _measure(members: list[Entry], config: TrainConfig, run: Run) -> list[Measured]:
    """Find particles with the general weights in a sample of micrographs, and calibrate scores."""
    trained = load_weights(GENERAL)
    chain = replace(config.preprocessing, save_stages=False)
    search = build_search(trained, DenseConfig(device=config.trainer.device))
    theirs = chain_on(trained.preprocessing, "the general weights")
    measured: list[Measured] = []
    in_noise: list[Floats] = []
    for entry in track(spread(members, _MICROGRAPHS), "measuring"):

        def measure(entry: Entry = entry) -> Measured | None:
            micrograph = entry.load()
            size = entry.particle_diameter(micrograph)
            own = Preprocessed(micrograph, size, chain)
            if own.is_blank:
                return None
            seen = Preprocessed(micrograph, size, theirs)
            picks, noise = search_beside_noise(search, entry, seen, DenseConfig().mask)
            in_noise.append(noise)
            flat, margins = own.flat, own.flat.margins
            height, width = flat.image.shape
            inner = (
                slice(margins.top, height - margins.bottom),
                slice(margins.left, width - margins.right),
            )
            places = np.column_stack([to_working(v, flat.scale) for v in (picks.x, picks.y)])
            return Measured(
                entry, flat.image, inner, places, picks.score, size, micrograph.pixel_size
            )

        found = run.attempt("measure", entry.name, entry.path, measure)
        if found is not None:
            measured.append(found)
    run.require(len(measured), "measuring")
    scores = calibrate_scores([one.score for one in measured], in_noise)
    return [replace(one, score=score) for one, score in zip(measured, scores, strict=True)]


def _views(
    measured: Sequence[Measured], config: TrainConfig, rng: np.random.Generator
) -> tuple[Image, bool]:
    """Project the structures at the working scale; also return whether the scale is known."""
    files = given_structures(config.dataset.structure)
    sizes = [one.pixel_size for one in measured if one.pixel_size]
    pixel_size = float(np.median(sizes)) if sizes else None
    diameter = float(np.median([one.diameter for one in measured]))
    seen = [seen_diameter(open_structure(path, _FIRST_VOXEL)) for path in files]
    scale = scale_of(seen, pixel_size, diameter)
    if scale.doubt is not None:
        console.print(f"[yellow]warning: {scale.doubt}[/]")
    working = _working(config)
    voxel = diameter * scale.pixel_size / working
    side = 2 * round(BOX * working / 2.0)
    views = [
        boxed(
            project_structure(open_structure(path, voxel), uniform_orientations(_VIEWS, rng)), side
        )
        for path in files
    ]
    every = np.concatenate([boxed(some, side) for some in views])
    return (every / every.max()).astype(np.float32), pixel_size is not None


def _transfer(
    group: str, measured: Sequence[Measured], views: Image, diameter: float, resize: bool
) -> tuple[Transfer, Floats]:
    """Measure the transfer and the contrasts of a group of micrographs."""
    side = window_side(diameter)
    windows, scores = [], []
    wide = []
    for one in measured:
        sure = one.score >= _SURE
        windows.append(cut(one.image, one.places[sure], side, beyond="mean"))
        wide.append(cut(one.image, one.places[sure], views.shape[1] + 1, beyond="mean"))
        scores.append(one.score[sure])
    score = np.concatenate(scores)
    if len(score) < _FEWEST:
        raise NothingUsableError(
            f"{group}: {len(score)} particles stand out, too few to measure contrast and noise\n"
            "train without a structure: +experiment=no_labels"
        )
    profile = radial_mean(np.concatenate(wide).mean(axis=0))
    transfer = fit_profile(profile, views.mean(axis=0), diameter, resize)
    best = np.argsort(-score, kind="stable")[:_SUREST]
    transfer, contrast = refine_transfer(np.concatenate(windows)[best], views, transfer, diameter)
    usual = float(np.median(contrast))
    return transfer, contrast[
        (contrast > _CONTRASTS[0] * usual) & (contrast < _CONTRASTS[1] * usual)
    ]


def _noises(
    measured: Sequence[Measured], views: Image, transfer: Transfer, diameter: float
) -> list[Spectrum]:
    """Measure the spectrum of the noise of each micrograph."""
    noises = []
    for one in measured:
        height, width = one.image.shape[:2]
        column = np.rint(one.places[:, 0]).astype(np.intp).clip(0, width - 1)
        row = np.rint(one.places[:, 1]).astype(np.intp).clip(0, height - 1)
        density = np.bincount(row * width + column, one.score, height * width)
        density = density.reshape(height, width)
        density = ndimage.gaussian_filter(density, diameter / 3.0)[one.inner]
        whole, quiet = block_spectra(one.image[one.inner], density, diameter)
        noises.append(
            noise_spectrum(whole, quiet, views[:100], transfer, 1.15 * density.mean(), diameter)
        )
    return noises
