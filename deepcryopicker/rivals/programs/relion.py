"""RELION 3.1 and newer, called as a program: Laplacian of Gaussian, and template matching.

Lengths are passed to RELION in Angstrom; if the pixel size is unknown, a pixel is an Angstrom.
"""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import mrcfile
import numpy as np
import numpy.typing as npt

from deepcryopicker.errors import NothingUsableError, UsageError
from deepcryopicker.io.star.optics_groups import optics_table, placeholder
from deepcryopicker.io.star.relion_star import (
    read_numbers,
    read_star,
    write_coordinates_star,
    write_micrographs_star,
)
from deepcryopicker.rivals.programs.process import Program, find_program, run_program
from deepcryopicker.rivals.programs.program_inputs import (
    MICROGRAPHS,
    Input,
    ProgramJob,
    take_examples,
    unit_score,
)
from deepcryopicker.rivals.programs.schema import RelionLogConfig, RelionTemplateConfig
from deepcryopicker.types import Floats, Picks

HINT = "`make relion` installs it on Debian, as root"
THRESHOLD = 0.25
"""RELION's default threshold for templates, as a share of the expected probability ratio."""

LOWEST = 0.05
"""Threshold passed to RELION, so that it returns candidates below the default."""

_BOX = 1.5  # diameters
_BOX_PIXELS = 48  # side of the averaged boxes
_ITERATIONS = 20
_MIN_SHARE = 0.05  # class averages of a smaller share of the particles are dropped
ROTATIONS = ("--ang", "5")
"""Rotations of a reference, degrees apart, as RELION's GUI sets them. Its limit of the background's
standard deviation is left out: it takes particles of strong contrast away (docs/benchmarks.md)."""
_TRAINING = "_training.star"
_TEMPLATES = "templates.mrcs"
_AVERAGES, _PARTICLES = "averages", "particles"  # folders


def pick_blobs(config: RelionLogConfig, batch: ProgramJob) -> dict[str, Picks]:
    """Pick a batch by the Laplacian of Gaussian, without labels.

    RELION itself applies the threshold: everything that it returns has a score above one half.

    Returns
    -------
    dict
        From the name of a micrograph to its picks, original pixels.
    """
    least, greatest = (share * batch.diameter * batch.angstrom for share in config.diameters)
    options = ["--LoG", "--LoG_diam_min", f"{least:.2f}", "--LoG_diam_max", f"{greatest:.2f}"]
    picked = autopick(batch, options)
    return {
        name: Picks.create(p.x, p.y, 0.5 + unit_score(p.score, 1.0) / 2.0, diameter=batch.diameter)
        for name, p in picked.items()
    }


def pick_by_templates(
    config: RelionTemplateConfig, batch: ProgramJob, seed: int
) -> dict[str, Picks]:
    """Pick a batch by template matching.

    Parameters
    ----------
    config : RelionTemplateConfig
    batch : ProgramJob
    seed : int
        For the classification that makes templates if none are given.

    Returns
    -------
    dict
        From the name of a micrograph to its picks, original pixels.
    """
    templates = Path(config.templates or "")
    if config.templates is None:
        templates = make_templates(config, batch, seed)
    lowpass = config.lowpass if batch.pixel_size else batch.diameter / 6.0
    options = [
        *("--ref", str(templates.resolve()), "--angpix_ref", f"{_pixel_size(templates):.5f}"),
        *("--invert", *ROTATIONS, "--shrink", "0"),
        *("--lowpass", f"{lowpass:.2f}", "--threshold", f"{LOWEST}"),
        *("--particle_diameter", f"{1.1 * batch.diameter * batch.angstrom:.1f}"),
        *("--min_distance", f"{0.5 * batch.diameter * batch.angstrom:.1f}"),
    ]
    picked = autopick(batch, options)
    return {
        name: Picks.create(p.x, p.y, unit_score(p.score, THRESHOLD), diameter=batch.diameter)
        for name, p in picked.items()
    }


def make_templates(config: RelionTemplateConfig, batch: ProgramJob, seed: int) -> Path:
    """Average boxes of true particles by RELION's 2-D classification.

    Parameters
    ----------
    config : RelionTemplateConfig
    batch : ProgramJob
    seed : int
        Random seed of RELION.

    Returns
    -------
    Path
        ``templates.mrcs`` in the batch's folder: class averages, particles bright.

    Raises
    ------
    UsageError
        If the batch has no true particles.
    """
    examples = take_examples(batch.examples, config.picks)
    count = sum(len(one.picks or ()) for one in examples)
    if not count:
        raise UsageError(
            "picker=relion_template needs true particles for its templates: "
            "set dataset.coordinates, or give picker.templates=STACK"
        )
    _extract(batch, examples)
    averages = batch.folder / _AVERAGES
    averages.mkdir()
    _run(
        "relion_refine",
        classification_options(config, batch, seed),
        batch.folder,
        ("RELION: averaging particles in", "iteration"),
        _ITERATIONS + 1,
        lambda: len(list(averages.glob("run_it*_model.star"))),
    )
    stem = averages / f"run_it{_ITERATIONS:03d}"
    shares = read_numbers(Path(f"{stem}_model.star"), "rlnClassDistribution")
    images = mrcfile.read(f"{stem}_classes.mrcs").reshape(-1, _BOX_PIXELS, _BOX_PIXELS)
    chosen = images[choose_averages(shares, _MIN_SHARE)]
    for used_up in (averages, batch.folder / _PARTICLES):
        shutil.rmtree(used_up)
    with mrcfile.new(batch.folder / _TEMPLATES, overwrite=True) as file:
        file.set_data(chosen.astype(np.float32))
        file.set_image_stack()
        file.voxel_size = box_size(batch.diameter) * batch.angstrom / _BOX_PIXELS
    return batch.folder / _TEMPLATES


def classification_options(config: RelionTemplateConfig, batch: ProgramJob, seed: int) -> list[str]:
    """Return the options of ``relion_refine`` for 2-D class averages, after RELION's tutorial.

    Parameters
    ----------
    config : RelionTemplateConfig
    batch : ProgramJob
    seed : int
        Random seed of RELION.
    """
    lowpass = config.lowpass if batch.pixel_size else batch.diameter / 6.0
    return [
        *("--i", "particles.star", "--o", f"{_AVERAGES}/run", "--iter", str(_ITERATIONS)),
        *("--K", str(config.classes), "--tau2_fudge", "2", "--random_seed", str(seed + 1)),
        *("--particle_diameter", f"{1.1 * batch.diameter * batch.angstrom:.1f}"),
        *("--strict_highres_exp", f"{lowpass:.2f}", "--psi_step", "12", "--oversampling", "1"),
        *("--offset_range", "5", "--offset_step", "2", "--pool", "10", "--preread_images"),
        *("--zero_mask", "--flatten_solvent", "--norm", "--scale", "--dont_check_norm"),
    ]


def choose_averages(shares: Floats, least: float) -> npt.NDArray[np.int64]:
    """Choose class averages with at least a share of the particles, and always the largest."""
    chosen = np.flatnonzero(shares >= least)
    return chosen if len(chosen) else np.array([np.argmax(shares)])


def box_size(diameter: float) -> int:
    """Return the even side of the averaged boxes, original pixels."""
    return 2 * round(_BOX * diameter / 2.0)


def program() -> Program:
    """Find ``relion_autopick``."""
    return find_program("RELION", "relion_autopick", HINT)


def _extract(batch: ProgramJob, examples: Sequence[Input]) -> None:
    """Extract the boxes of true particles: ``particles.star``."""
    for one in examples:
        path = batch.folder / MICROGRAPHS / f"{one.stem}{_TRAINING}"
        write_coordinates_star(path, one.picks or Picks.empty())
    _list(batch.folder / "training.star", examples, batch.angstrom)
    options = [
        *("--i", "training.star", "--coord_dir", "./", "--coord_suffix", _TRAINING),
        *("--part_dir", f"{_PARTICLES}/", "--part_star", "particles.star", "--extract"),
        *("--extract_size", str(box_size(batch.diameter)), "--scale", str(_BOX_PIXELS)),
        *("--norm", "--bg_radius", str(round(0.37 * _BOX_PIXELS)), "--invert_contrast"),
    ]
    progress = ("RELION: extracting particles in", "step")
    _run("relion_preprocess", options, batch.folder, progress, 1, lambda: 0)


def _list(path: Path, inputs: Sequence[Input], pixel_size: float) -> None:
    optics = placeholder(pixel_size)
    grouped = [(one.file, optics.group) for one in inputs]
    write_micrographs_star(path, grouped, optics_table([optics]))


def autopick(batch: ProgramJob, options: list[str]) -> dict[str, Picks]:
    """Run RELION's picker on a batch and read its picks.

    Parameters
    ----------
    batch : ProgramJob
    options : list of str
        Of ``relion_autopick``, beside its micrographs and their pixel size.

    Raises
    ------
    NothingUsableError
        If RELION fails or writes no picks.
    """
    _list(batch.folder / "micrographs.star", batch.inputs, batch.angstrom)
    found = batch.folder / "found" / MICROGRAPHS
    # RELION writes the projections of a map there before any picks.
    found.mkdir(parents=True, exist_ok=True)
    given = ["--i", "micrographs.star", "--odir", "found/", "--angpix", f"{batch.angstrom:.5f}"]
    _run(
        "relion_autopick",
        [*given, *options],
        batch.folder,
        ("RELION: picking", "micrograph"),
        len(batch.inputs),
        lambda: len(list(found.glob("*_autopick.star"))),
    )
    files = {one.name: found / f"{one.stem}_autopick.star" for one in batch.inputs}
    missing = [str(path) for path in files.values() if not path.is_file()]
    if len(missing) == len(files):
        raise NothingUsableError(f"RELION did not write any picks: see {batch.folder}")
    # Where RELION finds nothing, it leaves an empty file.
    return {
        name: read_star(path) if path.stat().st_size else Picks.empty()
        for name, path in files.items()
        if path.is_file()
    }


def _run(
    command: str,
    options: list[str],
    folder: Path,
    progress: tuple[str, str],
    total: int,
    count: Callable[[], int],
) -> None:
    found = find_program("RELION", command, HINT)
    run_program(found, options, folder, f"{command}.log", progress, total, count)


def _pixel_size(stack: Path) -> float:
    """Read the pixel size of references from their header."""
    if not stack.is_file():
        raise UsageError(f"picker.templates: {stack} does not exist")
    with mrcfile.open(stack, header_only=True, permissive=True) as file:
        size = float(file.voxel_size.x)
    if not size > 0:
        raise UsageError(f"picker.templates: {stack} has no pixel size in its header")
    return size
