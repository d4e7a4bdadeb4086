"""Facts about each run: how its numbers were made."""

import shlex
from typing import Any

from deepcryopicker.io.console import counted
from deepcryopicker.io.files.tables import is_number
from deepcryopicker.io.files.yaml_files import part
from deepcryopicker.reporting.page.page_model import RunFacts
from deepcryopicker.reporting.reading.pick_sets import PickSet, display_name
from deepcryopicker.reporting.reading.run_folders import RunFolder

_SHOWN_VERSIONS = ("python", "torch", "numpy")


def source_of(run: RunFolder, pick_sets: list[PickSet]) -> RunFacts:
    """List the facts of a run, and the reason for missing results.

    Parameters
    ----------
    run : RunFolder
    pick_sets : list of PickSet
        Picks of the run.
    """
    facts = [("folder", str(run.path))]
    if run.command is not None:
        facts += [("command", _command(run)), ("dataset", _dataset(run))]
    for pick_set in pick_sets:
        facts += _matching(pick_set)
    if pick_sets:
        facts.append(("labels used", pick_sets[0].label_use))
    if run.command == "train":
        facts.append(("split", _split(run)))
    if run.failures:
        facts.append(("skipped", f"{counted(run.failures, 'micrograph')}, see failures.csv"))
    facts += _program(run.metrics)
    return RunFacts(display_name(run), [fact for fact in facts if fact[1]], run.problem or "")


def _command(run: RunFolder) -> str:
    typed = " ".join(shlex.quote(each) for each in run.overrides)
    return f"python -m deepcryopicker.{run.command} {typed}".rstrip()


def _dataset(run: RunFolder) -> str:
    if run.command == "evaluate":
        compared = run.section("evaluate")
        return f"picks {compared.get('picks')}, truth {compared.get('truth')}"
    section = run.section("dataset")
    where = section.get("micrographs") or ""
    truth = section.get("coordinates")
    words = [str(section.get("name", "")), f"micrographs {where}" if where else ""]
    words.append(f"truth {truth}" if truth else "")
    return ", ".join(word for word in words if word)


def _matching(pick_set: PickSet) -> list[tuple[str, str]]:
    """Return matching rule, threshold and radius; several groups may have several radii."""
    scores = pick_set.metrics
    if "matching" not in scores:
        return []
    groups = part(scores, "groups")
    radii = {name: part(groups, name).get("radius") for name in groups}
    known = {name: radius for name, radius in radii.items() if is_number(radius)}
    if len(set(known.values())) > 1:
        radius = ", ".join(f"{name} {value:.4g}" for name, value in known.items())
    else:
        radius = f"{scores.get('radius')}"
    return [
        (f"{pick_set.name}: radius, pixels", radius),
        (f"{pick_set.name}: threshold", f"{pick_set.threshold:g}"),
        (f"{pick_set.name}: matching", str(scores["matching"])),
    ]


def _split(run: RunFolder) -> str:
    classes = run.section("class_set")
    known = [key for key in ("validation", "test") if is_number(classes.get(key))]
    shares = ", ".join(f"{key} {classes[key]:g}" for key in known)
    return f"by {classes.get('split_by', 'micrograph')}, {shares}" if shares else ""


def _program(metrics: dict[str, Any]) -> list[tuple[str, str]]:
    known = part(metrics, "provenance")
    versions = part(known, "versions")
    libraries = [f"{name} {versions[name]}" for name in _SHOWN_VERSIONS if name in versions]
    program = metrics.get("program")
    return [
        ("program", str(program) if program else ""),
        ("version", f"DeepCryoPicker {known['version']}" if "version" in known else ""),
        ("commit", str(known.get("commit") or "")),
        ("libraries", ", ".join(libraries)),
        ("seed", "" if known.get("seed") is None else str(known["seed"])),
    ]
