"""Terminal output of ``evaluate``: two tables, and the other results as sentences."""

from collections.abc import Mapping
from typing import Any

from deepcryopicker.io.console import console
from deepcryopicker.plots.result_tables import protocol_table, score_table

SIGNIFICANT = 0.05
_LONGEST_NAME = 36


def show(scores: Mapping[str, Any], name: str) -> None:
    """Print the scores of picks.

    Parameters
    ----------
    scores : mapping
        Result of :func:`evaluation.all_rules.describe`, optionally with the ``comparison`` of
        :func:`pipeline.scoring.external.compare`.
    name : str
        Path of the picks.
    """
    comparison = scores.get("comparison")
    rows = [{"what": _shortened(name), **scores}]
    if comparison is not None:
        rows.append({"what": _shortened(comparison["against"]), **comparison["scores"]})
    console.print(score_table(rows))
    console.print(protocol_table(scores["protocols"]))
    console.print(f"hit: within {scores['radius']:g} pixels, one pick for each particle")
    console.print(localisation_sentence(scores["localisation"]))
    console.print(chance_sentence(scores["chance"]))
    for sentence in comparison_sentences(comparison) if comparison is not None else ():
        console.print(sentence)


def _shortened(path: str) -> str:
    """Keep the end of a long path, which distinguishes paths and leaves space for the numbers."""
    return path if len(path) <= _LONGEST_NAME else f"…{path[1 - _LONGEST_NAME :]}"


def localisation_sentence(localisation: Mapping[str, Any]) -> str:
    """Describe the localisation error; see :func:`evaluation.localisation.localise`."""
    if not localisation["hits"]:
        return "no hits, so the localisation error is unknown"
    pixels, shares = localisation["pixels"], localisation["diameters"]
    offset = localisation["offset"]
    return (
        f"hits are {pixels['median']:.1f} pixels from their particle (median; "
        f"{100 * shares['median']:.0f} % of its diameter; root mean square {pixels['rms']:.1f}), "
        f"typically shifted by x {offset['x']:+.1f}, y {offset['y']:+.1f}"
    )


def chance_sentence(chance: Mapping[str, Any]) -> str:
    """Describe the scores of random picks; see :func:`evaluation.chance.chance_level`."""
    return (
        f"chance: F1 {chance['random']['f1']:.3f} for random positions, "
        f"{chance['grid']['f1']:.3f} for a regular grid, as many as there are particles"
    )


def comparison_sentences(comparison: Mapping[str, Any]) -> list[str]:
    """Describe which picker is better; see :func:`evaluation.significance.compare_paired`."""
    count = comparison["micrographs"]
    lines = [
        _difference("F1", comparison["f1"], count),
        _difference("mean AP of a micrograph", comparison["macro_average_precision"], count),
    ]
    if comparison["smallest_p"] > SIGNIFICANT:
        lines.append(
            f"no difference on {count} micrographs can be significant: "
            f"p is never below {comparison['smallest_p']:.2g}"
        )
    return lines


def _difference(what: str, tested: Mapping[str, Any], count: int) -> str:
    difference, interval = tested["difference"], tested["difference_interval"]
    relation = f"{abs(difference):.3f} {'higher' if difference > 0 else 'lower'} than"
    within = f", 95 % interval {interval[0]:+.3f} to {interval[1]:+.3f}" if interval else ""
    verdict = "significant" if tested["p"] <= SIGNIFICANT else "not significant"
    return (
        f"{what} is {relation if difference else 'the same as'} that of evaluate.against "
        f"({tested['first']:.3f}, {tested['second']:.3f}; {count} micrographs{within}; "
        f"p {tested['p']:.2g}, {verdict})"
    )
