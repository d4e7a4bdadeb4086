"""Find particles: with a trained network, or without labels and without any network."""

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from deepcryopicker.api.loading import load_weights
from deepcryopicker.api.micrographs import ALONE, Given, as_entries, plain_errors, with_diameter
from deepcryopicker.config.options import read_option
from deepcryopicker.dataset.catalogue import Catalogue, Entry
from deepcryopicker.detection.measures import measure_picks
from deepcryopicker.errors import UsageError
from deepcryopicker.io.console import quiet
from deepcryopicker.io.coordinates.candidate_csv import as_written
from deepcryopicker.labeler.schema import AutoConfig, LogConfig, MaskConfig, PaperConfig
from deepcryopicker.model.cards import chain_on
from deepcryopicker.model.trained_diameter import ParticleDiameter, doubt_about
from deepcryopicker.model.weights import GENERAL, Trained
from deepcryopicker.picker.folder.calibrate_alone import calibrate_alone
from deepcryopicker.picker.folder.curve import calibrates
from deepcryopicker.picker.folder.noise_image import find_in_noise
from deepcryopicker.picker.function import none_in_blanks
from deepcryopicker.picker.masking.masked import leave_out, mask_of
from deepcryopicker.picker.schema import DenseConfig, SlidingConfig
from deepcryopicker.picker.search import build_search
from deepcryopicker.preprocessing.preprocessed import Preprocessed
from deepcryopicker.runs.attempts import AllOrNothing
from deepcryopicker.types import Candidates, Picks

PickerOption = str | Mapping[str, Any] | DenseConfig | SlidingConfig
LabelerOption = str | Mapping[str, Any] | AutoConfig | LogConfig | MaskConfig | PaperConfig


def pick_micrograph(
    micrograph: Given,
    weights: str | Path | Trained = GENERAL,
    *,
    diameter: float | None = None,
    diameter_angstrom: float | None = None,
    pixel_size: float | None = None,
    polarity: str = "dark",
    candidates: bool = False,
    picker: PickerOption = "dense",
) -> Picks:
    """Pick the particles of a micrograph with a trained network, as ``pick`` does.

    Scores are calibrated on this micrograph alone where ``pick`` would calibrate them on a folder.

    Parameters
    ----------
    micrograph : (H, W) array, file or Micrograph
    weights : str, Path or Trained
        As :func:`load_weights` takes or returns them.
    diameter : float, optional
        Particle diameter, original pixels. Default: the diameter that the network was trained at,
        in Angstrom where the pixel size is known, or else an estimate from this micrograph. A
        `UserWarning` names a diameter that differs from that of the training.
    diameter_angstrom : float, optional
        The same in Angstrom; needs a pixel size.
    pixel_size : float, optional
        Angstrom per pixel; overrides the header of the file.
    polarity : {"dark", "bright"}
        Whether particles are darker or brighter than their surroundings.
    candidates : bool
        Also return candidates below the threshold, as ``picks/*.csv`` holds them.
    picker : str, mapping or configuration
        ``dense`` or ``sliding``; or keys that differ from ``conf/picker/dense.yaml``, such as
        ``{"threshold": 0.3, "device": "cpu"}``.

    Returns
    -------
    Picks
        Original pixels, best first.

    Raises
    ------
    MicrographError
        The micrograph cannot be used.
    UsageError
        An argument is wrong.
    """
    trained = weights if isinstance(weights, Trained) else load_weights(weights)
    config = as_option("picker", "dense", picker, DenseConfig | SlidingConfig)
    if config.weights is not None:
        raise UsageError("picker.weights cannot be given here; use the argument weights")
    preprocessing = chain_on(trained.preprocessing, "the card of the weights")
    entries = as_entries(
        [micrograph],
        diameter=diameter,
        diameter_angstrom=diameter_angstrom,
        pixel_size=pixel_size,
        polarity=polarity,
        argument=ALONE,
    )
    if diameter is None and diameter_angstrom is None:
        of_training = trained.diameter, trained.diameter_angstrom
        whole = Catalogue(ALONE, tuple(entries)).with_diameter(entries[0].group, *of_training)
        entries = list(whole.entries)
    search = build_search(trained, config)
    find = none_in_blanks(lambda _, preprocessed: search(preprocessed).picks)

    def pick(entry: Entry) -> tuple[Picks, ParticleDiameter]:
        loaded = entry.load()
        size = entry.particle_diameter(loaded)
        preprocessed = Preprocessed(loaded, size, preprocessing)
        mask = mask_of(config.mask, entry, preprocessed)
        picks = leave_out(find(entry, preprocessed), mask, preprocessed.flat.scale)
        picks = measure_picks(picks, preprocessed)
        if calibrates(config, trained) and not preprocessed.is_blank:
            picks = as_written(picks)
            _, noise = find_in_noise(lambda image: find(entry, image), preprocessed, picks)
            picks = calibrate_alone(preprocessed, picks, noise.score)
        return picks, ParticleDiameter.of(size, None, loaded.pixel_size)

    with quiet(), plain_errors():
        (entry,) = with_diameter(entries, preprocessing)
        stop = AllOrNothing()
        picks, used = stop.attempt("picking", entry.name, entry.path, lambda: pick(entry))
    if diameter is not None or diameter_angstrom is not None:
        doubt = doubt_about(used, ParticleDiameter(trained.diameter, trained.diameter_angstrom))
        if doubt is not None:
            warnings.warn(doubt.replace("dataset.", ""), UserWarning, stacklevel=2)
    return picks if candidates else picks[picks.score >= config.threshold]


def find_particles(
    micrographs: Sequence[Given],
    *,
    diameter: float | None = None,
    diameter_angstrom: float | None = None,
    pixel_size: float | None = None,
    polarity: str = "dark",
    labeler: LabelerOption = "auto",
    progress: bool = False,
) -> list[Candidates]:
    """Find the particles of micrographs of one kind without labels, as ``label`` does.

    Parameters
    ----------
    micrographs : sequence of (H, W) arrays, files or Micrograph
        The labeler learns from at most eight of them, spread evenly.
    diameter, diameter_angstrom, pixel_size, polarity
        As for :func:`pick_micrograph`; without a diameter it is estimated.
    labeler : str, mapping or configuration
        Name of an option in ``conf/labeler``, such as ``auto``, ``log`` or ``ibc``; or keys that
        differ from ``conf/labeler/auto.yaml``.
    progress : bool
        Show progress lines.

    Returns
    -------
    list of Candidates
        One for each micrograph: all candidates (``picks``), whether each is good enough to train
        on (``good``), and why it is not (``reason``).

    Raises
    ------
    MicrographError
        A micrograph cannot be used.
    UsageError
        An argument is wrong.
    """
    # Imported on demand, because picking with a network needs no labeler.
    from deepcryopicker.pipeline.labels.label_dataset import label_each

    config = as_option(
        "labeler", "auto", labeler, AutoConfig | LogConfig | MaskConfig | PaperConfig
    )
    preprocessing = read_option("preprocessing", "default")
    entries = as_entries(
        micrographs,
        diameter=diameter,
        diameter_angstrom=diameter_angstrom,
        pixel_size=pixel_size,
        polarity=polarity,
    )
    with quiet(not progress), plain_errors():
        catalogue = Catalogue("micrographs", tuple(with_diameter(entries, preprocessing)))
        labelled = label_each(catalogue, preprocessing, config, AllOrNothing())
        return [one.candidates for one in labelled]


def as_option(group: str, default: str, given: Any, kinds: Any) -> Any:
    """Return a configuration that is given by name, by the keys that differ, or as it is.

    Parameters
    ----------
    group : str
        Of the configuration, such as ``picker``.
    default : str
        Option whose keys a mapping changes.
    given : str, mapping or configuration
    kinds : type or union of types
        Configurations that are accepted.

    Raises
    ------
    UsageError
    """
    if isinstance(given, str):
        given = read_option(group, given)
    elif isinstance(given, Mapping):
        given = read_option(group, default, given)
    if not isinstance(given, kinds):
        raise UsageError(
            f"{group}: this cannot be used here; leave it out for {default}, or give a name in "
            f"conf/{group} or a dictionary of keys"
        )
    return given
