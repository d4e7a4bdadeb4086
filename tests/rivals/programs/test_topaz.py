"""Topaz as a picker: its options, and the conversion of its coordinates and scores."""

import sys

import numpy as np
import pytest

from deepcryopicker.errors import UsageError
from deepcryopicker.frames import to_original
from deepcryopicker.rivals.programs import topaz
from deepcryopicker.rivals.programs.program_inputs import Input, ProgramJob, write_input
from deepcryopicker.rivals.programs.schema import TopazConfig, TopazTrainedConfig
from deepcryopicker.types import Micrograph, Picks

# As much of Topaz as we speak to: it finds a particle at (10, 20) of every smaller micrograph.
FAKE = """#!{python}
import sys
from pathlib import Path
step, *given = sys.argv[1:]
value = lambda key: given[given.index(key) + 1]
if step == "preprocess":
    for name in given:
        if name.endswith(".mrc"):
            (Path(value("--destdir")) / Path(name).name).write_bytes(Path(name).read_bytes())
elif step == "train":
    Path(value("--save-prefix") + "_epoch1.sav").write_text("weights")
elif step == "extract":
    lines = ["image_name\\tx_coord\\ty_coord\\tscore"]
    for name in given:
        if name.endswith(".mrc") and "2" not in name:
            lines += [f"{{Path(name).stem}}\\t10\\t20\\t0.0", f"{{Path(name).stem}}\\t5\\t6\\t-6"]
    Path(value("--output")).write_text("\\n".join(lines) + "\\n")
"""


@pytest.fixture
def batch(tmp_path, monkeypatch):
    own = tmp_path / "bin"
    own.mkdir()
    (own / "topaz").write_text(FAKE.format(python=sys.executable))
    (own / "topaz").chmod(0o755)
    monkeypatch.setattr(topaz, "_OWN", own)
    image = np.zeros((8, 8), np.float32)
    inputs = []
    for number in (1, 2, 3):
        write_input(tmp_path, f"n{number}", Micrograph("m", None, image))
        inputs.append(Input(f"session/m{number}", f"n{number}"))
    shown = Input("m3", "n3", Picks.create([0.0, 7.0], [3.0, 4.0]))
    return ProgramJob(tmp_path, tuple(inputs[:2]), (shown,), 84.0, None)


def test_positions_and_scores_are_ours_again(batch):
    picked = topaz.pick_by_topaz(TopazConfig(), batch)
    assert list(picked) == ["session/m1", "session/m2"]
    picks = picked["session/m1"]
    assert (
        picks.x.tolist() == to_original([10, 5], 1 / 3).tolist()
    )  # a particle has 28 pixels there
    assert picks.y.tolist() == [61.0, 19.0]
    # Topaz's own default threshold is a ratio of -6.
    assert picks.score.tolist() == pytest.approx([1 / (1 + np.exp(-6)), 0.5])
    assert (picks.diameter == 84).all()
    assert len(picked["session/m2"]) == 0  # Topaz says nothing of those without picks


def test_the_trained_network_is_the_one_that_picks(batch):
    topaz.pick_by_topaz(TopazTrainedConfig(updates=7), batch)
    said = (batch.folder / "topaz_extract.log").read_text()
    assert "--model trained_epoch1.sav --radius 14 --threshold -12" in said
    log = (batch.folder / "topaz_train.log").read_text()
    assert "--num-particles 2 --model resnet8 --units 32" in log
    assert "--epoch-size 7 --num-epochs 1" in log
    targets = (batch.folder / "training.txt").read_text().splitlines()[1:]
    # In the frame of the smaller micrograph, whole pixels.
    assert [line.split("\t")[:3] for line in targets] == [
        ["n3", "-0.000", "1.000"],
        ["n3", "2.000", "1.000"],
    ]


def test_training_needs_true_particles(batch):
    blind = ProgramJob(batch.folder, batch.inputs, batch.inputs, 84.0, None)
    with pytest.raises(UsageError, match=r"set dataset\.coordinates, or use picker=topaz_pre"):
        topaz.pick_by_topaz(TopazTrainedConfig(), blind)


@pytest.mark.parametrize(
    ("diameter", "scale"), [(10.0, 1), (60.0, 2), (92.0, 3), (108.0, 4), (150.0, 5)]
)
def test_micrographs_shrink_by_whole_numbers(diameter, scale):
    assert topaz.scale_of(TopazConfig(), diameter) == scale


def test_the_network_is_named_as_topaz_does():
    shown = [Input("a", "a", Picks.create([1.0], [1.0]))]
    options = topaz.training_options(TopazTrainedConfig(network="resnet16_u64"), shown)
    assert options[options.index("--model") + 1] == "resnet16"
    assert options[options.index("--units") + 1] == "64"
