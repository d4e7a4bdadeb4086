"""Losses over single windows. ``logits`` is (N, C) float32, ``target`` (N,) int64."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

from deepcryopicker.trainer.schema import TrainerConfig
from deepcryopicker.types import particle_classes

Loss = Callable[[Tensor, Tensor, Tensor], Tensor]
"""From logits, targets and heat-map targets to a scalar."""

_PRIOR = 0.05  # fraction of unlabelled particles among the windows of other classes


def choose_loss(config: TrainerConfig, classes: tuple[str, ...]) -> Loss:
    """Return the configured loss."""
    if config.loss == "heat_map":
        return partial(_heat_map, smoothing=config.label_smoothing)
    if config.loss == "positive_unlabelled":
        particles = torch.tensor(particle_classes(classes))
        return partial(_unlabelled, particles=particles, prior=_PRIOR)
    return partial(_cross_entropy, smoothing=config.label_smoothing)


def detection_loss(logits: Tensor, target: Tensor, particles: Tensor) -> Tensor:
    """Return the cross-entropy of particles of any class against the rest, as in picking.

    The shape of a particle is often uncertain in labels found without supervision and would
    dominate the loss over all classes.

    Parameters
    ----------
    logits : (N, C) float32 Tensor
    target : (N,) int64 Tensor
    particles : (P,) int64 Tensor
        Indices of the particle classes.
    """
    log_probability = torch.log_softmax(logits, dim=1)
    others = _without(particles, logits.shape[1])
    as_particle = torch.logsumexp(log_probability[:, particles], dim=1)
    as_other = torch.logsumexp(log_probability[:, others], dim=1)
    return -torch.where(torch.isin(target, particles), as_particle, as_other).mean()


def positive_unlabelled(logits: Tensor, target: Tensor, particles: Tensor, prior: float) -> Tensor:
    """Return the non-negative positive-unlabelled risk (Kiryo et al., 2017), several classes.

    A fraction `prior` of the windows of other classes is assumed to show unlabelled particles.
    Without positive or without unlabelled windows in the batch, their terms are zero.

    Parameters
    ----------
    logits : (N, C) float32 Tensor
    target : (N,) int64 Tensor
    particles : (P,) int64 Tensor
        Indices of the positive classes.
    prior : float
    """
    positive = torch.isin(target, particles)
    log_probability = torch.log_softmax(logits, dim=1)
    # Loss of classifying a window as any class other than particles.
    others = _without(particles, logits.shape[1])
    as_negative = -torch.logsumexp(log_probability[:, others], dim=1)
    right = functional.nll_loss(log_probability, target, reduction="none")
    positive_risk = prior * _mean(right[positive])
    negative_risk = _mean(as_negative[~positive]) - prior * _mean(as_negative[positive])
    return positive_risk + negative_risk.clamp(min=0.0)


def _cross_entropy(logits: Tensor, target: Tensor, _heat: Tensor, *, smoothing: float) -> Tensor:
    return functional.cross_entropy(logits, target, label_smoothing=smoothing)


def _heat_map(logits: Tensor, _target: Tensor, heat: Tensor, *, smoothing: float) -> Tensor:
    return functional.cross_entropy(logits, heat, label_smoothing=smoothing)


def _unlabelled(
    logits: Tensor, target: Tensor, _heat: Tensor, *, particles: Tensor, prior: float
) -> Tensor:
    return positive_unlabelled(logits, target, particles.to(logits.device), prior)


def _without(particles: Tensor, classes: int) -> Tensor:
    """Return the indices of the classes that are not particles."""
    every = torch.arange(classes, device=particles.device)
    return every[~torch.isin(every, particles)]


def _mean(values: Tensor) -> Tensor:
    return values.sum() / max(len(values), 1)
