"""AutoCryoPicker and SuperCryoPicker: particles as shapes in the mask of an intensity cluster."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from deepcryopicker.frames import picks_to_original
from deepcryopicker.labeler.masks.clustering import (
    fcm_clusters,
    intensity_clusters,
    kmeans_clusters,
)
from deepcryopicker.labeler.masks.particle_mask import clean_mask, particle_cluster
from deepcryopicker.labeler.masks.selection import rejection_reasons
from deepcryopicker.labeler.masks.shapes import Shapes, coverage, find_shapes
from deepcryopicker.labeler.masks.superpixels import superpixel_clusters
from deepcryopicker.labeler.schema import (
    FcmConfig,
    IbcConfig,
    KmeansConfig,
    MaskConfig,
    SuperKmeansConfig,
)
from deepcryopicker.types import Candidates, Image, Mask, Micrograph, Picks, Strings

# In particle areas: smallest component of a mask that is not noise; mean area of a superpixel.
_SMALLEST, _SUPERPIXEL = 0.25, 0.25


@dataclass(frozen=True)
class Masked:
    """Clusters, mask and shapes of one micrograph; working pixels.

    Attributes
    ----------
    clusters : (H, W) uint8
        Intensity clusters, 0 the darkest.
    mask : (H, W) bool
        Cleaned mask of the particle cluster.
    shapes : Shapes
    reason : (N,) str
        Why each shape may not train the network; empty for good shapes.
    """

    clusters: npt.NDArray[np.uint8]
    mask: Mask
    shapes: Shapes
    reason: Strings


def find_masked(micrograph: Micrograph, diameter: float, config: MaskConfig) -> Masked:
    """Cluster a preprocessed micrograph, clean the particle mask, and find and select shapes.

    Parameters
    ----------
    micrograph : Micrograph
        Last stage of the preprocessing chain.
    diameter : float
        Particle diameter, working pixels.
    config : MaskConfig
    """
    particle_area = np.pi * diameter**2 / 4.0
    clusters = cluster(micrograph.image, particle_area, config)
    chosen = particle_cluster(clusters, config.clusters, diameter)
    mask = clean_mask(chosen, _SMALLEST * particle_area)
    shapes = find_shapes(mask, diameter, config)
    shape = (mask.shape[0], mask.shape[1])
    reason = rejection_reasons(shapes, shape, micrograph.margins, diameter, config.selection)
    return Masked(clusters, mask, shapes, reason)


def cluster(image: Image, particle_area: float, config: MaskConfig) -> npt.NDArray[np.uint8]:
    """Return the intensity cluster of each pixel, (H, W) uint8, 0 the darkest.

    Parameters
    ----------
    image : (H, W) float32
    particle_area : float
        Pixels.
    config : MaskConfig
    """
    match config:
        case IbcConfig():
            return intensity_clusters(image, config.clusters)
        case KmeansConfig():
            return kmeans_clusters(image, config.clusters)
        case FcmConfig():
            return fcm_clusters(image, config.clusters)
        case SuperKmeansConfig():
            return superpixel_clusters(image, config.clusters, _SUPERPIXEL * particle_area)
    raise TypeError(f"no clustering for {type(config).__name__}")


def label_by_mask(micrograph: Micrograph, diameter: float, config: MaskConfig) -> Candidates:
    """Find candidate particles in a preprocessed micrograph and select those for training.

    Parameters
    ----------
    micrograph : Micrograph
        Last stage of the preprocessing chain.
    diameter : float
        Particle diameter, working pixels.
    config : MaskConfig

    Returns
    -------
    Candidates
        Scores are the overlap with the ideal shape.
    """
    masked = find_masked(micrograph, diameter, config)
    shapes = masked.shapes
    picks = Picks.create(shapes.x, shapes.y, shapes.overlap, shapes.label, shapes.diameter)
    return Candidates(
        picks=picks_to_original(picks, micrograph.scale),
        good=masked.reason == "",
        reason=masked.reason,
        coverage=coverage(masked.mask, diameter),
        clusters=masked.clusters,
        mask=masked.mask,
        scale=micrograph.scale,
    )
