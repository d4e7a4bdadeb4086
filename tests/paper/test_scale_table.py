"""Scale factors of the paper's Table 4."""

import pytest

from deepcryopicker.paper.scale_table import COLUMNS, INPUT, TABLE_4, MeasuredDataset, scale_rows


def published():
    """The patches that the paper measured, in its micrographs."""
    names = dict.fromkeys(name for name, _ in TABLE_4)
    return [
        MeasuredDataset(
            name,
            next(one.shape for (other, _), one in TABLE_4.items() if other == name),
            100.0,
            {view: one.side for (other, view), one in TABLE_4.items() if other == name},
        )
        for name in names
    ]


def test_the_published_patches_have_the_published_factors():
    rows = scale_rows(published())
    assert [row["factor"] for row in rows] == [2.375, 1.0, 1.0, 0.625]
    assert all(row["factor"] == row["paper_factor"] for row in rows)
    assert all(row["factor_at_paper_size"] == row["factor"] for row in rows)
    assert [row["scaled"] for row in rows] == [223.25, 187, 221, 200]


def test_the_largest_patch_of_a_dataset_sets_the_factor_of_all_its_views():
    """221 pixels fill a window of 227 at 1.0; alone, 94 would be doubled and more."""
    rows = scale_rows(
        [
            MeasuredDataset("mine", (100, 200), 70.0, {"top": 94.0, "side": 221.0}),
            MeasuredDataset("other", (100, 200), 70.0, {"top": 94.0}),
        ]
    )
    assert [row["factor"] for row in rows] == [1.0, 1.0, 2.375]
    assert [row["scaled"] for row in rows] == [94.0, 221.0, 223.25]
    assert {row["paper_factor"] for row in rows} == {None}


@pytest.mark.parametrize("side", [30.0, 94.0, 221.0, 320.0, 1000.0])
def test_the_factor_is_the_largest_at_which_the_patch_fits_the_window(side):
    (row,) = scale_rows([MeasuredDataset("m", (100, 100), 50.0, {"top": side})])
    assert row["factor"] * side <= INPUT
    assert (row["factor"] + 0.125) * side > INPUT


def test_a_binned_dataset_has_the_papers_factor_at_the_papers_size():
    """Patches of 160 pixels in 2048 are those of 320 in 4096."""
    (row,) = scale_rows([MeasuredDataset("ribosome", (2048, 2048), 92.0, {"irregular": 160.0})])
    assert (row["factor"], row["factor_at_paper_size"], row["paper_factor"]) == (
        1.375,
        0.625,
        0.625,
    )


def test_sizes_are_written_width_first_and_what_the_paper_leaves_out_is_empty():
    (row,) = scale_rows([MeasuredDataset("klh", (301, 400), 150.0, {"top": 227.0})])
    assert (row["micrograph"], row["scaled_micrograph"]) == ("400x301", "400x302")
    assert (row["paper_scaled"], row["paper_micrograph"]) == (None, None)
    assert set(row) == set(COLUMNS)
