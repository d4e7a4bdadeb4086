"""Minutes of scans: what is measured, and what is written."""

import pytest

from deepcryopicker.model.build import build_network
from deepcryopicker.model.schema import CompactConfig
from deepcryopicker.paper import speed_table
from deepcryopicker.picker.schema import DenseConfig

CLASSES = ("top", "background")


def test_both_scans_are_timed_for_as_many_windows(monkeypatch):
    clock = iter([0.0, 128.0, 200.0, 260.0, 300.0, 420.0])
    monkeypatch.setattr(speed_table.time, "perf_counter", lambda: next(clock))
    network = build_network(CompactConfig(), 2)
    config = DenseConfig(stride=8, device="cpu")
    small, large = speed_table.measure(network, CLASSES, config, (64, 80))
    # One second a window on its own.
    expected = {"side": 64, "windows": 64, "sliding": 64 / 60, "dense": 1.0, "ratio": 64 / 60}
    assert small == pytest.approx(expected)
    expected = {"side": 80, "windows": 100, "sliding": 100 / 60, "dense": 2.0, "ratio": 100 / 120}
    assert large == pytest.approx(expected)
    assert next(clock, None) is None
