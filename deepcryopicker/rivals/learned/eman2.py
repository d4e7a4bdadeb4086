"""After EMAN2's convolutional picker: one small network proposes picks, another scores them."""

import torch
from scipy.fft import next_fast_len
from torch import Tensor, nn

from deepcryopicker.detection.peaks import find_peaks
from deepcryopicker.rivals.learned.rival import Found
from deepcryopicker.rivals.learned.two_stage import Plan, TwoStage
from deepcryopicker.types import Image

_KERNEL = 15
_CHANNELS = (20, 20, 1)
_BOX = 64
# Half of the receptive field of the three kernels, the last two of them in pixels twice as large.
_FIELD_RADIUS = (_KERNEL // 2) * (1 + 2 + 2) + 1
_LARGEST_TRANSFORM = 128  # pixels; for larger images the direct sum is faster


class Eman2(TwoStage):
    """EMAN2-style: boxes of 64 x 64 pixels, convolutions of 15 x 15 with 20, 20 and 1 kernels.

    As in its public program: both networks and their sizes, max pooling by 2 after the first
    convolution, a Gaussian target for the first network, the mean response of the second, Adam
    with a learning rate of 1e-4, and that a pick must pass both. Our choices: logistic outputs and
    cross entropy, so that responses are probabilities; Gaussians also at neighbours within a box;
    false picks of the first network as bad particles, because the labels contain none; the width
    of the Gaussian, batches of 20, and early stopping.
    """

    def __init__(self) -> None:
        plan = Plan(
            map_sizes=(_BOX,),
            window=_BOX,
            stride=2,
            unit=2,
            margin=_FIELD_RADIUS + _FIELD_RADIUS % 2,
            sigma=0.15,
            batch=20,
            rate=1e-4,
            one_cycle=False,
        )
        super().__init__(_convolutions(), MeanResponse(_convolutions()), plan)

    def search(self, heat: Image, distance: float, floor: float) -> Found:
        """Find the maxima of a map at a minimum distance; parameters as in `TwoStage.search`."""
        return find_peaks(heat, distance, floor)


class MeanResponse(nn.Module):
    """Mean of a network's output map over each window.

    Parameters
    ----------
    network : nn.Module
        From (N, 1, S, S) to (N, 1, h, w).
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, windows: Tensor) -> Tensor:
        """Return (N,) logits of windows (N, 1, S, S)."""
        return self.network(windows).mean(dim=(1, 2, 3))


class FourierConvolution(nn.Conv2d):
    """A size-preserving convolution with a large odd kernel, fast on windows.

    Small images are convolved in Fourier space, which takes a quarter of the time of the direct
    sum and equals it up to rounding.
    """

    def forward(self, image: Tensor) -> Tensor:
        """Return (N, K, H, W) of images (N, C, H, W)."""
        height, width = image.shape[-2:]
        if max(height, width) > _LARGEST_TRANSFORM:
            # In this memory order the direct sum takes a third of the time on a CPU.
            return super().forward(image.contiguous(memory_format=torch.channels_last))
        half = self.kernel_size[0] // 2
        # Padding only the far edges is enough, because the transform is periodic.
        shape = [next_fast_len(length + half, real=True) for length in (height, width)]
        kernels = torch.fft.rfft2(self.weight, shape).conj()
        product = torch.einsum("nchw,kchw->nkhw", torch.fft.rfft2(image, shape), kernels)
        found = torch.fft.irfft2(product, shape).roll((half, half), (-2, -1))
        found = found[..., :height, :width]
        return found if self.bias is None else found + self.bias[:, None, None]


def _convolutions() -> nn.Sequential:
    first, second, last = _CHANNELS
    half = _KERNEL // 2
    return nn.Sequential(
        FourierConvolution(1, first, _KERNEL, padding=half),
        nn.ReLU(),
        nn.MaxPool2d(2),
        FourierConvolution(first, second, _KERNEL, padding=half),
        nn.ReLU(),
        FourierConvolution(second, last, _KERNEL, padding=half),
    )
