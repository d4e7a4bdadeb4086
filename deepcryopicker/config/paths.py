"""The configuration tree: ``conf/``, which the package reaches by a link in a checkout."""

from pathlib import Path

CONF_DIR = Path(__file__).resolve().parent.parent / "conf"
