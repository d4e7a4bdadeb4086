"""The micrographs of a training: opened, checked, and divided into known and scored ones."""

from dataclasses import dataclass
from typing import Self

from deepcryopicker.config.schemas import TrainConfig
from deepcryopicker.dataset.catalogue import Catalogue
from deepcryopicker.pipeline.inputs.coordinate_check import check_coordinates
from deepcryopicker.pipeline.inputs.given_corrections import given_corrections, without_excluded
from deepcryopicker.pipeline.inputs.label_use import label_use, share_held_out, trains_on_truth
from deepcryopicker.pipeline.inputs.open_dataset import open_catalogue, settle_diameter
from deepcryopicker.pipeline.inputs.splits import hold_out, hold_out_member
from deepcryopicker.runs.folder import Run


@dataclass(frozen=True)
class TrainingInput:
    """The micrographs that a training may use.

    Attributes
    ----------
    catalogue : Catalogue
        All micrographs that may be looked at.
    known : Catalogue
        Those whose truth may be used.
    scored : Catalogue
        Those that are picked and scored; `catalogue` itself if none are held out.
    """

    catalogue: Catalogue
    known: Catalogue
    scored: Catalogue

    @classmethod
    def whole(cls, catalogue: Catalogue) -> Self:
        """Hold nothing out."""
        return cls(catalogue, catalogue, catalogue)


def open_training_input(
    catalogue: Catalogue | None, config: TrainConfig, run: Run
) -> TrainingInput:
    """Open the dataset, settle its diameter, check its coordinates, and hold micrographs out.

    Parameters
    ----------
    catalogue : Catalogue or None
        The micrographs, if they were found on the disk before torch was loaded.
    config : TrainConfig
    run : Run
        Notes which labels are used.
    """
    if catalogue is None:
        catalogue = open_catalogue(config.dataset, run)
    catalogue = without_excluded(catalogue, given_corrections(config))
    catalogue = settle_diameter(catalogue, config.preprocessing, config.labeler, run)
    check_coordinates(catalogue, config.dataset, run, trains_on_truth(config))
    if config.held_out_member is None:
        known, scored = hold_out(catalogue, share_held_out(config), config.seed, run)
        given = TrainingInput(catalogue, known, scored)
    else:
        known, scored = hold_out_member(catalogue, config.held_out_member)
        given = TrainingInput(known, known, scored)
    run.notes["label_use"] = label_use(config, given.known)
    return given
