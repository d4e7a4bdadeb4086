"""Every schema that Hydra composes configurations of, and the check of what it has composed."""

import dataclasses
import re
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig, OmegaConf

from deepcryopicker.class_set.schema import ClassSetConfig
from deepcryopicker.config.schemas import (
    EvaluateConfig,
    LabelConfig,
    PickConfig,
    ReportConfig,
    TrainConfig,
)
from deepcryopicker.dataset.schema import (
    CombinedConfig,
    FolderConfig,
    PublicConfig,
    SimulatedConfig,
    VariedConfig,
)
from deepcryopicker.errors import UsageError
from deepcryopicker.labeler.schema import (
    AutoConfig,
    FcmConfig,
    IbcConfig,
    KmeansConfig,
    LogConfig,
    SuperKmeansConfig,
    TruthConfig,
)
from deepcryopicker.logger.schema import LoggerConfig
from deepcryopicker.model.schema import CompactConfig, ConvolutionalConfig, TimmConfig
from deepcryopicker.picker.schema import (
    DenseConfig,
    LabelerPickerConfig,
    SlidingConfig,
)
from deepcryopicker.preprocessing.schema import PreprocessingConfig
from deepcryopicker.rivals.learned.schema import (
    Eman2Config,
    FastRcnnConfig,
    PixerConfig,
)
from deepcryopicker.rivals.programs.schema import (
    ImportedConfig,
    RelionLogConfig,
    RelionTemplateConfig,
    TopazConfig,
    TopazTrainedConfig,
)
from deepcryopicker.trainer.schema import TrainerConfig

SCHEMAS: dict[str, dict[str, type]] = {
    "dataset": {
        "combined": CombinedConfig,
        "folder": FolderConfig,
        "public": PublicConfig,
        "simulated": SimulatedConfig,
        "varied": VariedConfig,
    },
    "preprocessing": {"schema": PreprocessingConfig},
    "labeler": {
        "auto": AutoConfig,
        "fcm": FcmConfig,
        "ibc": IbcConfig,
        "kmeans": KmeansConfig,
        "log": LogConfig,
        "super_kmeans": SuperKmeansConfig,
        "truth": TruthConfig,
    },
    "class-set": {"schema": ClassSetConfig},
    "model": {"compact": CompactConfig, "convolutional": ConvolutionalConfig, "timm": TimmConfig},
    "trainer": {"schema": TrainerConfig},
    "picker": {
        "dense": DenseConfig,
        "eman2": Eman2Config,
        "fast_rcnn": FastRcnnConfig,
        "imported": ImportedConfig,
        "labeler": LabelerPickerConfig,
        "pixer": PixerConfig,
        "relion_log": RelionLogConfig,
        "relion_template": RelionTemplateConfig,
        "sliding": SlidingConfig,
        "topaz": TopazConfig,
        "topaz_trained": TopazTrainedConfig,
    },
    "logger": {"schema": LoggerConfig},
}

_GROUP_OF = {"rivals": "picker"}
"""Packages with schemas of another group's options."""

COMMANDS: dict[str, type] = {
    "train": TrainConfig,
    "label": LabelConfig,
    "pick": PickConfig,
    "evaluate": EvaluateConfig,
    "report": ReportConfig,
}
"""Names of the commands, which are also those of their primary configuration files."""


def register() -> None:
    """Store all schemas; option files name them with a leading underscore."""
    store = ConfigStore.instance()
    for group, schemas in SCHEMAS.items():
        for name, schema in schemas.items():
            # A hyphen cannot be part of a Python attribute.
            package = group.replace("-", "_") if "-" in group else None
            store.store(group=group, name=f"_{name}", node=schema, package=package)
    for name, node in COMMANDS.items():
        store.store(name=f"_{name}", node=node)


def validated(config: DictConfig) -> Any:
    """Build the dataclasses of a composed configuration; their own checks run now.

    Raises
    ------
    UsageError
        If a value is refused. Schemas complain of ``labeler.clip`` wherever they are; the message
        names the key that was given, such as ``picker.labeler.blobs.clip``.
    """
    _check(config, "")
    return OmegaConf.to_object(config)


def _check(node: DictConfig, path: str) -> None:
    """Build a node after those within it, so that what is refused is a key of the node itself."""
    kind = OmegaConf.get_type(node)
    for key in node:
        child = None if OmegaConf.is_missing(node, key) else node[key]
        if isinstance(child, DictConfig):
            _check(child, f"{path}{key!s}.")
    try:
        OmegaConf.to_object(node)
    except UsageError as error:
        raise UsageError(_name_in_full(str(error), kind, path)) from error


def _name_in_full(message: str, kind: type | None, path: str) -> str:
    """Put a node's path before the names of its own keys, for example after ``labeler.``."""
    module = getattr(kind, "__module__", "").split(".")
    if not path or kind is None or module[-1] != "schema" or not dataclasses.is_dataclass(kind):
        return message
    names = "|".join(each.name for each in dataclasses.fields(kind))
    group = _GROUP_OF.get(module[1], module[1])
    return re.sub(rf"\b{group}\.(?:\w+\.)*(?=(?:{names})\b)", path, message)
