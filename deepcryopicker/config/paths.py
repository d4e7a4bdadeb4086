"""Path of the configuration tree ``conf/``, which a checkout links into the package."""

from pathlib import Path

CONF_DIR = Path(__file__).resolve().parent.parent / "conf"
