"""Wrong paths are answered before torch is loaded."""

import subprocess
import sys

import pytest

PROGRAM = """
import sys
from pathlib import Path
from deepcryopicker.app.hydra_app import command
from deepcryopicker import classes, evaluate, filter, label, pick, relion_external, report, train

RUN = "hydra.run.dir=run"
FOLDER = ("dataset=folder", "dataset.micrographs=unreadable")
GIVEN = {
    "pick": [
        ("dataset=folder", "dataset.micrographs=nowhere"),
        ("dataset=folder", "dataset.micrographs=nowhere.star"),
        ("dataset=folder", "dataset.micrographs='nowhere/*.mrc'"),
        ("dataset=folder", "dataset.micrographs=empty"),
        ("dataset=folder", "dataset.micrographs=nowhere", "watch=true"),
        FOLDER,
        (*FOLDER, "dataset.diameter=60", "picker=log"),
        (*FOLDER, "dataset.coordinates=nowhere"),
        (*FOLDER, "dataset.coordinates=empty"),
        (*FOLDER, "picker.weights=nowhere"),
        (*FOLDER, "picker.weights=empty"),
        (*FOLDER, "picker.weights=empty/model.ckpt"),
        (*FOLDER, "picker=pixer", "picker.weights=nowhere"),
        (*FOLDER, "picker=imported", "picker.picks=nowhere"),
        (*FOLDER, "picker=relion_reference"),
        (*FOLDER, "picker=relion_reference", "picker.structure=nowhere.pdb"),
        (*FOLDER, "dataset.structure=nowhere.pdb"),
        (*FOLDER, "dataset.structure=[nowhere.pdb,empty]"),
        (*FOLDER, "picker.micrograph_suffix=nowhere"),
        (),
    ],
    "label": [("dataset=folder", "dataset.micrographs=nowhere"), FOLDER, ()],
    "train": [
        ("dataset=folder", "dataset.micrographs=nowhere"),
        FOLDER,
        (*FOLDER, "labeler=truth", "dataset.coordinates=nowhere"),
        (*FOLDER, "start_from=nowhere"),
        ("dataset=apoferritin", "dataset.root=nowhere"),
        ("dataset=apoferritin", "dataset.root=nowhere", "dataset.structure=nowhere.mrc"),
        ("dataset=varied_structures", "dataset.maps.root=nowhere"),
        ("dataset=varied", "dataset.structures=[nowhere.mrc]"),
    ],
    "evaluate": [
        ("evaluate.picks=nowhere", "evaluate.truth=empty"),
        ("evaluate.picks=empty", "evaluate.truth=nowhere"),
        ("evaluate.picks=empty", "evaluate.truth=empty"),
    ],
    "filter": [
        ("filter.picks=nowhere",),
        ("filter.picks=empty",),
        ("filter.picks=empty", "filter.corrections=nowhere.json"),
    ],
    "classes": [
        ("dataset.micrographs=nowhere",),
        ("dataset.micrographs=empty",),
        ("dataset.micrographs=empty", "dataset.coordinates=nowhere"),
    ],
    "report": [("report.runs=nowhere",), ("report.runs=empty",)],
}
HEAVY = ("torch", "lightning", "matplotlib", "wandb", "skimage")


def check(code, what):
    loaded = [name for name in HEAVY if name in sys.modules]
    assert code in (1, 2) and not loaded, (what, code, loaded)
    print(code, what)


EVERY = len(sys.argv) > 1
for name, every in GIVEN.items():
    for given in every if EVERY else every[:1]:
        sys.argv = [name, *given, RUN]
        check(command(getattr(globals()[name], name), name), (name, *given))
check(relion_external.main(["--o", "job", "--in_mics", "nowhere.star"]), "relion")
assert Path("job/RELION_JOB_EXIT_FAILURE").is_file()
"""


@pytest.mark.parametrize("every", [False, pytest.param(True, marks=pytest.mark.thorough)])
def test_wrong_paths_are_answered_before_torch_is_loaded(tmp_path, every):
    for name in ("empty", "unreadable"):
        (tmp_path / name).mkdir()
    (tmp_path / "unreadable" / "a.mrc").write_text("no header")
    (tmp_path / "unreadable" / "b.png").write_text("no picture")
    given = [sys.executable, "-c", PROGRAM, *(["every"] if every else [])]
    answer = subprocess.run(given, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert answer.returncode == 0, answer.stderr[-2000:]
    codes = [line.split()[0] for line in answer.stdout.splitlines() if line[:2] in ("1 ", "2 ")]
    assert codes.count("1") == (4 if every else 0)  # no file of the folder can be read
    assert len(codes) == (43 if every else 8)
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize("command", ["pick", "label"])
def test_micrographs_are_asked_for_rather_than_simulated(command):
    from deepcryopicker.app.no_dataset import require_dataset
    from deepcryopicker.errors import UsageError

    for typed in ([], ["picker.weights=RUN"], ["seed=1", "picker=log"], ["preprocessing=none"]):
        with pytest.raises(UsageError, match=r"dataset\.micrographs=DIR\nor dataset=simulated"):
            require_dataset(command, "simulated", typed)
    for typed in ("dataset=simulated", "dataset.kinds=[klh]", "+experiment=ablation/nms"):
        require_dataset(command, "simulated", ["seed=1", typed])
    require_dataset(command, None, [])  # the configuration of an earlier run
    require_dataset("train", "simulated", [])
