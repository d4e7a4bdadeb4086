"""The schemas of every configuration group, by the name that option files call them."""

from deepcryopicker.class_set.schema import ClassSetConfig
from deepcryopicker.dataset.schema import (
    CombinedConfig,
    CryopppConfig,
    FolderConfig,
    PublicConfig,
    SimulatedConfig,
    VariedConfig,
)
from deepcryopicker.labeler.schema import (
    AutoConfig,
    FcmConfig,
    IbcConfig,
    KmeansConfig,
    LogConfig,
    PaperConfig,
    StructureConfig,
    SuperKmeansConfig,
    TruthConfig,
)
from deepcryopicker.logger.schema import LoggerConfig
from deepcryopicker.model.schema import (
    CompactConfig,
    ContextConfig,
    ConvolutionalConfig,
    TimmConfig,
)
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
    RelionReferenceConfig,
    RelionTemplateConfig,
    TopazConfig,
    TopazTrainedConfig,
)
from deepcryopicker.trainer.schema import TrainerConfig

SCHEMAS: dict[str, dict[str, type]] = {
    "dataset": {
        "combined": CombinedConfig,
        "cryoppp": CryopppConfig,
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
        "paper": PaperConfig,
        "structure": StructureConfig,
        "super_kmeans": SuperKmeansConfig,
        "truth": TruthConfig,
    },
    "class-set": {"schema": ClassSetConfig},
    "model": {
        "compact": CompactConfig,
        "context": ContextConfig,
        "convolutional": ConvolutionalConfig,
        "timm": TimmConfig,
    },
    "trainer": {"schema": TrainerConfig},
    "picker": {
        "dense": DenseConfig,
        "eman2": Eman2Config,
        "fast_rcnn": FastRcnnConfig,
        "imported": ImportedConfig,
        "labeler": LabelerPickerConfig,
        "pixer": PixerConfig,
        "relion_log": RelionLogConfig,
        "relion_reference": RelionReferenceConfig,
        "relion_template": RelionTemplateConfig,
        "sliding": SlidingConfig,
        "topaz": TopazConfig,
        "topaz_trained": TopazTrainedConfig,
    },
    "logger": {"schema": LoggerConfig},
}
