"""Windows are brought into one orientation and averaged by class."""

import numpy as np
from scipy import ndimage

from deepcryopicker.class_averages.averaging import average_classes, upright

SIDE = 33


def smooth(seed, number):
    noise = np.random.default_rng(seed).standard_normal((number, SIDE, SIDE))
    return ndimage.gaussian_filter(noise, (0, 3, 3)).astype(np.float32)


def test_upright_undoes_a_rotation_and_a_shift():
    windows = smooth(0, 3)
    degrees = 40.0
    turned = np.stack(
        [
            np.roll(ndimage.rotate(one, degrees, reshape=False, order=3), (1, -2), axis=(0, 1))
            for one in windows
        ]
    )
    shifts = np.tile([-2.0, 1.0], (3, 1))
    back = upright(turned, shifts, np.full(3, np.radians(degrees)))
    middle = slice(9, 24)
    np.testing.assert_allclose(
        back[:, middle, middle], windows[:, middle, middle], atol=0.1 * windows.std()
    )


def test_averages_halves_and_variances_are_those_of_each_class():
    windows, label = smooth(1, 11), np.array([0, 1, 0, 0, 1, 0, 1, 0, 0, 1, 2])
    found = average_classes(windows, label, 3)
    assert found.count.tolist() == [6, 4, 1]
    for k in range(3):
        own = windows[label == k]
        np.testing.assert_allclose(found.image[k], own.mean(axis=0), atol=1e-6)
        np.testing.assert_allclose(found.residual[k], own.var(axis=0), atol=1e-6)
        np.testing.assert_allclose(found.halves[0][k], own[::2].mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(
        found.halves[1][0], windows[label == 0][1::2].mean(axis=0), atol=1e-6
    )
    assert (found.halves[1][2] == 0).all()  # a single window has no second half
