"""The four particle species: point clouds, their orientations in the ice, and their projection.

A phantom is a cloud of points of equal mass, in Angstrom, with x along columns, y along rows and
z along the beam. Every point represents a Gaussian of standard deviation `BLUR`. Rotation of
points is exact, so that a projection has the same mass in every orientation, without voxels.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation

from deepcryopicker.dataset.structures.orientations import uniform_orientations
from deepcryopicker.types import Floats, Strings

BLUR = 6.0
"""Standard deviation of the Gaussian represented by a point, Angstrom."""


@dataclass(frozen=True)
class Kind:
    """A particle species and how it is imaged.

    Attributes
    ----------
    name : str
        Key in `KINDS`.
    diameter : float
        Nominal particle diameter, Angstrom.
    pixel_size : float
        Angstrom per pixel.
    phase : float
        Mean phase shift of the electron wave over the disc of `diameter`, radian, which sets the
        contrast.
    coverage : tuple of float
        Minimum and maximum fraction of the area covered by particle discs.
    cloud : callable
        Returns the phantom, (P, 3) float64, columns x, y, z, Angstrom from the centre of mass.
        The same at every call.
    pose : callable
        Draws N orientations and their labels: ``pose(count, generator)``.
    """

    name: str
    diameter: float
    pixel_size: float
    phase: float
    coverage: tuple[float, float]
    cloud: Callable[[], Floats]
    pose: Callable[[int, np.random.Generator], tuple[Rotation, Strings]]


def apoferritin() -> Floats:
    """Return a hollow sphere of 24 subunits, outer diameter 126 Angstrom."""
    rng = np.random.default_rng(24)
    # A general direction, which the octahedral group maps to 24 different directions.
    subunits = Rotation.create_group("O").apply([0.87, 0.42, 0.26])
    direction = np.repeat(subunits, 60, axis=0) + rng.normal(scale=0.24, size=(24 * 60, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    return _centred(direction * rng.uniform(44, 63, (len(direction), 1)))


def klh() -> Floats:
    """Return a barrel along z: six rings of twenty subunits, 330 Angstrom wide and 350 high."""
    rng = np.random.default_rng(10)
    ring, seat, _ = np.meshgrid(np.arange(6), np.arange(20), np.arange(20), indexing="ij")
    angle = np.pi / 10 * (seat.ravel() + rng.normal(scale=0.35, size=seat.size))
    radius = rng.uniform(128, 163, seat.size)
    height = 58 * (ring.ravel() - 2.5) + np.clip(rng.normal(scale=11, size=seat.size), -25, 25)
    wall = np.column_stack([radius * np.cos(angle), radius * np.sin(angle), height])
    # The collars partly close the barrel, a third of its length from either end.
    angle, radius = rng.uniform(0, 2 * np.pi, 240), rng.uniform(70, 128, 240)
    height = rng.choice([-110.0, 110.0], 240) + rng.normal(scale=8, size=240)
    collar = np.column_stack([radius * np.cos(angle), radius * np.sin(angle), height])
    return _centred(np.concatenate([wall, collar]))


def ribosome() -> Floats:
    """Return two unequal lobes full of random lumps, 270 Angstrom long."""
    rng = np.random.default_rng(80)
    large = ball(240, rng) * [102, 90, 85] + [0, -37, 0]
    small = ball(100, rng) * [95, 52, 65] + [0, 72, 0]
    lumps = np.concatenate([large, small])
    # Lumps of unequal mass, like RNA and protein; without them the lobes are featureless.
    mass = rng.multinomial(2000, rng.dirichlet(np.full(len(lumps), 1.5)))
    points = np.repeat(lumps, mass, axis=0)
    return _centred(points + rng.normal(scale=7, size=points.shape))


def beta_galactosidase() -> Floats:
    """Return a flat tetramer with D2 symmetry, about 180 x 130 x 90 Angstrom."""
    rng = np.random.default_rng(4)
    lobe = ball(250, rng) * [44, 36, 27] + [40, 26, 16]
    twofolds = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])
    return _centred((lobe * twofolds[:, None]).reshape(-1, 3))


def ball(count: int, rng: np.random.Generator) -> Floats:
    """Draw points uniformly from the unit ball, (count, 3)."""
    direction = rng.normal(size=(count, 3))
    radius = rng.uniform(size=(count, 1)) ** (1 / 3)
    return radius * direction / np.linalg.norm(direction, axis=1, keepdims=True)


def _centred(points: Floats) -> Floats:
    return points - points.mean(axis=0)


def round_pose(count: int, rng: np.random.Generator) -> tuple[Rotation, Strings]:
    """Draw orientations of particles that appear round in every projection: all are ``top``."""
    return uniform_orientations(count, rng), np.full(count, "top")


def irregular_pose(count: int, rng: np.random.Generator) -> tuple[Rotation, Strings]:
    """Draw orientations of particles without a preferred view: all are ``irregular``."""
    return uniform_orientations(count, rng), np.full(count, "irregular")


def barrel_pose(count: int, rng: np.random.Generator) -> tuple[Rotation, Strings]:
    """Draw barrels standing along the beam (``top``) or lying in the ice (``side``), half each.

    Both are tilted by a few degrees and rotated by any angle in the image plane.
    """
    label = rng.choice(np.array(["top", "side"]), count)
    spin, turn = rng.uniform(0, 360, (2, count))
    tilt = np.where(label == "side", 90.0, 0.0) + np.clip(rng.normal(scale=3, size=count), -8, 8)
    # Lower case: about the fixed axes, in this order.
    return Rotation.from_euler("zxz", np.column_stack([spin, tilt, turn]), degrees=True), label


def project(
    points: Floats, weight: npt.NDArray[np.floating], shape: tuple[int, int]
) -> npt.NDArray[np.float64]:
    """Sum weighted points onto a grid by bilinear interpolation.

    Parameters
    ----------
    points : (P, 2) float64
        Columns x and y, pixels, 0 at the centre of the top-left pixel. Points off the grid are
        ignored.
    weight : (P,) float
        Mass of each point.
    shape : (int, int)
        Height and width.

    Returns
    -------
    (H, W) float64
        Mass per pixel; the total mass and the centre of mass of the points are preserved exactly.
    """
    height, width = shape
    corner = np.floor(points).astype(np.int64)
    inside = (corner >= 0).all(axis=1) & (corner < [width - 1, height - 1]).all(axis=1)
    corner, part, weight = corner[inside], (points - corner)[inside], weight[inside]
    total = np.zeros(height * width)
    for step_x in (0, 1):
        for step_y in (0, 1):
            share = np.abs(1 - step_x - part[:, 0]) * np.abs(1 - step_y - part[:, 1])
            index = (corner[:, 1] + step_y) * width + corner[:, 0] + step_x
            total += np.bincount(index, weight * share, minlength=total.size)
    return total.reshape(shape)


KINDS = {
    kind.name: kind
    for kind in (
        Kind("apoferritin", 130.0, 2.2, 0.075, (0.34, 0.40), apoferritin, round_pose),
        Kind("klh", 340.0, 4.4, 0.078, (0.15, 0.22), klh, barrel_pose),
        Kind("ribosome", 270.0, 4.0, 0.07, (0.15, 0.25), ribosome, irregular_pose),
        Kind(
            "beta_galactosidase",
            180.0,
            3.0,
            0.075,
            (0.15, 0.25),
            beta_galactosidase,
            irregular_pose,
        ),
    )
}
"""The species by name."""
