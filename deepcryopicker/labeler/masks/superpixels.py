"""Clustering of SuperCryoPicker: superpixels, then k-means of their means (METHOD.md 3)."""

import numpy as np
import numpy.typing as npt
from skimage.segmentation import slic

from deepcryopicker.labeler.masks.clustering import kmeans_clusters
from deepcryopicker.types import Image

Indices = npt.NDArray[np.uint8]

_ITERATIONS = 10
# Initial value, adapted by zero-parameter SLIC. MATLAB's 10 is for intensities up to 100, which
# scikit-image scales to 1.
_COMPACTNESS = 0.1


def superpixel_clusters(image: Image, clusters: int, superpixel_area: float) -> Indices:
    """Cluster superpixels by their mean intensity.

    Parameters
    ----------
    image : (H, W) float32
    clusters : int, >= 2
    superpixel_area : float
        Mean area of a superpixel, pixels. The authors' 1500 superpixels have about the size of
        their particles; a quarter of a particle follows the outline better.

    Returns
    -------
    (H, W) uint8
        Cluster index, 0 for the darkest.
    """
    # Every pixel has the mean of its superpixel, which weights superpixels by their area.
    return kmeans_clusters(superpixel_means(image, superpixel_area), clusters)


def superpixel_means(image: Image, superpixel_area: float) -> Image:
    """Replace every superpixel (zero-parameter SLIC) by its mean; (H, W) float32."""
    if image.max() <= image.min():
        return image
    labels = slic(
        image,
        n_segments=max(1, round(image.size / superpixel_area)),
        compactness=_COMPACTNESS,
        max_num_iter=_ITERATIONS,
        slic_zero=True,
        start_label=0,
        channel_axis=None,
    )
    total = np.bincount(labels.ravel(), image.ravel())
    # SLIC drops superpixels that it merges, which leaves labels without pixels.
    means = total / np.maximum(np.bincount(labels.ravel()), 1)
    return means.astype(np.float32)[labels]
