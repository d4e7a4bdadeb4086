"""What a bug report needs is printed, a line each."""

import torch

from deepcryopicker import __version__
from deepcryopicker.info import info
from deepcryopicker.runs.made_with import provenance


def test_versions_devices_and_data_are_lines(capsys, tmp_path, monkeypatch):
    (tmp_path / "klh" / "micrographs").mkdir(parents=True)
    monkeypatch.setenv("DEEPCRYOPICKER_DATA", str(tmp_path))
    assert info() == 0
    rows = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert rows["deepcryopicker"].strip() == __version__
    assert rows["torch"].strip() == provenance()["versions"]["torch"]
    assert f"{torch.get_num_threads()} threads" in rows["processor"]
    assert rows["DEEPCRYOPICKER_DATA"].strip() == f"{tmp_path} (klh)"
    assert rows["plugins"].strip() == "none"


def test_what_is_missing_is_said(capsys, monkeypatch):
    monkeypatch.delenv("DEEPCRYOPICKER_DATA", raising=False)
    monkeypatch.setenv("PATH", "")
    info()
    rows = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert rows["relion_autopick"].strip() == "not on the PATH"
    assert rows["DEEPCRYOPICKER_DATA"].strip() == "not set"


def test_a_broken_plugin_does_not_hide_the_rest(capsys, monkeypatch):
    monkeypatch.setenv("DEEPCRYOPICKER_PLUGINS", "no_such_plugin")
    assert info() == 0
    assert "plugins=no_such_plugin cannot be loaded" in capsys.readouterr().out
