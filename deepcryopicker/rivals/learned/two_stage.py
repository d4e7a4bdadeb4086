"""Pickers with two networks: one proposes positions, the other classifies them."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Adam, Optimizer
from torch.optim.lr_scheduler import LRScheduler, OneCycleLR

from deepcryopicker.detection.suppression import suppress_by_distance
from deepcryopicker.detection.windows import cut
from deepcryopicker.rivals.learned.rival import Found, Rival
from deepcryopicker.rivals.learned.schema import LearnedConfig
from deepcryopicker.rivals.training.examples import Example
from deepcryopicker.rivals.training.network_scan import probability_map
from deepcryopicker.rivals.training.optimise import Progress, minimise
from deepcryopicker.rivals.training.target_maps import map_loss
from deepcryopicker.rivals.training.training_windows import (
    Places,
    Window,
    Windows,
    as_tensor,
    largest_windows,
    validation_windows,
)
from deepcryopicker.types import Floats, Image

_VALIDATE_ON = 64  # windows
_SCORED_AT_ONCE = 64  # windows
_BACKGROUND = 0.5  # minimum distance of background from particles, diameters


@dataclass(frozen=True)
class Plan:
    """Settings in which two-stage pickers differ, apart from their networks.

    Attributes
    ----------
    map_sizes : tuple of int
        Possible window sides for training the first network, in order of preference, pixels.
    window : int
        Side of the windows of the second network, pixels.
    stride, unit, margin : int
        Of the map of the first network, see :func:`network_scan.probability_map`.
    sigma : float
        Standard deviation of the Gaussians in the map, diameters.
    batch : int
        Windows per training step.
    rate : float
        Learning rate of Adam.
    one_cycle : bool
        Whether `rate` is the peak of a one-cycle schedule, or constant.
    """

    map_sizes: tuple[int, ...]
    window: int
    stride: int
    unit: int
    margin: int
    sigma: float
    batch: int
    rate: float
    one_cycle: bool


class TwoStage(Rival):
    """A network whose map proposes particles, and a second network that confirms them.

    The second network is trained on true particles against false proposals of the first and
    background. The score of a pick is the product of both probabilities.

    Parameters
    ----------
    first : nn.Module
        From images (N, 1, H, W) to logits (N, 1, H / stride, W / stride).
    second : nn.Module
        From windows (N, 1, S, S) to logits (N,).
    plan : Plan
    """

    def __init__(self, first: nn.Module, second: nn.Module, plan: Plan) -> None:
        super().__init__()
        self.first, self.second, self.plan = first, second, plan

    @abstractmethod
    def search(self, heat: Image, distance: float, floor: float) -> Found:
        """Find the maxima of a map; map pixels, strongest first.

        Parameters
        ----------
        heat : (h, w) float32
        distance : float
            Minimum distance between two maxima, map pixels.
        floor : float
            Minimum height of a maximum.
        """

    def learn(
        self,
        config: LearnedConfig,
        train: Sequence[Example],
        validation: Sequence[Example],
        rng: np.random.Generator,
        track: Progress,
    ) -> None:
        """Train the first network, then the second on its proposals; see `Rival.learn`."""
        self._learn_map(config, train, validation, rng, track)
        self._learn_to_confirm(config, train, validation, rng, track)

    def find(self, config: LearnedConfig, image: Image, diameter: float) -> Found:
        """Find the particles of one micrograph, working pixels; see `Rival.find`."""
        x, y, proposed = self.propose(config, image, diameter)
        score = proposed * self.confirm(image, x, y)
        kept = suppress_by_distance(x, y, score, config.distance * diameter)
        kept = kept[score[kept] >= config.floor]
        return x[kept], y[kept], score[kept]

    def propose(self, config: LearnedConfig, image: Image, diameter: float) -> Found:
        """Find the maxima of the map of the first network.

        Parameters
        ----------
        config, image, diameter
            As in `Rival.find`.

        Returns
        -------
        (N,) x, (N,) y, (N,) height
            Working pixels, highest first.
        """
        plan = self.plan
        heat = probability_map(self.first, image, plan.unit, plan.stride, plan.margin)
        distance = config.distance * diameter / plan.stride
        x, y, strength = self.search(heat, distance, config.floor)
        middle = (plan.stride - 1) / 2.0
        return x * plan.stride + middle, y * plan.stride + middle, strength

    @torch.inference_mode()
    def confirm(self, image: Image, x: Floats, y: Floats) -> Floats:
        """Compute the probability of the second network at each position.

        Parameters
        ----------
        image : (H, W) float32
        x, y : (N,) float64
            Working pixels.

        Returns
        -------
        (N,) float64
        """
        if not len(x):
            return np.zeros(0)
        windows = torch.from_numpy(cut(image, np.column_stack([x, y]), self.plan.window))[:, None]
        device = self.device_of_weights
        batches = windows.split(_SCORED_AT_ONCE)
        logits = [self.second(batch.to(device)).cpu() for batch in batches]
        return torch.sigmoid(torch.cat(logits)).numpy().astype(np.float64)

    def _learn_map(
        self,
        config: LearnedConfig,
        train: Sequence[Example],
        validation: Sequence[Example],
        rng: np.random.Generator,
        track: Progress,
    ) -> None:
        windows = largest_windows(train, self.plan.map_sizes)
        held_out = validation_windows(validation, windows)
        kept = _mixed(held_out, _VALIDATE_ON, rng)

        def loss(batch: Sequence[Window]) -> Tensor:
            logits = self.first(as_tensor(batch).to(self.device_of_weights))
            return map_loss(logits, batch, self.plan.sigma, self.plan.stride)

        optimizer, schedule = self._optimizer(self.first, config.steps)
        minimise(
            self.first,
            lambda: loss(_mixed(windows, self.plan.batch, rng)),
            lambda: loss(kept),
            optimizer,
            config.steps,
            track,
            "training the first network",
            schedule,
        )

    def _learn_to_confirm(
        self,
        config: LearnedConfig,
        train: Sequence[Example],
        validation: Sequence[Example],
        rng: np.random.Generator,
        track: Progress,
    ) -> None:
        windows = Windows(train, self.plan.window)
        bad = self._bad_places(config, windows, rng)
        held_out = validation_windows(validation, windows)
        bad_held_out = bad if held_out is windows else self._bad_places(config, held_out, rng)
        kept = _labelled(held_out, bad_held_out, _VALIDATE_ON, rng)

        def loss(batch: tuple[Tensor, Tensor]) -> Tensor:
            images, target = (each.to(self.device_of_weights) for each in batch)
            return functional.binary_cross_entropy_with_logits(self.second(images), target)

        optimizer, schedule = self._optimizer(self.second, config.steps)
        minimise(
            self.second,
            lambda: loss(_labelled(windows, bad, self.plan.batch, rng)),
            lambda: loss(kept),
            optimizer,
            config.steps,
            track,
            "training the second network",
            schedule,
        )

    def _optimizer(self, network: nn.Module, steps: int) -> tuple[Optimizer, LRScheduler | None]:
        optimizer = Adam(network.parameters(), self.plan.rate)
        if not self.plan.one_cycle:
            return optimizer, None
        return optimizer, OneCycleLR(optimizer, self.plan.rate, total_steps=steps)

    def _bad_places(
        self, config: LearnedConfig, windows: Windows, rng: np.random.Generator
    ) -> Places:
        """Return the best false proposals, as many as there are particles, and background."""
        false = []
        for example in windows.examples:
            x, y, _ = self.propose(config, example.image, example.diameter)
            wrong = example.clear(x, y, _BACKGROUND * example.diameter)
            places = np.column_stack([x[wrong], y[wrong]])
            false.append(places[: max(len(example.x), 1)])
        found = windows.at(false)
        count = max(len(found), len(windows.particles) // 2, 1)
        return found.joined(windows.anywhere(count, rng, _BACKGROUND))


def _mixed(windows: Windows, count: int, rng: np.random.Generator) -> list[Window]:
    """Draw randomly oriented windows, half near particles and half anywhere."""
    near = windows.near(windows.particles.drawn(count // 2, rng), windows.size // 4, rng)
    places = near.joined(windows.anywhere(count - count // 2, rng))
    return [window.turned(rng) for window in windows.cut(places)]


def _labelled(
    windows: Windows, bad: Places, count: int, rng: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """Draw windows, half of particles and half of bad positions; (N, 1, S, S), labels (N,)."""
    good = windows.near(windows.particles.drawn(count // 2, rng), 1, rng)
    places = good.joined(bad.drawn(count - count // 2, rng))
    target = torch.zeros(len(places))
    target[: len(good)] = 1.0
    return as_tensor([window.turned(rng) for window in windows.cut(places)]), target
