"""Cells of optics tables: unknown is unknown, and what is written is known or a placeholder."""

import pytest

from deepcryopicker.errors import UsageError
from deepcryopicker.io.star.optics_groups import (
    Optics,
    optics_notes,
    optics_table,
    optics_warning,
    placeholder,
    with_own_numbers,
)
from deepcryopicker.io.star.optics_reading import read_optics

NAMES = "\ndata_micrographs\n\nloop_\n_rlnMicrographName #1\n_rlnOpticsGroup #2\na.mrc {}\n"
COLUMNS = ("rlnOpticsGroup", "rlnOpticsGroupName", "rlnVoltage", "rlnMicrographPixelSize")


def table(*rows, columns=COLUMNS):
    return "data_optics\n\nloop_\n" + "".join(f"_{c}\n" for c in columns) + "\n".join(rows) + "\n"


def listed(columns, row, name="micrographs"):
    labels = "".join(f"_{c}\n" for c in ("rlnMicrographName", *columns))
    return f"data_{name}\n\nloop_\n{labels}a.mrc {row}\n"


@pytest.fixture
def read(tmp_path):
    def read_text(text):
        path = tmp_path / "list.star"
        path.write_text(text)
        return read_optics(path)

    return read_text


def refusal(read, text):
    with pytest.raises(UsageError) as error:
        read(text)
    assert str(error.value).count("\n") == 1
    return str(error.value)


@pytest.mark.parametrize("cell", ["<NA>", "nan", "None", "null", "NA", '""', "?", "NaN", "-nan"])
def test_what_is_stated_to_be_unknown_is_unknown_without_a_word(read, cell, tmp_path):
    (one,) = read(table(f"1 one 200 {cell}") + NAMES.format(1)).values()
    assert one.pixel_size is None
    assert optics_warning(tmp_path, [one], sized=False) is None
    (one,) = read(table(f"1 one {cell} 1.5") + NAMES.format(1)).values()
    assert (one.pixel_size, dict(one.values)["rlnVoltage"]) == (1.5, "300.000000")
    (note,) = optics_notes([one])
    assert note.startswith("voltage, Cs and amplitude contrast are placeholders: set those of")
    assert one.made_up[0] == "rlnVoltage"


@pytest.mark.parametrize("cell", ["0", "-1", "inf", "1,77", "4e-10", "1e6", "1_0", "x", "1.5A"])
def test_what_cannot_be_a_pixel_size_is_unknown_with_a_warning(read, cell, tmp_path):
    (one,) = read(table(f"1 one 200 {cell}") + NAMES.format(1)).values()
    assert one.pixel_size is None
    warning = optics_warning(tmp_path, [one, one], sized=False)
    assert f"rlnMicrographPixelSize '{cell}' of optics group 1 counts as unknown;" in warning
    assert "dataset.pixel_size=ANGSTROM" in warning
    assert optics_warning(tmp_path, [one], sized=True) is None
    assert one.with_pixel_size(1.5).pixel_size == 1.5


@pytest.mark.parametrize("size", [0.0, -1.0, float("inf"), float("nan"), 4e-10])
def test_a_pixel_size_that_is_none_is_not_taken_from_elsewhere(size):
    assert placeholder(size).pixel_size is None
    assert placeholder(1.5).with_pixel_size(size).pixel_size == 1.5


@pytest.mark.parametrize(
    ("group", "name", "cell"),
    [
        ("1", "one", "1.000000"),
        ("1.000000", "one", " 01"),
        ("1", "one", "one"),
        ("one", "one", "one"),
        ("<NA>", "one", "1"),
        ("1", "<NA>", "1"),
        ("1", "one", "<NA>"),
    ],
)
def test_groups_by_number_or_word(read, group, name, cell):
    (one,) = read(table(f"{group} {name} 200 1.5") + NAMES.format(cell)).values()
    assert (one.group, one.pixel_size) == (1, 1.5)
    assert dict(one.values)["rlnOpticsGroupName"] == ("opticsGroup1" if name == "<NA>" else name)


def test_several_groups_by_word_get_numbers_of_their_own(read):
    text = table("grid_a a 200 1.5", "2 b 200 2.5", "-4 c 200 3.5") + NAMES.format("grid_a")
    found = read(text + "b.mrc b\nc.mrc -4\n")
    assert [(one.group, one.pixel_size) for one in found.values()] == [(1, 1.5), (2, 2.5), (3, 3.5)]


def test_one_row_serves_micrographs_without_a_group(read):
    (one,) = read(table("7 g 200 1.5") + listed((), "")).values()
    assert (one.group, one.pixel_size) == (7, 1.5)
    message = refusal(read, table("1 g 200 1.5", "2 h 200 1.5") + listed((), ""))
    assert "several groups, and a.mrc has no column rlnOpticsGroup" in message
    named = listed(("rlnOpticsGroupName",), "h")
    (one,) = read(table("1 g 200 1.5", "2 h 200 2.5") + named).values()
    assert one.pixel_size == 2.5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (table("1 g 200 1.5", "01 g 300 1.5") + NAMES.format(1), "optics group 01 twice"),
        (table("1 g 200 1.5") + NAMES.format(2), "optics group 2 of a.mrc is not in data_optics"),
        (table("1 g 200 1.5", "2 h 200 1.5") + NAMES.format("<NA>"), "optics group <NA> of a.mrc"),
        (
            table("1 g 200 1.5", "2 h 200 2.5") + NAMES.format(1) + "a.mrc 2\n",
            "a.mrc is of rlnOpticsGroup '1' and, in line",
        ),
        (table("1 g 200 1.5 6") + NAMES.format(1), "has 5 cells"),
    ],
)
def test_what_cannot_be_decided_is_refused(read, text, message):
    assert message in refusal(read, text)


def test_optics_after_the_micrographs_and_as_single_values(read):
    single = "data_optics\n_rlnOpticsGroup 1\n_rlnOpticsGroupName g\n_rlnMicrographPixelSize 1.5\n"
    for text in (single + NAMES.format(1), NAMES.format(1) + "\n" + single):
        (one,) = read(text).values()
        assert one.pixel_size == 1.5
    twice = table("1 g 200 1.5", "1 g 200 1.5") + NAMES.format(1) + "a.mrc 1.0\n"
    assert read(twice)["a.mrc"].pixel_size == 1.5


OF_3_0 = ("rlnVoltage", "rlnMagnification", "rlnDetectorPixelSize")


@pytest.mark.parametrize(
    ("row", "size"),
    [
        ("300 50000 5", 1.0),
        ("300 10000 3.54", 3.54),
        ("300 0 5", None),
        ("300 -1 5", None),
        ("300 1e12 5", None),
        ("300 <NA> 5", None),
        ("300 50000 0", None),
        ("300 1 5", None),
    ],
)
def test_magnification_of_relion_3_0(read, tmp_path, row, size):
    (one,) = read(listed(OF_3_0, row, "")).values()
    assert one.pixel_size == size
    assert dict(one.values)["rlnSphericalAberration"] == "2.700000"
    warned = optics_warning(tmp_path, [one], sized=False) is not None
    assert warned == (size is None)


def test_magnification_in_data_optics_and_pixel_size_in_rows(read):
    columns = ("rlnOpticsGroup", "rlnMagnification", "rlnDetectorPixelSize")
    (one,) = read(table("1 50000 5", columns=columns) + NAMES.format(1)).values()
    assert one.pixel_size == 1.0
    assert "rlnMagnification" not in dict(one.values)
    rows = listed(("rlnOpticsGroup", "rlnMicrographPixelSize"), "1 2.5")
    (one,) = read(table("1 g 300 <NA>") + rows).values()
    assert one.pixel_size == 2.5


def test_pixel_sizes_of_movies_and_particles_are_not_that_of_micrographs(read, tmp_path):
    columns = ("rlnOpticsGroup", "rlnMicrographOriginalPixelSize", "rlnImagePixelSize")
    (one,) = read(table("1 0.5 2.0", columns=columns) + NAMES.format(1)).values()
    assert one.pixel_size is None
    assert dict(one.values)["rlnMicrographOriginalPixelSize"] == "0.5"
    assert "rlnImagePixelSize" not in dict(one.values)
    warning = optics_warning(tmp_path, [one], sized=False)
    assert "there is only rlnMicrographOriginalPixelSize '0.5'" in warning
    particles = listed((*OF_3_0, "rlnImageName"), "300 50000 5 1@a.mrcs", "particles")
    (one,) = read(particles).values()
    assert one.pixel_size is None


def test_groups_that_lack_columns_get_placeholders(read):
    both = [
        Optics(1, (("rlnOpticsGroupName", "a"), ("rlnMicrographPixelSize", "1.5"))),
        Optics(2, (("rlnOpticsGroupName", "b"), ("rlnMtfFileName", "k3.star"))),
    ]
    columns, rows = optics_table(both)
    first, second = (dict(zip(columns, row, strict=True)) for row in rows)
    assert first["rlnMtfFileName"] == ""
    assert second["rlnMicrographPixelSize"] == "1.000000"
    (note,) = optics_notes(both)
    assert note.startswith("pixel size of optics group 2 unknown")


def test_different_groups_of_one_number_are_numbered_anew():
    one, other = placeholder(1.5), placeholder(2.5)
    found = with_own_numbers([one, other, one, Optics(2, ())])
    assert [each.group for each in found] == [1, 3, 1, 2]
    names = [dict(each.values).get("rlnOpticsGroupName") for each in found]
    assert names == ["opticsGroup1", "opticsGroup1_3", "opticsGroup1", None]


def test_texts_that_no_cell_can_hold_are_changed(read):
    (one,) = read(table("1 'a \"b\" c' 200 1.5") + NAMES.format(1)).values()
    assert dict(one.values)["rlnOpticsGroupName"] == "a 'b' c"
