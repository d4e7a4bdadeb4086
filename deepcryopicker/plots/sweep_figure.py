"""Figure of a sweep: one dot per job with its interval, and published numbers as crosses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from deepcryopicker.plots.result_figures import COLOURS, save_figure
from deepcryopicker.plots.sweep_table import headlines, short_names, shortened

_OURS, _PAPER = COLOURS[0], COLOURS[1]
_DECADE = 10.0


@dataclass(frozen=True)
class _Point:
    """A job in the figure: its choices, its number with its interval, and the published number."""

    choices: list[str]
    value: float
    below: float
    above: float
    paper: float | None


def sweep_figure(path: Path, rows: Sequence[Mapping[str, object]], varied: Sequence[str]) -> None:
    """Draw one headline number of every job: the first published one, or the first of all.

    If the jobs differ in one numeric choice, that is the x axis; otherwise each job has its own
    row, labelled with its choices. If no job has a number, no figure is written.

    Parameters
    ----------
    path : Path
        PNG to write.
    rows : sequence of mapping
        Rows of ``sweep.csv``.
    varied : sequence of str
        Keys of the choices that vary between the jobs.
    """
    known = headlines(rows)
    published = [one for one in known if any(number is not None for number in one.published)]
    metric = next(iter(published or known), None)
    if metric is None:
        path.unlink(missing_ok=True)  # from an earlier attempt
        return
    points = []
    for row, value, interval, paper in zip(
        rows, metric.values, metric.intervals, metric.published, strict=True
    ):
        if value is not None:
            low, high = interval or (value, value)
            choices = [str(row.get(key) or "") for key in varied]
            points.append(_Point(choices, value, max(value - low, 0), max(high - value, 0), paper))
    names = short_names(varied)
    places = _places(points)
    if places is None:
        figure = _dots(points, names, metric.heading)
    else:
        figure = _line(points, places, names[0], metric.heading)
    save_figure(figure, path)


def _places(points: Sequence[_Point]) -> list[float] | None:
    """Return the numeric choice of each job, if the jobs differ in exactly one."""
    if any(len(point.choices) != 1 for point in points):
        return None
    try:
        return [float(point.choices[0]) for point in points]
    except ValueError:
        return None


def _line(points: Sequence[_Point], places: list[float], name: str, heading: str) -> Figure:
    """Draw the metric over the numeric choice."""
    figure = Figure(figsize=(6.4, 4.4), layout="constrained")
    axes = figure.add_subplot()
    order = sorted(range(len(points)), key=lambda index: places[index])
    x = [places[index] for index in order]
    ordered = [points[index] for index in order]
    axes.errorbar(
        x,
        [point.value for point in ordered],
        yerr=[[point.below for point in ordered], [point.above for point in ordered]],
        fmt="o-",
        color=_OURS,
        capsize=3,
        label="this sweep",
    )
    known = [(at, one.paper) for at, one in zip(x, ordered, strict=True) if one.paper is not None]
    if x[0] > 0 and x[-1] / x[0] > _DECADE:
        axes.set_xscale("log")
    axes.set(xlabel=name, ylabel=heading)
    _finish(figure, axes, known)
    return figure


def _dots(points: Sequence[_Point], names: Sequence[str], heading: str) -> Figure:
    """Draw one row for each job, the first job at the top."""
    figure = Figure(figsize=(7.2, 1.4 + 0.32 * len(points)), layout="constrained")
    axes = figure.add_subplot()
    y = list(range(len(points)))
    axes.errorbar(
        [point.value for point in points],
        y,
        xerr=[[point.below for point in points], [point.above for point in points]],
        fmt="o",
        color=_OURS,
        capsize=3,
        label="this sweep",
    )
    known = [(one.paper, at) for at, one in zip(y, points, strict=True) if one.paper is not None]
    axes.set_yticks(y, [shortened(", ".join(point.choices), 48) for point in points])
    axes.set(xlabel=heading, ylabel=", ".join(names), ylim=(len(points) - 0.5, -0.5))
    _finish(figure, axes, known)
    return figure


def _finish(figure: Figure, axes: Axes, published: Sequence[tuple[float, float]]) -> None:
    """Add the published numbers as crosses, with a legend."""
    axes.grid(color="0.9")
    axes.set_axisbelow(True)
    if published:
        x, y = zip(*published, strict=True)
        axes.plot(x, y, "x", color=_PAPER, markersize=9, mew=2, label="paper")
        figure.legend(loc="outside upper center", ncols=2, frameon=False)
