"""The configuration of the commands that read what others have picked."""

from dataclasses import dataclass, field
from typing import Any

from omegaconf import MISSING

from deepcryopicker.config.schemas import check_outputs, check_seed
from deepcryopicker.config.sections import (
    ClassesSection,
    EvaluateSection,
    FilterSection,
    ReportSection,
    ViewSection,
)


@dataclass
class EvaluateConfig:
    """``python -m deepcryopicker.evaluate``."""

    evaluate: EvaluateSection = field(default_factory=EvaluateSection)
    logger: Any = MISSING


@dataclass
class FilterConfig:
    """``python -m deepcryopicker.filter``.

    Attributes
    ----------
    outputs : list of str
        As of ``pick``.
    """

    outputs: list[str] = field(default_factory=lambda: ["csv", "relion"])
    filter: FilterSection = field(default_factory=FilterSection)

    def __post_init__(self) -> None:
        check_outputs(self.outputs)


@dataclass
class ClassesConfig:
    """``python -m deepcryopicker.classes``.

    Attributes
    ----------
    seed : int
        The same configuration and seed on the same machine give the same classes.
    """

    seed: int = 0
    dataset: Any = MISSING
    classes: ClassesSection = field(default_factory=ClassesSection)
    logger: Any = MISSING

    def __post_init__(self) -> None:
        check_seed(self.seed)


@dataclass
class ReportConfig:
    """``python -m deepcryopicker.report``."""

    report: ReportSection = field(default_factory=ReportSection)
    logger: Any = MISSING


@dataclass
class ViewConfig:
    """``python -m deepcryopicker.view``."""

    view: ViewSection = field(default_factory=ViewSection)
