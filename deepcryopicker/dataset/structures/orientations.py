"""Random orientations of particles: uniform, or with preferred views."""

import numpy as np
from scipy.spatial.transform import Rotation

from deepcryopicker.types import Floats


def uniform_orientations(count: int, rng: np.random.Generator) -> Rotation:
    """Draw orientations uniformly from all rotations.

    Parameters
    ----------
    count : int
    rng : Generator
    """
    # Normal quaternions, scaled to unit length, are uniform over all rotations (Shoemake 1992).
    return Rotation.from_quat(rng.standard_normal((count, 4)))


def preferred_orientations(
    count: int, axis: Floats, concentration: float, rng: np.random.Generator
) -> Rotation:
    """Draw orientations with views near an axis of the particle, seen from either side.

    Particles that adsorb to the surface of the ice do so with either of its two surfaces below
    them. Directions of view are drawn from a von Mises-Fisher distribution about the axis (Fisher
    1953, Proc. R. Soc. A 217:295), half of them then reversed; in the plane of the micrograph
    particles have any angle.

    Parameters
    ----------
    count : int
    axis : (3,) float64
        x, y, z in the frame of the structure.
    concentration : float
        0 is uniform; most views are within ``81 / sqrt(concentration)`` degrees of the axis where
        that is small.
    rng : Generator

    Returns
    -------
    Rotation
        `count` rotations, for :func:`projections.project_structure`.
    """
    if concentration <= 0:
        return uniform_orientations(count, rng)
    # Imported on demand, as it is slow to load.
    from scipy.stats import vonmises_fisher

    about = vonmises_fisher(np.asarray(axis, float) / np.linalg.norm(axis), concentration)
    views = about.rvs(count, random_state=rng) * rng.choice([-1.0, 1.0], (count, 1))
    # Any vector beside the view, and both perpendicular ones; the angle in the plane is random.
    other = np.cross(views, rng.standard_normal((count, 3)))
    other /= np.linalg.norm(other, axis=1, keepdims=True)
    return Rotation.from_matrix(np.stack([other, np.cross(views, other), views], axis=1))
