"""All commands by name: ``deepcryopicker COMMAND ...``; without a name, an overview.

deepcryopicker pick dataset=folder dataset.micrographs=DIR
"""

import sys
from collections.abc import Sequence
from importlib import import_module

from deepcryopicker import __version__
from deepcryopicker.errors import nearest
from deepcryopicker.io.console import console

COMMANDS = ("train", "label", "pick", "classes", "filter", "evaluate", "report", "view")
_WRONG_USAGE = 2

_PAGE = f"""DeepCryoPicker {__version__}: particle picking in cryo-EM micrographs without labels

  micrographs --preprocessing--> labeler --class-set--> model
       |                                                  |
       +---------- preprocessing ---------> picker <------+
                                               |
                            truth, if given -> evaluation

  deepcryopicker train      label, train, pick and score
  deepcryopicker label      find training particles only
  deepcryopicker pick       pick with a trained network or a baseline
  deepcryopicker filter     keep picks by score, distance, place, class or corrections
  deepcryopicker classes    average the picks of any program by 2-D class
  deepcryopicker evaluate   score the picks of any program
  deepcryopicker report     show runs on one page for a browser
  deepcryopicker view       the same by a local server: full resolution, corrections saved
  deepcryopicker runs       finished runs as a table: filter, sort, compare
  deepcryopicker export     a trained picker and its card in one file, to be handed on
  deepcryopicker info       versions, devices and data, for bug reports; info FILE: its card

Your own micrographs, no labels:
  deepcryopicker train +experiment=no_labels dataset.micrographs=DIR dataset.diameter=60

Each box is a group of options: model=compact, picker=log, ...; add --help for all of them.
python -m deepcryopicker.train does the same as deepcryopicker train; from Python: docs/api.md."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command given as first argument, and return its exit code.

    Parameters
    ----------
    arguments : sequence of str, optional
        Arguments after the name of the program; ``sys.argv`` by default.

    Returns
    -------
    int
        0 for the overview and ``--version``, 2 for an unknown command, else that of the command.
    """
    name, *others = (sys.argv[1:] if arguments is None else arguments) or ["--help"]
    if name in ("--help", "-h"):
        console.print(_PAGE, markup=False)
        return 0
    if name == "--version":
        console.print(__version__, markup=False)
        return 0
    if name == "info":
        from deepcryopicker.info import info  # loads torch

        return info(others)
    if name == "export":
        from deepcryopicker.export_picker import main as export

        return export(others)
    if name == "runs":
        from deepcryopicker.runs.__main__ import main as list_runs

        return list_runs(others)
    if name not in COMMANDS:
        guess = nearest(name, COMMANDS)
        hint = f"did you mean {guess}?" if guess else f"choose from {', '.join(COMMANDS)}"
        print(f"error: no command called '{name}'; {hint}", file=sys.stderr)  # noqa: T201
        return _WRONG_USAGE
    # Imported on demand, so that a wrong name is reported quickly.
    from deepcryopicker.app.hydra_app import command

    sys.argv = [f"deepcryopicker {name}", *others]
    return command(getattr(import_module(f"deepcryopicker.{name}"), name), name)


if __name__ == "__main__":
    sys.exit(main())
