"""Sheets of classified windows say what was said of them; confusions are counted in a matrix."""

import numpy as np
import pytest
from matplotlib.colors import to_hex
from PIL import Image

from deepcryopicker.plots import classified_windows
from deepcryopicker.plots.classified_windows import confusion_figure, patch_sheet
from deepcryopicker.plots.result_figures import COLOURS

CLASSES = ("top", "side", "irregular", "background", "negative")
RIGHT, WRONG = COLOURS[0].lower(), COLOURS[1].lower()
SIDE = 16


@pytest.fixture
def drawn(monkeypatch):
    """Collect the figures instead of writing them."""
    kept = []
    monkeypatch.setattr(classified_windows, "save_figure", lambda figure, path: kept.append(figure))
    return kept


def classified(per_class=12, classes=CLASSES, mistakes=2, seed=0):
    """Windows of noise, by class; the first of each class are mistaken for the next class.

    Probabilities of what is said differ from window to window, and so do those of the truth.
    """
    rng = np.random.default_rng(seed)
    target = np.repeat(np.arange(len(classes)), per_class)
    number = np.tile(np.arange(per_class), len(classes))
    said = np.where(number < mistakes, (target + 1) % len(classes), target)
    probability = np.full((len(target), len(classes)), 0.01)
    rows = np.arange(len(target))
    probability[rows, target] = 0.02 + 0.01 * (number % 12)
    probability[rows, said] = 0.55 + 0.03 * (number % 12)
    windows = rng.normal(0, 1, (len(target), SIDE, SIDE))
    return windows.astype(np.float32), target, probability.astype(np.float32)


def sheet(drawn, data, classes=CLASSES, per_class=12):
    patch_sheet("not.png", *data, classes, per_class)
    return drawn[-1].axes


def slots_of(axes, per_class=12):
    """What the windows of a row show, by their slot."""
    shown = np.asarray(axes.images[0].get_array())
    return [shown[:, left : left + SIDE] for left in range(0, per_class * (SIDE + 2) - 2, SIDE + 2)]


def numbers_of(axes, windows):
    """Which of `windows` are shown: stretched to black and white, but easy to distinguish."""
    slots = [slot for slot in slots_of(axes) if not (slot == 1.0).all()]
    likeness = np.corrcoef([*map(np.ravel, slots), *map(np.ravel, windows)])
    likeness = likeness[: len(slots), len(slots) :]
    assert (likeness.max(axis=1) > 0.95).all()
    return likeness.argmax(axis=1).tolist()


@pytest.mark.thorough
def test_pictures_are_written_and_the_same_twice(tmp_path):
    matrix = np.arange(25).reshape(5, 5)
    for name in "ab":
        patch_sheet(tmp_path / f"sheet_{name}.png", *classified(), CLASSES)
        confusion_figure(tmp_path / f"confusion_{name}.png", matrix, CLASSES)
    for kind in ("sheet", "confusion"):
        one, other = (tmp_path / f"{kind}_{name}.png" for name in "ab")
        assert one.read_bytes() == other.read_bytes()
        with Image.open(one) as image:
            assert image.format == "PNG"
            assert min(image.size) > 400
    assert len(list(tmp_path.iterdir())) == 4


def test_each_class_has_a_row_with_its_accuracy(drawn):
    rows = sheet(drawn, classified(mistakes=3))
    assert [axes.get_title(loc="left") for axes in rows] == [
        f"{name}: 12 windows, 75.0% right, worst errors last" for name in CLASSES
    ]


def test_what_was_said_is_written_in_the_colour_of_right_or_wrong(drawn):
    rows = sheet(drawn, classified())
    for index, axes in enumerate(rows):
        found = [(text.get_text(), to_hex(text.get_color())) for text in axes.texts]
        right = [(f"{CLASSES[index]} {0.55 + 0.03 * number:.2f}", RIGHT) for number in range(2, 12)]
        wrong = [(f"{CLASSES[(index + 1) % 5]} {0.55 + 0.03 * n:.2f}", WRONG) for n in range(2)]
        assert found == right + wrong


def test_texts_stand_below_the_windows_that_they_are_of(drawn):
    data = classified()
    axes = sheet(drawn, data)[0]
    for slot, (text, number) in enumerate(
        zip(axes.texts, numbers_of(axes, data[0][:12]), strict=True)
    ):
        x, y = text.get_position()
        assert slot * (SIDE + 2) < x < slot * (SIDE + 2) + SIDE
        assert y > SIDE - 1
        assert text.get_text().endswith(f" {0.55 + 0.03 * number:.2f}")


def test_the_worst_mistakes_are_shown(drawn):
    """Of forty mistakes the six with the least probability of the truth, the worst first."""
    data = classified(per_class=60, mistakes=40)
    windows, _, probability = data
    worst = [33, 4, 21, 8, 15, 39]
    for rank, number in enumerate(worst):
        probability[number, 0] = 0.001 * (rank + 1)
    axes = sheet(drawn, data)[0]
    shown = numbers_of(axes, windows)
    assert shown[6:] == worst
    # The others are right, from the first to the last of them.
    assert shown[:6] == [40, 44, 48, 51, 55, 59]
    assert [to_hex(text.get_color()) for text in axes.texts] == [RIGHT] * 6 + [WRONG] * 6


def test_few_windows_leave_slots_free(drawn):
    data = classified(per_class=3, mistakes=1)
    axes = sheet(drawn, data)[0]
    assert len(axes.texts) == 3
    assert numbers_of(axes, data[0]) == [1, 2, 0]
    assert all((slot == 1.0).all() for slot in slots_of(axes)[3:])


@pytest.mark.parametrize("mistakes", [0, 5])
def test_classes_of_which_all_are_right_or_wrong_are_shown(drawn, mistakes):
    axes = sheet(drawn, classified(per_class=5, mistakes=mistakes))[0]
    assert {to_hex(text.get_color()) for text in axes.texts} == {WRONG if mistakes else RIGHT}
    assert len(axes.texts) == 5


def test_a_class_without_windows_is_left_out(drawn):
    windows, target, probability = classified()
    kept = target != 1
    rows = sheet(drawn, (windows[kept], target[kept], probability[kept]))
    names = [axes.get_title(loc="left").split(":")[0] for axes in rows]
    assert names == ["top", "irregular", "background", "negative"]
    # It may still be what others are mistaken for.
    assert rows[0].texts[-1].get_text().startswith("side ")


def test_counts_of_the_matrix_stand_in_their_cells(drawn):
    matrix = np.array([[90, 10, 0], [0, 0, 0], [30, 20, 50]])
    confusion_figure("not.png", matrix, ("top", "side", "background"))
    (axes,) = drawn[0].axes
    found = {text.get_position(): text.get_text() for text in axes.texts}
    assert found == {
        (column, row): str(matrix[row, column]) for row in range(3) for column in range(3)
    }
    share = [[0.9, 0.1, 0], [0, 0, 0], [0.3, 0.2, 0.5]]
    np.testing.assert_allclose(axes.images[0].get_array(), share)
    assert [label.get_text() for label in axes.get_yticklabels()] == ["top", "side", "background"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("Predicted", "True")
    # Legible on its shade.
    assert {t.get_text(): t.get_color() for t in axes.texts}["90"] == "white"
    assert {t.get_text(): t.get_color() for t in axes.texts}["10"] == "black"
