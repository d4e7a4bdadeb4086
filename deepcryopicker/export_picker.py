"""Write a trained picker into one file, with its card: ``deepcryopicker export``.

deepcryopicker export RUN FILE.safetensors
deepcryopicker export RUN FILE.safetensors licence=CC-BY-4.0
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from deepcryopicker.errors import DeepCryoPickerError, UsageError
from deepcryopicker.io.console import console
from deepcryopicker.model.weights_file import (
    INCLUDED,
    NETWORK_CARD,
    NETWORK_FILE,
    RIVAL_CARD,
    RIVAL_FILE,
)

_USAGE = (
    "type the run folder of a training, then the file to write: export RUN FILE.safetensors; "
    "licence=WORDS states that of the weights"
)
_SUFFIX = ".safetensors"


def main(arguments: Sequence[str]) -> int:
    """Export what the arguments name, and return the exit code."""
    if {"--help", "-h"} & {*arguments}:
        console.print(f"{__doc__}\n{_USAGE}", markup=False)
        return 0
    given = [each for each in arguments if not each.startswith("licence=")]
    licence = next((each[8:] for each in arguments if each.startswith("licence=")), None)
    try:
        if len(given) != 2:
            raise UsageError(_USAGE)
        written = export(given[0], Path(given[1]), licence)
    except DeepCryoPickerError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return error.exit_code
    console.print(f"pick with picker.weights={written}", soft_wrap=True, markup=False)
    return 0


def export(run: str, target: Path, licence: str | None = None) -> Path:
    """Write the weights of a run folder and their card into one file.

    Raises
    ------
    UsageError
        The folder holds no weights, they are damaged, or the file exists.
    """
    from deepcryopicker.model.cards import write_single  # loads torch
    from deepcryopicker.model.weights import GENERAL_FOLDER, load_weights
    from deepcryopicker.plugins.plugin_modules import load_plugins
    from deepcryopicker.reporting.reading.exported_card import card_to_export
    from deepcryopicker.rivals.learned.rival_weights import load as load_rival

    folder = GENERAL_FOLDER if run == INCLUDED else Path(run)
    if target.suffix != _SUFFIX:
        raise UsageError(f"{target}: the name of an exported file ends with {_SUFFIX}")
    if target.exists():
        raise UsageError(f"{target} exists: choose another name, or remove it first")
    load_plugins()
    if not folder.is_dir():
        raise UsageError(f"{run} is not a folder: give the run folder of a training")
    if (folder / RIVAL_FILE).is_file():
        load_rival(folder, "export")
        weights, card = folder / RIVAL_FILE, folder / RIVAL_CARD
    else:
        load_weights(folder, "export")
        weights, card = folder / NETWORK_FILE, folder / NETWORK_CARD
    write_single(weights, card_to_export(card, folder, licence), target)
    return target


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
