"""Translate the command line for Hydra: ``--key=value``, one run without brackets, ``~``."""

import dataclasses
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from hydra._internal.utils import get_args_parser

from deepcryopicker.config.described import sections_of
from deepcryopicker.config.groups import SCHEMAS
from deepcryopicker.config.registry import COMMANDS
from deepcryopicker.errors import UsageError, nearest

_OF_HYDRA = frozenset(get_args_parser()._option_string_actions)
_SEEDS = "seeds"
_WITHOUT_SCHEMA = {"experiment", "hydra", "search", _SEEDS}
_KEY = re.compile(r"[A-Za-z][\w.@/-]*")
_OVERRIDE = re.compile(r"[+~]*[A-Za-z][\w.@/-]*=")
_NUMBER = re.compile(r"-[\d.]")
_HOME = re.compile(r"(^|(?<=[\[,'\"]))~[\w.-]*(?=/|$)")
_PLAIN = re.compile(r"[\w./%@:+-]+")
# Names of keys in other programs.
_ELSEWHERE = {
    **dict.fromkeys(("i", "in_mics", "input", "micrographs"), "dataset.micrographs"),
    **dict.fromkeys(("o", "out", "output", "output_dir"), "hydra.run.dir"),
}


def respell(arguments: Sequence[str], command: str) -> list[str]:
    """Translate a command line to the form that Hydra requires.

    Parameters
    ----------
    arguments : sequence of str
        As in ``sys.argv[1:]``.
    command : str
        Such as ``pick``; determines the known keys.

    Raises
    ------
    UsageError
        If an option is unknown or lacks its value.

    Examples
    --------
    >>> respell(["--picker.threshold", "0.3", "--overlays=0", "-m"], "pick")
    ['picker.threshold=0.3', 'overlays=0', '-m']
    >>> respell(["report.runs=outputs/a,outputs/b"], "report")
    ['report.runs=[outputs/a,outputs/b]']
    >>> respell(["+experiment=klh", "seeds=3"], "train")
    ['-m', '+experiment=klh', 'seed=0,1,2']
    """
    overrides = _without_dashes(arguments, command)
    overrides = _with_seeds(overrides, command)
    _check_options(overrides, command)
    if not {"-m", "--multirun"} & set(overrides):
        overrides = [_with_brackets(each) for each in overrides]
    return [_with_home(each) for each in overrides]


def _without_dashes(arguments: Sequence[str], command: str) -> list[str]:
    """Turn ``--key=value`` and ``--key value`` into ``key=value`` for keys of the command."""
    respelt = []
    left = list(arguments)
    while left:
        given = left.pop(0)
        key, equals, value = given.removeprefix("--").partition("=")
        option = given.partition("=")[0]
        if option in _OF_HYDRA or not given.startswith("--") or not _is_key(key, command):
            respelt.append(given)
            continue
        if not equals:
            if not left or _is_option(left[0]):
                raise UsageError(f"--{key} needs a value; write {key}=VALUE, see --help")
            value = left.pop(0)
        plus = "+" if key in ("experiment", "search") else ""
        respelt.append(f"{plus}{key}={value}")
    return respelt


def _with_seeds(arguments: Sequence[str], command: str) -> list[str]:
    """Turn ``seeds=3`` into a sweep over the seeds 0, 1 and 2."""
    given = [each for each in arguments if each.startswith(f"{_SEEDS}=")]
    if not given or "seed" not in _heads(command):
        return list(arguments)
    count = given[-1].partition("=")[2]
    if not count.isdecimal() or int(count) < 1:
        raise UsageError(f"{given[-1]}: give a number of seeds, such as seeds=3")
    others = [each for each in arguments if each not in given]
    multirun = [] if {"-m", "--multirun"} & {*others} else ["-m"]
    return [*multirun, *others, f"seed={','.join(map(str, range(int(count))))}"]


def _is_key(name: str, command: str) -> bool:
    if not _KEY.fullmatch(name):
        return False
    head = re.split(r"[.@/]", name)[0].replace("-", "_")
    return head in _heads(command) | _WITHOUT_SCHEMA


def _heads(command: str) -> set[str]:
    return {field.name for field in dataclasses.fields(COMMANDS[command])}


def _is_option(argument: str) -> bool:
    """Whether an argument is an option or an override, rather than a value."""
    if argument.startswith("-"):
        return not _NUMBER.match(argument)
    return bool(_OVERRIDE.match(argument))


def _check_options(arguments: Sequence[str], command: str) -> None:
    """Refuse options that Hydra does not have, instead of Hydra's page of usage."""
    if "--version" in arguments:  # which the parser would print at once
        return
    parser = get_args_parser()

    def refuse(message: str) -> NoReturn:
        unknown = [
            number
            for number, each in enumerate(arguments)
            if each.startswith("-") and each.partition("=")[0] not in _OF_HYDRA
        ]
        if unknown:
            raise UsageError(_no_option(arguments[unknown[0] :], command))
        raise UsageError(f"{message.removeprefix('argument ')}; see --hydra-help")

    parser.error = refuse  # type: ignore[method-assign]
    parser.parse_args(list(arguments))


def _no_option(arguments: Sequence[str], command: str) -> str:
    """Refuse an unknown option, the first of these arguments, with the keys it may stand for."""
    option, equals, value = arguments[0].partition("=")
    if not equals and len(arguments) > 1 and not _is_option(arguments[1]):
        value = arguments[1]
    name = option.lstrip("-").replace("-", "_")
    keys = _keys(command)
    found = keys.get(name, [])
    if name in _ELSEWHERE and _is_key(_ELSEWHERE[name], command):
        found = [_ELSEWHERE[name]]
    if not found:
        like = nearest(option, (each for each in _OF_HYDRA if each.startswith("--")))
        if like:
            return f"no option {option}. Did you mean {like}?"
        found = keys.get(nearest(name, keys) or "", []) if len(name) > 1 else []
    if not found:
        return f"no option {option}; settings are typed as key=value, see --help"
    right = (f"{each}={value or 'VALUE'}" for each in found)
    return f"no option {option}; write {' or '.join(right)}"


def _keys(command: str) -> dict[str, list[str]]:
    """List the keys of a command by their last part, such as ``device`` of trainer and picker."""
    keys: dict[str, list[str]] = {}
    sections = sections_of(COMMANDS[command])
    for field in dataclasses.fields(COMMANDS[command]):
        schemas = list(SCHEMAS.get(field.name.replace("_", "-"), {}).values())
        if field.name in sections:
            schemas.append(sections[field.name])
        names = {each.name for schema in schemas for each in dataclasses.fields(schema)}
        for name in names:
            keys.setdefault(name, []).append(f"{field.name}.{name}")
        if not names:
            keys[field.name] = [field.name]
    return keys


def _with_brackets(argument: str) -> str:
    """Put the runs of ``report.runs=A,B`` into the brackets of a list."""
    key, _, value = argument.partition("=")
    if key != "report.runs" or not value or value[0] in "[${":
        return argument
    if value[0] in "'\"":
        return f"{key}=[{value}]"
    runs = value.split(",")
    if len(runs) > 1 and Path(value).expanduser().exists():
        raise UsageError(
            f"report.runs={value} is one folder or {len(runs)}: "
            f"write \"report.runs=['{value}']\" or report.runs=[{value}]"
        )
    quoted = (run if _PLAIN.fullmatch(run.lstrip("~")) else f"'{run}'" for run in runs if run)
    return f"{key}=[{','.join(quoted)}]"


def _with_home(argument: str) -> str:
    """Replace ``~`` at the start of a path; the shell does so only at the start of an argument."""
    key, equals, value = argument.partition("=")
    # Unlike pathlib's, it leaves the name of an unknown user unchanged.
    home = os.path.expanduser
    return f"{key}{equals}{_HOME.sub(lambda found: home(found[0]), value)}"
