"""``train`` says each doubt about its micrographs once, though it labels, picks and picks again."""

import mrcfile
import numpy as np
import pytest


@pytest.mark.thorough
def test_training_warns_once_of_each_doubt(shell, tmp_path):
    rows, columns = np.mgrid[:400, :400]
    blobs = np.exp(-(((rows % 50 - 25) ** 2 + (columns % 50 - 25) ** 2) / 200.0))
    for seed, size in enumerate((2.0, 2.0, 4.0)):
        image = 2 * blobs + np.random.default_rng(seed).normal(size=blobs.shape)
        mrcfile.write(tmp_path / f"m{seed}.mrc", image.astype(np.float32), voxel_size=size)
    answer = shell(
        "train",
        "dataset=folder",
        f"dataset.micrographs={tmp_path}",
        "dataset.diameter=30",
        "trainer.epochs=1",
        "trainer.epoch_windows=100",
        "class_set.samples_per_class=16",
        run="scale_train",
    )
    assert answer.out.count("type dataset.polarity=bright") == 1
    assert answer.out.count("type dataset.diameter_angstrom=ANGSTROM") == 1
    assert answer.out.index("dataset.polarity=bright") < answer.out.index("picking")
