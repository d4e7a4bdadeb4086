"""Scores in words say what the numbers say."""

from deepcryopicker.plots.evaluation_tables import (
    chance_sentence,
    comparison_sentences,
    localisation_sentence,
)


def comparing(first, second, p, interval):
    return {
        "first": first,
        "second": second,
        "difference": first - second,
        "difference_interval": interval,
        "p": p,
    }


def test_where_hits_lie():
    spread = {"median": 3.21, "mean": 4.0, "rms": 5.04}
    text = localisation_sentence(
        {
            "hits": 7,
            "pixels": spread,
            "diameters": {"median": 0.061, "mean": 0.1, "rms": 0.1},
            "offset": {"x": 0.25, "y": -1.5},
        }
    )
    assert "3.2 pixels" in text
    assert "6 % of its diameter" in text
    assert "x +0.2, y -1.5" in text
    nothing = localisation_sentence({"hits": 0})
    assert "no hits" in nothing


def test_chance():
    text = chance_sentence({"random": {"f1": 0.12345}, "grid": {"f1": 0.2}})
    assert "0.123 for random" in text
    assert "0.200 for a regular grid" in text


def test_who_is_better():
    comparison = {
        "micrographs": 9,
        "smallest_p": 2 / 2**9,
        "f1": comparing(0.9, 0.8, 0.02, [-0.05, 0.25]),
        "macro_average_precision": comparing(0.7, 0.75, 0.3, None),
    }
    f1, precision = comparison_sentences(comparison)
    assert "F1 is 0.100 higher" in f1
    assert (
        "(0.900, 0.800; 9 micrographs, 95 % interval -0.050 to +0.250; p 0.02, significant)" in f1
    )
    assert "0.050 lower" in precision
    assert "(0.700, 0.750; 9 micrographs; p 0.3, not significant)" in precision


def test_too_few_micrographs_are_reported():
    same = comparing(0.5, 0.5, 1.0, [-0.1, 0.1])
    comparison = {
        "micrographs": 3,
        "smallest_p": 0.25,
        "f1": same,
        "macro_average_precision": same,
    }
    f1, _, few = comparison_sentences(comparison)
    assert "F1 is no different than" not in f1
    assert "F1 is the same as that of evaluate.against" in f1
    assert few.endswith("p is never below 0.25")
