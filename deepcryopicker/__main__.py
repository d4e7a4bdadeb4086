"""``python -m deepcryopicker`` prints the pipeline and the commands."""

import sys

from deepcryopicker import __version__
from deepcryopicker.io.console import console

_PAGE = f"""DeepCryoPicker {__version__}: particle picking in cryo-EM micrographs without labels

  micrographs --preprocessing--> labeler --class-set--> model
       |                                                  |
       +---------- preprocessing ---------> picker <------+
                                               |
                   truth, where there is any -> evaluation

  python -m deepcryopicker.train      label, train, pick and score
  python -m deepcryopicker.label      only find training particles
  python -m deepcryopicker.pick       pick with a trained network or a baseline
  python -m deepcryopicker.evaluate   score anybody's picks
  python -m deepcryopicker.report     look at runs: one page for a browser

Your own micrographs, no labels:
  python -m deepcryopicker.train +experiment=no_labels dataset.micrographs=DIR dataset.diameter=60

Each box is a group of options: model=compact, picker=log, ...; add --help for all of them."""

if __name__ == "__main__":
    if sys.argv[1:]:
        given = " ".join(sys.argv[1:])
        sys.exit(f"error: commands are modules; type python -m deepcryopicker.{given}")
    console.print(_PAGE, markup=False)
