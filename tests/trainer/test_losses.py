"""Losses and weight decay against their formulas, written out in numpy."""

import numpy as np
import pytest
import torch
from scipy.special import log_softmax, logsumexp, softmax
from sklearn.metrics import log_loss
from torch.nn import functional

from deepcryopicker.trainer.losses import choose_loss, detection_loss, positive_unlabelled
from deepcryopicker.trainer.module import build_optimizer
from deepcryopicker.trainer.schema import TrainerConfig

FIVE = ("top", "side", "irregular", "background", "negative")
PARTICLES = torch.tensor([0, 1, 2])


def batch(count=40, classes=5, seed=0):
    """Logits, targets in which every class occurs, and soft targets."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, (count, classes)).astype(np.float32)
    target = np.arange(count) % classes
    heat = rng.dirichlet(np.ones(classes), count).astype(np.float32)
    return torch.from_numpy(logits), torch.from_numpy(target), torch.from_numpy(heat)


def chosen(loss, classes=FIVE, **settings):
    return choose_loss(TrainerConfig(loss=loss, **settings), classes)


def soft_cross_entropy(logits, wanted):
    return -(wanted * log_softmax(logits.numpy().astype(float), axis=1)).sum(axis=1).mean()


@pytest.mark.parametrize("smoothing", [0.0, 0.05, 0.4])
def test_label_smoothing_shares_a_part_between_all_classes(smoothing):
    logits, target, heat = batch()
    wanted = (1 - smoothing) * np.eye(5)[target] + smoothing / 5
    found = chosen("cross_entropy", label_smoothing=smoothing)(logits, target, heat)
    assert found.item() == pytest.approx(soft_cross_entropy(logits, wanted), rel=1e-5)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_heat_map_of_one_hot_targets_is_the_cross_entropy(smoothing):
    logits, target, _ = batch()
    one_hot = functional.one_hot(target, 5).float()
    losses = [
        chosen(name, label_smoothing=smoothing)(logits, target, one_hot)
        for name in ("heat_map", "cross_entropy")
    ]
    torch.testing.assert_close(*losses)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_heat_map_uses_the_soft_targets_alone(smoothing):
    logits, target, heat = batch()
    wanted = (1 - smoothing) * heat.numpy() + smoothing / 5
    loss = chosen("heat_map", label_smoothing=smoothing)
    for given in (target, 4 - target):
        found = loss(logits, given, heat).item()
        assert found == pytest.approx(soft_cross_entropy(logits, wanted), rel=1e-5)


@pytest.mark.parametrize("particles", [[0], [0, 1, 2], [1, 3]])
def test_detection_loss_is_the_log_loss_of_any_particle(particles):
    logits, target, _ = batch()
    found = detection_loss(logits, target, torch.tensor(particles))
    probability = softmax(logits.numpy().astype(float), axis=1)[:, particles].sum(axis=1)
    expected = log_loss(np.isin(target.numpy(), particles), probability)
    assert found.item() == pytest.approx(expected, rel=1e-5)


def test_detection_loss_does_not_mind_which_shape():
    logits, target, _ = batch()
    mixed = torch.where(target < 3, (target + 1) % 3, target)
    assert not torch.equal(mixed, target)
    losses = [detection_loss(logits, one, PARTICLES) for one in (target, mixed)]
    torch.testing.assert_close(*losses)


def test_detection_loss_stays_finite_for_a_sure_mistake():
    logits = torch.tensor([[200.0, 0, 0, 0, 0], [0, 0, 0, 200.0, 0]])
    assert torch.isfinite(detection_loss(logits, torch.tensor([3, 0]), PARTICLES))


def non_negative_risk(logits, target, particles, prior):
    """Kiryo et al. (2017), Eq. 6: window after window."""
    logits = logits.numpy().astype(float)
    nothing = [index for index in range(logits.shape[1]) if index not in particles]
    as_itself, positive_as_nothing, unlabelled_as_nothing = [], [], []
    for row, label in zip(logits, target.tolist(), strict=True):
        loss_as_nothing = logsumexp(row) - logsumexp(row[nothing])
        if label in particles:
            as_itself.append(logsumexp(row) - row[label])
            positive_as_nothing.append(loss_as_nothing)
        else:
            unlabelled_as_nothing.append(loss_as_nothing)
    mean = [
        np.mean(part) if part else 0.0
        for part in (as_itself, positive_as_nothing, unlabelled_as_nothing)
    ]
    return prior * mean[0] + max(0.0, mean[2] - prior * mean[1])


@pytest.mark.parametrize(("classes", "particles"), [(2, [0]), (5, [0, 1, 2])])
@pytest.mark.parametrize("prior", [0.0, 0.05, 0.5])
def test_positive_unlabelled_is_the_published_risk(classes, particles, prior):
    for seed in range(5):
        logits, target, _ = batch(60, classes, seed)
        found = positive_unlabelled(logits, target, torch.tensor(particles), prior)
        expected = non_negative_risk(logits, target, particles, prior)
        assert found.item() == pytest.approx(expected, rel=1e-5)


def test_a_negative_risk_is_cut_at_zero():
    """Positives taken for particles, and unlabelled ones for nothing, both surely."""
    logits = torch.tensor([[6.0, 0.0], [5.0, 0.0], [0.0, 6.0], [0.0, 7.0]])
    target = torch.tensor([0, 0, 1, 1])
    prior = 0.5
    found = positive_unlabelled(logits, target, torch.tensor([0]), prior).item()
    only_positive = prior * (np.log1p(np.exp(-6)) + np.log1p(np.exp(-5))) / 2
    assert found == pytest.approx(only_positive, rel=1e-5)
    assert found == pytest.approx(non_negative_risk(logits, target, [0], prior), rel=1e-5)
    # Without the cut it would lie far below zero.
    as_nothing = np.log1p(np.exp([6.0, 5.0, -6.0, -7.0]))
    assert only_positive + as_nothing[2:].mean() - prior * as_nothing[:2].mean() < -2


@pytest.mark.parametrize("kept", ["positive", "unlabelled"])
def test_terms_of_what_is_not_in_the_batch_are_zero(kept):
    logits, target, _ = batch()
    members = (target < 3) if kept == "positive" else (target >= 3)
    logits, target = logits[members], target[members]
    logits.requires_grad_()
    found = positive_unlabelled(logits, target, PARTICLES, 0.3)
    log_probability = log_softmax(logits.detach().numpy().astype(float), axis=1)
    if kept == "positive":
        expected = -0.3 * log_probability[np.arange(len(target)), target.numpy()].mean()
    else:
        expected = -logsumexp(log_probability[:, 3:], axis=1).mean()
    assert found.item() == pytest.approx(expected, rel=1e-5)
    found.backward()
    assert torch.isfinite(logits.grad).all()


def test_one_window_of_a_kind_counts_in_full():
    logits, _, _ = batch(2, 2)
    target = torch.tensor([0, 1])
    found = positive_unlabelled(logits, target, torch.tensor([0]), 0.3).item()
    assert found == pytest.approx(non_negative_risk(logits, target, [0], 0.3), rel=1e-5)
    positive = positive_unlabelled(logits[:1], target[:1], torch.tensor([0]), 0.3).item()
    assert positive == pytest.approx(0.3 * soft_cross_entropy(logits[:1], np.eye(2)[:1]), rel=1e-5)


def boundary(loss, x, target):
    """Where a linear classifier of one number changes its mind, after fitting to all of them."""
    weight = torch.zeros(2, 2, requires_grad=True)  # slope and offset of each class
    optimizer = torch.optim.LBFGS([weight], max_iter=100, line_search_fn="strong_wolfe")
    values = torch.stack([x, torch.ones_like(x)], dim=1)
    heat = functional.one_hot(target, 2).float()

    def risk():
        optimizer.zero_grad()
        value = loss(values @ weight, target, heat)
        value.backward()
        return value

    optimizer.step(risk)
    slope, offset = (weight[:, 0] - weight[:, 1]).tolist()
    return -offset / slope


def test_positive_unlabelled_finds_the_supervised_boundary():
    """A third of the unlabelled numbers are positive; plain cross-entropy takes them at their word.

    Numbers of the two kinds are normal around 1 and -1. Both kinds are distinguished where their
    densities, weighted by the prior, are equal: at ln(2) / 2.
    """
    rng = np.random.default_rng(0)
    prior, count = 1 / 3, 3000
    unlabelled = np.concatenate([rng.normal(1, 1, count // 3), rng.normal(-1, 1, 2 * count // 3)])
    labelled = rng.normal(1, 1, 1000)
    x = torch.from_numpy(np.concatenate([labelled, unlabelled])).float()
    target = torch.from_numpy(np.repeat([0, 1], [len(labelled), count]))
    truth = torch.from_numpy(np.repeat([0, 1], [count // 3, 2 * count // 3]))
    plain = chosen("cross_entropy", ("particle", "background"), label_smoothing=0.0)

    def informed(logits, target, _heat):
        return positive_unlabelled(logits, target, torch.tensor([0]), prior)

    supervised = boundary(plain, torch.from_numpy(unlabelled).float(), truth)
    assert supervised == pytest.approx(np.log(2) / 2, abs=0.1)
    assert boundary(informed, x, target) == pytest.approx(supervised, abs=0.15)
    assert boundary(plain, x, target) > supervised + 0.5


@pytest.mark.parametrize(
    ("classes", "particles"),
    [
        (FIVE, [0, 1, 2]),
        (("background", "particle"), [1]),
        (("top", "side", "irregular", "negative"), [0, 1, 2]),
    ],
)
def test_positives_are_the_particle_classes(classes, particles):
    logits, target, heat = batch(classes=len(classes))
    found = chosen("positive_unlabelled", classes)(logits, target, heat)
    expected = non_negative_risk(logits, target, particles, 0.05)
    assert found.item() == pytest.approx(expected, rel=1e-5)


def test_the_configured_loss_is_chosen():
    logits, target, heat = batch()
    found = [
        chosen(name)(logits, target, heat).item()
        for name in ("cross_entropy", "heat_map", "positive_unlabelled")
    ]
    smooth = 0.95 * np.eye(5)[target] + 0.01, 0.95 * heat.numpy() + 0.01
    expected = [soft_cross_entropy(logits, wanted) for wanted in smooth]
    expected.append(non_negative_risk(logits, target, [0, 1, 2], 0.05))
    assert found == pytest.approx(expected, rel=1e-5)
    assert len({round(value, 3) for value in found}) == 3


def test_a_step_of_sgd_is_one_on_the_loss_with_l2():
    """Eq. 10 and 11: weight decay w adds w / 2 ||W||^2 to the loss, epsilon is w / 2."""
    logits, target, heat = batch()
    decay, rate = 0.3, 0.1
    config = TrainerConfig(optimizer="sgd", learning_rate=rate, weight_decay=decay)
    loss = chosen("cross_entropy", label_smoothing=0.0)
    start = torch.randn(5, 5, generator=torch.Generator().manual_seed(0))

    weight = start.clone().requires_grad_()
    optimizer = build_optimizer([weight], config)
    expected, velocity = start.clone(), torch.zeros(5, 5)
    for _ in range(3):
        optimizer.zero_grad()
        loss(logits @ weight, target, heat).backward()
        optimizer.step()

        by_hand = expected.clone().requires_grad_()
        energy = loss(logits @ by_hand, target, heat) + decay / 2 * (by_hand**2).sum()
        (gradient,) = torch.autograd.grad(energy, by_hand)
        velocity = 0.9 * velocity + gradient
        expected = expected - rate * velocity
        torch.testing.assert_close(weight.detach(), expected)
