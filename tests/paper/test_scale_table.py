"""Scale factors of the paper's Table 4."""

from deepcryopicker.paper.scale_table import COLUMNS, TABLE_4, ScaleExample, scale_rows


def test_the_largest_patch_of_a_dataset_sets_the_factor_of_all_its_views():
    """221 pixels fill a window of 227 at 1.0; alone, 94 would be doubled and more."""
    examples = (
        ScaleExample("klh", "top", 94, (100, 200), 1.0),
        ScaleExample("klh", "side", 221, (100, 200), 1.0),
        ScaleExample("other", "top", 94, (100, 200), 2.375),
    )
    rows = scale_rows(examples)
    assert [row["factor"] for row in rows] == [1.0, 1.0, 2.375]
    assert [row["scaled"] for row in rows] == [94.0, 221.0, 223.25]


def test_the_factor_is_the_largest_at_which_every_patch_fits_the_window():
    largest = {
        one.dataset: max(o.side for o in TABLE_4 if o.dataset == one.dataset) for one in TABLE_4
    }
    for example, row in zip(TABLE_4, scale_rows(TABLE_4), strict=True):
        assert row["factor"] * largest[example.dataset] <= 227
        assert (row["factor"] + 0.125) * largest[example.dataset] > 227


def test_sizes_are_written_width_first_and_what_the_paper_leaves_out_is_empty():
    (row,) = scale_rows((ScaleExample("a", "top", 227, (300, 400), 1.0),))
    assert (row["micrograph"], row["scaled_micrograph"]) == ("400x300", "400x300")
    assert (row["paper_scaled"], row["paper_micrograph"]) == (None, None)
    assert set(row) == set(COLUMNS)
