"""Our operators beside those of public libraries: median seconds, 1100 x 1100, one thread."""

import warnings

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table
from scipy import ndimage, signal
from skimage import exposure, feature, measure, morphology, transform
from sklearn.cluster import KMeans
from timing import median_seconds

from deepcryopicker.detection.filters import correlate, difference_of_gaussians
from deepcryopicker.detection.peaks import find_peaks
from deepcryopicker.labeler.masks import circles, clustering, particle_mask
from deepcryopicker.preprocessing.operators import clahe, contrast, resize, restore

SIDE, DIAMETER = 1100, 24.0


def image_and_mask() -> tuple[np.ndarray, np.ndarray]:
    """Draw dark discs in noise."""
    rng = np.random.default_rng(0)
    image = rng.normal(0.6, 0.15, (SIDE, SIDE)).astype(np.float32)
    discs = np.zeros((SIDE, SIDE), np.uint8)
    for x, y in rng.integers(0, SIDE, (600, 2)).tolist():
        cv2.circle(discs, (x, y), int(DIAMETER / 2), 1, -1)
    return np.clip(image - 0.3 * discs, 0, 1).astype(np.float32), discs > 0


def main() -> None:
    """Print a row for each operator."""
    cv2.setNumThreads(1)
    warnings.simplefilter("ignore")
    image, mask = image_and_mask()
    template = image[:49, :49].copy()
    radii = np.arange(0.35 * DIAMETER, 0.65 * DIAMETER, 0.5)
    cross = ndimage.generate_binary_structure(2, 1)

    def cleaned() -> object:
        kept = morphology.remove_small_objects(mask, 100)
        kept = ndimage.binary_fill_holes(ndimage.binary_erosion(kept, cross))
        return ndimage.binary_dilation(ndimage.binary_closing(kept, cross), cross)

    pairs = {
        "rescale by 0.26": (
            lambda: resize.rescale(image, 0.26),
            lambda: transform.rescale(image, 0.26, order=3, anti_aliasing=True),
        ),
        "equalise": (lambda: contrast.equalise(image), lambda: exposure.equalize_hist(image)),
        "CLAHE": (lambda: clahe.clahe(image), lambda: exposure.equalize_adapthist(image)),
        "Wiener 5 x 5": (lambda: restore.wiener(image), lambda: signal.wiener(image, (5, 5))),
        "opening": (
            lambda: restore.opening(image),
            lambda: morphology.opening(image, cross),
        ),
        "clean the mask": (lambda: particle_mask.clean_mask(mask, 100), cleaned),
        "k-means, 4 clusters": (
            lambda: clustering.kmeans_clusters(image, 4),
            lambda: KMeans(4, n_init=3).fit_predict(image.reshape(-1, 1)),
        ),
        "circles (Hough)": (
            lambda: circles.find_circles(mask, radii[0], radii[-1]),
            lambda: transform.hough_circle(feature.canny(mask.astype(float)), radii.astype(int)),
        ),
        "components": (
            lambda: cv2.connectedComponentsWithStats(mask.astype(np.uint8)),
            lambda: measure.regionprops_table(measure.label(mask), properties=("area",)),
        ),
        "blobs": (
            lambda: find_peaks(difference_of_gaussians(-image, 4.3), 14.0, 0.02),
            lambda: feature.blob_log(1 - image, min_sigma=8, max_sigma=8, num_sigma=1),
        ),
        "correlate with a template": (
            lambda: correlate(image, template, DIAMETER),
            lambda: feature.match_template(image, template, pad_input=True),
        ),
    }
    table = Table(title=f"{SIDE} x {SIDE}, 1 thread, median seconds")
    for heading in ("operator", "here", "libraries", "ratio"):
        table.add_column(heading, justify="left" if heading == "operator" else "right")
    for name, (ours, theirs) in pairs.items():
        here, there = median_seconds(ours), median_seconds(theirs)
        table.add_row(name, f"{here:.4f}", f"{there:.4f}", f"{there / here:.1f}")
    Console().print(table)


if __name__ == "__main__":
    main()
