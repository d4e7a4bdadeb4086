"""After FastParticlePicker: Fast R-CNN with the boxes of a sliding window as proposals."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import OneCycleLR
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.models.detection.roi_heads import RoIHeads
from torchvision.ops import MultiScaleRoIAlign

from deepcryopicker.detection.suppression import suppress_by_distance
from deepcryopicker.picker.scanning.chunks import Piece
from deepcryopicker.rivals.learned.rival import Found, Rival
from deepcryopicker.rivals.learned.schema import LearnedConfig
from deepcryopicker.rivals.training.examples import Example
from deepcryopicker.rivals.training.network_scan import TILE, in_tiles
from deepcryopicker.rivals.training.optimise import Progress, minimise
from deepcryopicker.rivals.training.training_windows import (
    Window,
    Windows,
    as_tensor,
    largest_windows,
    validation_windows,
)
from deepcryopicker.types import Floats, Image

_SIZES = (192, 128, 96, 64)  # of training windows, pixels, the best one first
_BATCH, _VALIDATE_ON = 4, 16  # windows
_BOXES = 64  # boxes per window in a training step
_RATE = 2e-3
_STRIDE = 4  # of the features, pixels
_FIELD_RADIUS = 15  # half of the receptive field of a feature, pixels
_CHANNELS = (16, 32, 32, 48, 48, 48)
_CELLS, _WIDE = 7, 128  # side of a box after pooling; width of the layers after it


class FastRcnn(Rival):
    """FastParticlePicker-style: every box of a sliding window is classified and shifted.

    As in its article: Fast R-CNN with a sliding window in place of selective search. Head,
    sampling and losses are torchvision's. Our choices: the layers before the head, boxes of one
    size a quarter of a diameter apart, one class beside the background (a class for ice needs
    labels of ice), and suppression by distance rather than by overlap.
    """

    def __init__(self) -> None:
        super().__init__()
        self.features = _features()
        self.heads = RoIHeads(
            MultiScaleRoIAlign(["map"], output_size=_CELLS, sampling_ratio=2),
            TwoMLPHead(_CHANNELS[-1] * _CELLS**2, _WIDE),
            FastRCNNPredictor(_WIDE, num_classes=2),
            fg_iou_thresh=0.5,
            bg_iou_thresh=0.4,
            batch_size_per_image=_BOXES,
            positive_fraction=0.5,
            bbox_reg_weights=None,
            # Not filtered here: `find` suppresses over the whole micrograph.
            score_thresh=0.0,
            nms_thresh=1.0,
            detections_per_img=_BOXES,
        )

    def learn(
        self,
        config: LearnedConfig,
        train: Sequence[Example],
        validation: Sequence[Example],
        rng: np.random.Generator,
        track: Progress,
    ) -> None:
        """Train features and heads together; parameters as in `Rival.learn`."""
        windows = largest_windows(train, _SIZES)
        kept = _draw(validation_windows(validation, windows), _VALIDATE_ON, rng)

        def validation_loss() -> Tensor:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(0)  # the heads draw boxes at random
                return self.loss(kept)

        optimizer = AdamW(self.parameters(), _RATE)
        minimise(
            self,
            lambda: self.loss(_draw(windows, _BATCH, rng)),
            validation_loss,
            optimizer,
            config.steps,
            track,
            "training the network",
            OneCycleLR(optimizer, _RATE, total_steps=config.steps),
        )

    def loss(self, windows: Sequence[Window]) -> Tensor:
        """Return the sum of the classification and the position loss."""
        device = self.device_of_weights
        maps = {"map": self.features(as_tensor(windows).to(device))}
        size = len(windows[0].image)
        proposals = [_proposals_of(window).to(device) for window in windows]
        targets = [_targets_of(window, device) for window in windows]
        was_training = self.heads.training
        self.heads.train()  # in evaluation mode they return detections rather than losses
        _, losses = self.heads(maps, proposals, [(size, size)] * len(windows), targets)
        self.heads.train(was_training)
        return losses["loss_classifier"] + losses["loss_box_reg"]

    def find(self, config: LearnedConfig, image: Image, diameter: float, tile: int = TILE) -> Found:
        """Find the particles of one micrograph in tiles.

        Parameters
        ----------
        config, image, diameter
            As in `Rival.find`.
        tile : int
            Side of a tile, working pixels.

        Returns
        -------
        (N,) x, (N,) y, (N,) score
            Working pixels.
        """
        step = _step(diameter)
        margin = step * -(-round(_FIELD_RADIUS + diameter + 2 * _STRIDE) // step)
        found: list[Floats] = []

        def compute(crop: Tensor, piece: Piece) -> None:
            top, bottom, left, right = piece
            x, y = _grid(right - left, bottom - top, step)
            moved = self._detect(crop, x + margin, y + margin, diameter)
            moved[:, :2] += np.array([left, top]) * step - margin
            found.append(moved[moved[:, 2] >= config.floor])

        in_tiles(image, step, margin, compute, tile)
        x, y, score = np.concatenate(found).T
        height, width = image.shape
        within = (x > -0.5) & (y > -0.5) & (x < width - 0.5) & (y < height - 0.5)
        x, y, score = x[within], y[within], score[within]
        kept = suppress_by_distance(x, y, score, config.distance * diameter)
        return x[kept], y[kept], score[kept]

    @torch.inference_mode()
    def _detect(self, crop: Tensor, x: Floats, y: Floats, diameter: float) -> Floats:
        """Return x, y and score of each shifted box, (N, 3)."""
        crop = crop.to(self.device_of_weights)
        boxes = _boxes(x, y, diameter).to(crop.device)
        shape = (crop.shape[-2], crop.shape[-1])
        pooled = self.heads.box_roi_pool({"map": self.features(crop)}, [boxes], [shape])
        logits, moves = self.heads.box_predictor(self.heads.box_head(pooled))
        moved = self.heads.box_coder.decode(moves, [boxes])[:, 1]
        middle = (moved[:, :2] + moved[:, 2:]) / 2.0
        score = torch.softmax(logits, dim=1)[:, 1:]
        return torch.cat([middle, score], dim=1).cpu().numpy().astype(np.float64)


def _features() -> nn.Sequential:
    """Build six convolutions with a total stride of 4."""
    layers: list[nn.Module] = []
    fan_in = 1
    for channels, kernel, stride in zip(
        _CHANNELS, (5, 3, 3, 3, 3, 3), (1, 2, 1, 2, 1, 1), strict=True
    ):
        layers += [
            nn.Conv2d(fan_in, channels, kernel, stride, kernel // 2, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(inplace=True),
        ]
        fan_in = channels
    return nn.Sequential(*layers)


def _draw(windows: Windows, count: int, rng: np.random.Generator) -> list[Window]:
    """Draw randomly oriented windows, three quarters near particles and a quarter anywhere."""
    near = windows.particles.drawn(count - count // 4, rng)
    near = windows.near(near, windows.size // 4, rng)
    places = near.joined(windows.anywhere(count // 4, rng))
    return [window.turned(rng) for window in windows.cut(places)]


def _step(diameter: float) -> int:
    """Return the distance of boxes, pixels: a quarter of a diameter, in whole features."""
    return _STRIDE * max(1, round(diameter / (4 * _STRIDE)))


def _grid(columns: int, rows: int, step: int) -> tuple[Floats, Floats]:
    """Return the centres of boxes, x and y, row by row."""
    x, y = np.meshgrid(*((np.arange(count) + 0.5) * step - 0.5 for count in (columns, rows)))
    return x.ravel(), y.ravel()


def _boxes(x: Floats, y: Floats, diameter: float) -> Tensor:
    """Return boxes as wide as a particle: left, top, right, bottom, (N, 4) float32."""
    half = diameter / 2.0
    corners = np.column_stack([x - half, y - half, x + half, y + half])
    return torch.from_numpy(corners.astype(np.float32))


def _proposals_of(window: Window) -> Tensor:
    """Return the boxes completely inside a window that do not cover an uncertain position."""
    size, half = len(window.image), window.diameter / 2.0
    step = _step(window.diameter)
    x, y = _grid(size // step, size // step, step)
    kept = np.minimum(x, y) >= half
    kept &= np.maximum(x, y) <= size - 1 - half
    for place_x, place_y in window.avoid:
        kept &= np.hypot(x - place_x, y - place_y) > half
    return _boxes(x[kept], y[kept], window.diameter)


def _targets_of(window: Window, device: str) -> dict[str, Tensor]:
    """Return the boxes of the particles whose centres lie in a window, and their class."""
    last = len(window.image) - 1
    centred = np.all((window.particles >= 0) & (window.particles <= last), axis=1)
    x, y = window.particles[centred].T
    boxes = _boxes(x, y, window.diameter).to(device)
    return {"boxes": boxes, "labels": torch.ones(len(boxes), dtype=torch.int64, device=device)}
