"""Messages for unknown experiments: the new name, the nearest name, those of a folder."""

from pathlib import Path

from deepcryopicker.config.renamed import EXPERIMENTS
from deepcryopicker.errors import nearest

PARTS = ("network", "rival")
"""Folders below ``experiment/`` with the parts of experiments."""


def list_experiments(conf: Path) -> list[str]:
    """List the experiments of a configuration tree, such as ``demo`` and ``paper/table4``."""
    root = conf / "experiment"
    paths = (path.relative_to(root).with_suffix("") for path in root.rglob("*.yaml"))
    return sorted(path.as_posix() for path in paths if path.parts[0] not in PARTS)


def renamed(name: str) -> str | None:
    """Return the message for an old name; None for any other."""
    if name not in EXPERIMENTS:
        return None
    return f"experiment {name} is now {EXPERIMENTS[name]}: type +experiment={EXPERIMENTS[name]}"


def no_experiment(name: str, conf: Path) -> str:
    """Return the message for an experiment that does not exist.

    Parameters
    ----------
    name : str
        As typed, such as ``table4`` or ``paper/table6``.
    conf : Path
        Configuration tree.
    """
    moved = renamed(name)
    if moved is not None:
        return moved
    names = list_experiments(conf)
    folders = sorted({each.partition("/")[0] for each in names if "/" in each})
    within = [each for each in names if each.startswith(f"{name.partition('/')[0]}/")]
    if name.rstrip("/") in folders:
        start = f"'{name.rstrip('/')}' is a folder of experiments: type +experiment={within[0]}"
    else:
        # Names at the top level replace the same names in folders.
        choices = {each.rpartition("/")[2]: each for each in names} | EXPERIMENTS
        choices |= {each: each for each in names}
        guess = nearest(name, choices)
        hint = f" Did you mean +experiment={choices[guess]}?" if guess else ""
        start = f"no experiment called '{name}'.{hint}"
    if within:
        return f"{start}\nchoose from: {', '.join(within)}"
    top = ", ".join(each for each in names if "/" not in each)
    rest = ", ".join(f"{each}/..." for each in folders)
    return f"{start}\nchoose from: {top}, {rest} (see --help)"
