"""Check that a foreign configuration only runs code of this program and of Hydra.

The options of this program do not name code, but the section ``hydra`` can. Refusing that section
in every foreign file would not be enough: a package directive, a defaults list, an interpolation or
the parameters of a sweep can put content of any file there. It is therefore checked each time Hydra
has composed a configuration, before objects are created from it. Hydra has no public interface
between the two, so two of its classes are replaced here, and its version is pinned.
"""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from hydra._internal import hydra as hydra_internal
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.core_plugins import file_config_source
from hydra._internal.sources_registry import SourcesRegistry
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import ConfigCompositionException, HydraException
from hydra.plugins.config_source import ConfigResult
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from deepcryopicker.config.paths import CONF_DIR
from deepcryopicker.config.renamed import constants_in, refuse_constant, up_to_date
from deepcryopicker.errors import UsageError
from deepcryopicker.io.files.yaml_files import check_yaml
from deepcryopicker.search.sweeper import register_sweeper

_PLUGINS = "hydra._internal.core_plugins"
_SUBMITIT = "hydra_plugins.hydra_submitit_launcher.submitit_launcher"
ALLOWED = {
    "callbacks": {"deepcryopicker.runs.slurm.SlurmSweep", "deepcryopicker.runs.sweep.Watch"},
    "launcher": {
        f"{_PLUGINS}.basic_launcher.BasicLauncher",
        f"{_SUBMITIT}.LocalLauncher",
        f"{_SUBMITIT}.SlurmLauncher",
    },
    "sweeper": {
        f"{_PLUGINS}.basic_sweeper.BasicSweeper",
        "hydra_plugins.deepcryopicker.SearchSweeper",
    },
}
"""All code that a configuration may name, by section of ``hydra``."""

HANDLERS = {"logging.FileHandler", "logging.NullHandler", "logging.StreamHandler"}
"""Allowed classes of logging handlers."""

_REFUSED = "is refused: a configuration may not choose what code runs"
_STREAMS = {"ext://sys.stdout", "ext://sys.stderr"}
_LOGGING = ("hydra_logging", "job_logging")
_SINGLE = "hydra.mode=RUN"  # added by Hydra to the command line of a single run
_OUTPUT = "/output"  # placeholder for the run folder, which is not known yet


def install() -> None:
    """Check every configuration that Hydra composes from now on."""
    hydra_internal.ConfigLoaderImpl = CheckedLoader  # type: ignore[attr-defined]
    register_sweeper()  # after Hydra's own sources
    SourcesRegistry.instance().types["file"] = FileConfigSource


class CheckedLoader(ConfigLoaderImpl):
    """Composes like Hydra, and refuses foreign code.

    Hydra composes every single run twice, the first time only to learn whether it is one
    (``hydra.mode``). It is composed once here: the first configuration, or what was wrong with it,
    is kept for the second time.
    """

    _kept: tuple[str | None, list[str], DictConfig | Exception] | None = None

    def load_configuration(
        self,
        config_name: str | None,
        overrides: list[str],
        run_mode: RunMode,
        from_shell: bool = True,
        validate_sweep_overrides: bool = True,
    ) -> DictConfig:
        """Compose; also called for each job of a sweep."""
        kept, self._kept = self._kept, None
        single = run_mode == RunMode.RUN and validate_sweep_overrides
        if single and kept is not None and kept[:2] == (config_name, overrides):
            if isinstance(kept[2], Exception):
                raise kept[2]
            kept[2].hydra.overrides.hydra.append(_SINGLE)
            return kept[2]
        try:
            config = super().load_configuration(
                config_name, overrides, run_mode, from_shell, validate_sweep_overrides
            )
        except (HydraException, OmegaConfBaseException) as error:
            if not validate_sweep_overrides and not _sweeps(overrides):
                self._kept = config_name, [*overrides, _SINGLE], error
            raise
        problem = foreign_code(config)
        if problem is not None:
            raise ConfigCompositionException(problem)
        if not validate_sweep_overrides and not _sweeps(overrides) and _complete(config):
            self._kept = config_name, [*overrides, _SINGLE], config
        return config


class FileConfigSource(file_config_source.FileConfigSource):
    """Reads YAML files like Hydra; foreign files only if they are small and well-formed."""

    def load_config(self, config_path: str) -> ConfigResult:
        """Read a file below the folder of this source."""
        if Path(self.path).resolve() != CONF_DIR.resolve():
            try:
                check_yaml(Path(self.path) / self._normalize_file_name(config_path))
            except UsageError as error:
                raise ConfigCompositionException(str(error)) from error
            return _up_to_date(super().load_config(config_path), config_path)
        return super().load_config(config_path)


def _sweeps(overrides: list[str]) -> bool:
    """Whether any override lists several values."""
    parsed = OverridesParser.create().parse_overrides(overrides)
    return any(one.is_sweep_override() for one in parsed)


def _complete(config: DictConfig) -> bool:
    """Whether every group has a chosen option, as a single run requires."""
    return "???" not in config.hydra.runtime.choices.values()


def _up_to_date(result: ConfigResult, config_path: str) -> ConfigResult:
    """Give the keys of a whole configuration of version 0.1.0 their new names.

    Raises
    ------
    ConfigCompositionException
        Has a line for every key that is a constant now, and had another value.
    """
    if isinstance(result.config, DictConfig) and (
        "/" not in config_path or result.header.get("package") == "_global_"
    ):
        content = cast(dict[str, Any], OmegaConf.to_container(result.config))
        content = up_to_date(content)
        wrong = constants_in(content)
        if wrong:
            raise ConfigCompositionException("\n".join(map(refuse_constant, wrong)))
        result.config = OmegaConf.create(content)
    return result


def foreign_code(config: DictConfig) -> str | None:
    """Return the refusal of a configuration that would run foreign code; None if it would not.

    Parameters
    ----------
    config : DictConfig
        Composed configuration with its section ``hydra``.
    """
    for key in config:
        if key != "hydra" and isinstance(config._get_node(key), DictConfig):
            for name, value in _leaves(OmegaConf.to_container(config[key]), str(key)):
                if name.endswith("._target_"):
                    return f"{name}={value}: options here do not name code; remove the key"
    hydra = _resolved(config)
    for section, allowed in ALLOWED.items():
        for name, value in _leaves(hydra.get(section), f"hydra.{section}"):
            if name.endswith("._target_") and value not in allowed:
                return f"{name}={value} {_REFUSED}"
    wrong = [_foreign_logging(hydra.get(section), f"hydra.{section}") for section in _LOGGING]
    return next(filter(None, wrong), None) or _environment(config)


def _resolved(config: DictConfig) -> dict[str, Any]:
    """Resolve the sections that name code, with a placeholder for the run folder."""
    whole = copy.deepcopy(config)
    OmegaConf.set_readonly(whole.hydra, False)
    with open_dict(whole.hydra):
        whole.hydra.runtime.output_dir = _OUTPUT
        whole.hydra.job.num, whole.hydra.job.id = 0, "0"
    return {
        name: OmegaConf.to_container(whole.hydra[name], resolve=True)
        for name in (*ALLOWED, *_LOGGING)
        if whole.hydra[name] is not None
    }


def _leaves(tree: Any, path: str) -> Iterator[tuple[str, object]]:
    """Yield the full key and value of every leaf, that is neither a list nor a mapping."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from _leaves(value, f"{path}.{key}")
    elif isinstance(tree, list):
        for index, item in enumerate(tree):
            yield from _leaves(item, f"{path}.{index}")
    else:
        yield path, tree


def _foreign_logging(tree: Any, path: str) -> str | None:
    """Find code that Python's logging would call or import, or a log file outside the run folder.

    Only handlers of the usual classes are allowed.
    """
    for name, value in _leaves(tree, path):
        place = name.removeprefix(f"{path}.").split(".")
        text = str(value)
        of_handler = len(place) == 3 and place[0] == "handlers"
        if place[-1] == "class" and not (of_handler and text in HANDLERS):
            return f"{name}={text} {_REFUSED}"
        if place[-1] in ("()", "_target_") or "" in place:  # a key "." sets attributes
            return f"{name}={text} {_REFUSED}"
        if text.startswith("ext://") and text not in _STREAMS:
            return f"{name}={text} {_REFUSED}"
        if place[-1] == "filename" and not _in_run_folder(text):
            return f"{name}: the file must be in the run folder"
    return None


def _in_run_folder(path: str) -> bool:
    return Path(path).is_relative_to(_OUTPUT) and ".." not in Path(path).parts


def _environment(config: DictConfig) -> str | None:
    """Refuse environment variables set by a file, as they can replace one program by another."""
    typed = any("hydra.job.env_set" in one for one in config.hydra.overrides.hydra)
    if config.hydra.job.env_set and not typed:
        return (
            "hydra.job.env_set is refused in a file: export the variables, or set them on the "
            "command line"
        )
    return None
