"""A diameter in pixels and in Angstrom, and what is said of another one."""

import pytest

from deepcryopicker.model.trained_diameter import ParticleDiameter, common_angstrom, doubt_about


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ((60.0, None, 2.0), (60.0, 120.0)),
        ((None, 120.0, 2.0), (60.0, 120.0)),
        ((60.0, None, None), (60.0, None)),
        ((None, 120.0, None), (None, 120.0)),
        ((30.0, 120.0, 2.0), (30.0, 120.0)),
    ],
)
def test_the_other_unit_follows_from_the_pixel_size(given, expected):
    assert ParticleDiameter.of(*given) == ParticleDiameter(*expected)


@pytest.mark.parametrize(
    ("diameters", "sizes", "expected"),
    [
        ([60.0, 60.0], [2.0, 2.0], 120.0),
        ([60.0, 30.0], [2.0, 4.0], 120.0),
        ([100.0], [1.7699999809], 177.0),
        ([60.0, 60.0], [2.0, 4.0], None),
        ([60.0, 60.0], [2.0, None], None),
    ],
)
def test_the_common_diameter_of_training_micrographs(diameters, sizes, expected):
    assert common_angstrom(diameters, sizes) == expected


@pytest.mark.parametrize(
    ("given", "trained", "doubted"),
    [
        ((30.0, 120.0), (60.0, 120.0), False),  # binned
        ((60.0, 240.0), (60.0, 120.0), True),
        ((60.0, None), (60.0, 120.0), False),
        ((50.0, None), (60.0, 120.0), True),
        ((None, 120.0), (60.0, None), False),  # not comparable
        ((60.5, None), (60.0, None), False),
        ((30.0, 120.0), (None, None), False),
    ],
)
def test_a_given_diameter_is_doubted_if_it_is_another(given, trained, doubted):
    text = doubt_about(ParticleDiameter(*given), ParticleDiameter(*trained))
    assert (text is not None) == doubted
    if text is not None:
        assert str(ParticleDiameter(*given)) in text
        assert str(ParticleDiameter(*trained)) in text
        assert "\n" not in text
