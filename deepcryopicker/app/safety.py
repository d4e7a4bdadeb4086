"""What a configuration from elsewhere may make Hydra do: nothing but run what we and it ship.

The project's own options name no code; Hydra's section can. It is judged each time that Hydra has
composed a configuration, before it makes objects of it. Hydra has no public place for that, so
two of its classes are replaced by ours; the version is pinned for this reason too.
"""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hydra._internal import hydra as hydra_internal
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.core_plugins import file_config_source
from hydra._internal.sources_registry import SourcesRegistry
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.plugins import Plugins
from hydra.errors import ConfigCompositionException
from hydra.plugins.config_source import ConfigResult
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, open_dict

from deepcryopicker.config.paths import CONF_DIR
from deepcryopicker.errors import UsageError
from deepcryopicker.io.files.yaml_files import check_yaml

_PLUGINS = "hydra._internal.core_plugins"
_SUBMITIT = "hydra_plugins.hydra_submitit_launcher.submitit_launcher"
ALLOWED = {
    "callbacks": {"deepcryopicker.runs.slurm.SlurmSweep", "deepcryopicker.runs.sweep.Watch"},
    "launcher": {
        f"{_PLUGINS}.basic_launcher.BasicLauncher",
        f"{_SUBMITIT}.LocalLauncher",
        f"{_SUBMITIT}.SlurmLauncher",
    },
    "sweeper": {f"{_PLUGINS}.basic_sweeper.BasicSweeper"},
}
"""Every piece of code that a configuration can name, by section of ``hydra``."""

HANDLERS = {"logging.FileHandler", "logging.NullHandler", "logging.StreamHandler"}
"""Classes of Python's logging that a handler may have."""

_REFUSED = "is refused: a configuration may not choose what code runs"
_STREAMS = {"ext://sys.stdout", "ext://sys.stderr"}
_LOGGING = ("hydra_logging", "job_logging")
_SINGLE = "hydra.mode=RUN"  # what Hydra adds to the command line of a single run
_OUTPUT = "/output"  # stands for the run folder, which is not known yet


def install() -> None:
    """Let every configuration that Hydra composes from now on be judged."""
    hydra_internal.ConfigLoaderImpl = CheckedLoader  # type: ignore[attr-defined]
    Plugins.instance()  # registers Hydra's own sources, which ours comes after
    SourcesRegistry.instance().types["file"] = FileConfigSource


class CheckedLoader(ConfigLoaderImpl):
    """Composes as Hydra does, and refuses what names code of others.

    Hydra composes every single run twice, the first time only to learn whether it is one
    (``hydra.mode``). It is composed once here: the first configuration is kept for the second time.
    """

    _kept: tuple[str | None, list[str], DictConfig] | None = None

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
            config = kept[2]
            config.hydra.overrides.hydra.append(_SINGLE)
            return config
        config = super().load_configuration(
            config_name, overrides, run_mode, from_shell, validate_sweep_overrides
        )
        problem = foreign_code(config)
        if problem is not None:
            raise ConfigCompositionException(problem)
        if not validate_sweep_overrides and not _sweeps(overrides) and _complete(config):
            self._kept = config_name, [*overrides, _SINGLE], config
        return config


class FileConfigSource(file_config_source.FileConfigSource):
    """Reads YAML files as Hydra does; those of others only if they are small and sound."""

    def load_config(self, config_path: str) -> ConfigResult:
        """Read a file below this source's folder."""
        if Path(self.path).resolve() != CONF_DIR.resolve():
            try:
                check_yaml(Path(self.path) / self._normalize_file_name(config_path))
            except UsageError as error:
                raise ConfigCompositionException(str(error)) from error
        return super().load_config(config_path)


def _sweeps(overrides: list[str]) -> bool:
    """Whether any value of a command line is several."""
    parsed = OverridesParser.create().parse_overrides(overrides)
    return any(one.is_sweep_override() for one in parsed)


def _complete(config: DictConfig) -> bool:
    """Whether an option was chosen of every group; a single run may leave none open."""
    return "???" not in config.hydra.runtime.choices.values()


def foreign_code(config: DictConfig) -> str | None:
    """Say what a composed configuration would run that it may not; None if there is nothing.

    Parameters
    ----------
    config : DictConfig
        With its section ``hydra``.
    """
    for key in config:
        if key != "hydra" and isinstance(config._get_node(key), DictConfig):
            for name, value in _leaves(OmegaConf.to_container(config[key]), str(key)):
                if name.endswith("._target_"):
                    return f"{name}={value}: no option of this program names code; remove the key"
    hydra = _resolved(config)
    for section, allowed in ALLOWED.items():
        for name, value in _leaves(hydra.get(section), f"hydra.{section}"):
            if name.endswith("._target_") and value not in allowed:
                return f"{name}={value} {_REFUSED}"
    wrong = [_foreign_logging(hydra.get(section), f"hydra.{section}") for section in _LOGGING]
    return next(filter(None, wrong), None) or _environment(config)


def _resolved(config: DictConfig) -> dict[str, Any]:
    """Resolve the sections that name code, as they will be when the run folder is known."""
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
    """Yield every value that is neither a list nor a mapping, and its key in full."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from _leaves(value, f"{path}.{key}")
    elif isinstance(tree, list):
        for index, item in enumerate(tree):
            yield from _leaves(item, f"{path}.{index}")
    else:
        yield path, tree


def _foreign_logging(tree: Any, path: str) -> str | None:
    """Find what Python's logging would call or import, or a log file that is not in the run folder.

    Handlers of the usual classes are all that it may make.
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
            return f"{name}: the file must lie in the run folder"
    return None


def _in_run_folder(path: str) -> bool:
    return Path(path).is_relative_to(_OUTPUT) and ".." not in Path(path).parts


def _environment(config: DictConfig) -> str | None:
    """Refuse variables that are not typed: they can put another program in the place of one."""
    typed = any("hydra.job.env_set" in one for one in config.hydra.overrides.hydra)
    if config.hydra.job.env_set and not typed:
        return "hydra.job.env_set is refused in a file: export the variables, or type them"
    return None
