"""Image files of other programs beside micrographs: which one is the micrograph."""

import shlex

import numpy as np
import pytest
import tifffile

from deepcryopicker.dataset.left_out.advice import as_typed
from deepcryopicker.dataset.left_out.reasons import Reason
from deepcryopicker.dataset.listing import NoMicrographsError, list_micrographs
from deepcryopicker.errors import UsageError

EPU = "FoilHole_9015883_Data_9017347_6_20250108_154915"
# Files, blank-separated: the first are the micrographs, those after the bar are left out.
FOLDERS = {
    "RELION and MotionCor2": "a1.mrc b1.mrc | a1_noDW.mrc b1_noDW.mrc a1_PS.mrc b1_ps.mrc "
    "a1_EVN.mrc a1_ODD.mrc",
    "RELION job": "Movies/a1.mrc | Movies/a1_noDW.mrc Movies/a1_PS.mrc Movies/a1_EVN.mrc",
    "movies alone": "movies/a1.mrc movies/b1_fractions.mrc |",
    "MotionCor2 alone": "a1_DW.mrc b1_DW.mrc | a1.mrc a1_DWS.mrc b1.mrc b1_DWS.mrc",
    "short sums": "a1_DWS.mrc | a1.mrc",
    "only weighted": "a1_DW.mrc b1_DW.mrc |",
    "only unweighted": "a1_noDW.mrc b1_noDW.mrc |",
    "only one half": "a1_EVN.mrc b1_EVN.mrc |",
    "mixed case": "a1.MRC | A1_NODW.mrc a1_Ctf.mrc a1_Mask.mrc A1_thumbnail.PNG",
    "cryoSPARC": "motioncorrected/007_a_patch_aligned_doseweighted.mrc | "
    "motioncorrected/007_a_patch_aligned.mrc motioncorrected/007_a_background.mrc "
    "thumbnails/007_a_patch_aligned_thumb_@1x.png ctfestimated/007_a_ctf_diag_2D.mrc "
    "motioncorrected/007_a_patch_aligned_even.mrc motioncorrected/007_a_denoised.mrc "
    "extract/007_a_patch_aligned_particles.mrc",
    "cryoSPARC of MRC movies": "a.mrc_patch_aligned_doseweighted.mrc | a.mrc_patch_aligned.mrc",
    "Warp": "average/a1.mrc average/b1.mrc | a1.tif b1.tif deconv/a1.mrc powerspectrum/a1.mrc "
    "mask/a1.tif average/odd/a1.mrc average/even/a1.mrc thumbnails/a1.png average/denoised/a1.mrc",
    "SIMPLE": "m1_intg.mrc | m1_forctf.mrc m1_pspec.mrc m1_thumb.jpg m1_deconv.mrc",
    "Scipion": "m1_aligned_mic_DW.mrc | m1_aligned_mic.mrc m1_aligned_mic_DW_ctf.mrc "
    "m1_global_shifts.png m1_psd.jpg m1_aligned_mic_thumbnail.png",
    "Leginon": "s_00003gr_00012sq_v02_00002hl_00003en-a-DW.mrc | s_00003gr.mrc "
    "s_00003gr_00012sq_v02.mrc s_00003gr_00012sq_v02_00002hl.mrc "
    "s_00003gr_00012sq_v02_00002hl_00003en.mrc s_00003gr_00012sq_v02_00002hl_00003en-a.mrc",
    "EPU": f"Disc1/GridSquare_1/Data/{EPU}.mrc | Disc1/GridSquare_1/Data/{EPU}.jpg "
    f"Disc1/GridSquare_1/Data/{EPU}_Fractions.mrc Disc1/GridSquare_20250108_151151.jpg "
    "Disc1/GridSquare_1/FoilHoles/FoilHole_9015889_20250108_154715.mrc Atlas/Tile_001_002_1.mrc "
    "Atlas/Atlas_1.jpg GridSquare_20250108_151151.mrc FoilHole_9015889_20250108_154715.mrc",
    "cisTEM": "Images/a1_0_auto_ali.mrc | Images/Spectra/a1.mrc Images/Scaled/a1_0_auto_ali.mrc "
    "CTF/a1_CTF_0.mrc",
    "RELION project": "MotionCorr/job002/Movies/a1.mrc | Movies/a1.tiff "
    "Extract/job007/Movies/a1.mrcs Class3D/job010/run_it025_class001.mrc MaskCreate/job011/m.mrc",
    "trash": "MotionCorr/job002/a1.mrc | Trash/MotionCorr/job001/a1.mrc",
    "sizes and filters": "a1.mrc | a1_bin4.mrc a1_lp20.mrc bin2/a1.mrc ps/a1.mrc",
    "references": "a1.mrc gain_corrected_b1.mrc | gain.mrc 1-Gain-Ref.-x1.m3.kv[300].mrc "
    "K3-gain-ref.mrc defects.tif 20200101_gain_x1.tiff CountRef_1.mrc SuperRef_1.mrc dark.mrc",
    "prefixes": "a1.mrc | mask_a1.mrc denoised_a1.mrc thumb_a1.png ctf_a1.png preview_a1.jpg",
    "previews": "a1.tif b1.mrc | a1.jpg a1_picks.png b1.png",
    "previews elsewhere": "mrc/a1.mrc mrc/b1.mrc | png/a1.png png/b1.png",
    "pictures alone": "a1.png b1.png |",
    "compressed": "a1.mrc b1.mrc.gz | a1.mrc.gz",
    "stacks, maps and tomograms": "a1.mrc | a1.st b.map c.rec d.mrcs e.eer f.dm4",
    "folders of weighted and unweighted": "DW/a1.mrc DW/b1.mrc | noDW/a1.mrc noDW/b1.mrc",
    "grids": "grid1/a.mrc grid2/a.mrc grid1/b.mrc grid2/b.mrc |",
    "numbered": "a.mrc a_1.mrc a_2.mrc b.mrc b_1.mrc a_v02.mrc b_v02.mrc |",
    "one similar pair": "a1.mrc a1_tilted.mrc b1.mrc |",
    "upper and lower case": "a.mrc A.mrc |",
    "hidden": "a.mrc | ",
}


def fill(folder, names):
    for name in names.split():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


@pytest.mark.parametrize("files", FOLDERS.values(), ids=FOLDERS)
def test_micrographs_and_what_lies_beside_them(tmp_path, files):
    micrographs, _, others = files.partition("|")
    fill(tmp_path, f"{micrographs} {others} .a.mrc .snapshot/a.mrc notes.xml")
    found = list_micrographs(str(tmp_path))
    listed = [path.relative_to(tmp_path).as_posix() for _, path in found.micrographs]
    assert sorted(listed) == sorted(micrographs.split())
    left_out = {one.path.relative_to(tmp_path).as_posix(): one for one in found.left_out}
    assert sorted(left_out) == sorted(others.split())
    for one in left_out.values():
        assert one.used is None or one.used.relative_to(tmp_path).as_posix() in listed
    assert len(found.alike) == files.count("_tilted")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("a_PS.mrc", Reason.SPECTRUM),
        ("powerspectrum/a.mrc", Reason.SPECTRUM),
        ("a_ctf.mrc", Reason.CTF),
        ("a_diag_2D.mrc", Reason.CTF),
        ("junk-masks/b.png", Reason.MASK),
        ("a.background.mrc", Reason.BACKGROUND),
        ("gainrefs/x.mrc", Reason.REFERENCE),
        ("a_odd.mrc", Reason.HALF),
        ("a-no-dw.mrc", Reason.TWIN),
        ("a_non_dose_weighted.mrc", Reason.TWIN),
        ("b.mrc", None),
        ("a.frames.mrc", Reason.MOVIE),
        ("a.jpg", Reason.PREVIEW),
        ("b_eer.eer", Reason.FOREIGN),
    ],
)
def test_reasons(tmp_path, name, reason):
    fill(tmp_path, f"a.mrc {name}")
    found = [one.reason for one in list_micrographs(str(tmp_path)).left_out]
    assert found == ([] if reason is None else [reason])


# Files of which two may be one micrograph, and the files that each glob selects.
DOUBTS = {
    "formats": ("a1.mrc a1.tif b1.mrc b1.tif c1.mrc", ["a1.mrc b1.mrc c1.mrc", "a1.tif b1.tif"]),
    "pictures": ("a1.png a1.jpg", ["a1.jpg", "a1.png"]),
    "halves": (
        "a_EVN.mrc a_ODD.mrc b_EVN.mrc b_ODD.mrc",
        ["a_EVN.mrc b_EVN.mrc", "a_ODD.mrc b_ODD.mrc"],
    ),
    "unknown suffix": (
        "m_001.mrc m_001_foo.mrc m_002.mrc m_002_foo.mrc m_003.mrc m_001_PS.mrc",
        ["m_001.mrc m_002.mrc m_003.mrc", "m_001_foo.mrc m_002_foo.mrc"],
    ),
    "unknown prefix": (
        "m_001.mrc foo_m_001.mrc m_002.mrc foo_m_002.mrc",
        ["m_001.mrc m_002.mrc", "foo_m_001.mrc foo_m_002.mrc"],
    ),
    "names with letters": (
        "ab.mrc ab-x.mrc cd.mrc cd-x.mrc",
        ["ab.mrc cd.mrc", "ab-x.mrc cd-x.mrc"],
    ),
    "folders": (
        "raw/a.mrc raw/b.mrc denoised/a.mrc denoised/b.mrc",
        ["denoised/a.mrc denoised/b.mrc", "raw/a.mrc raw/b.mrc"],
    ),
    "folders of several grids": (
        "g1/a.mrc g1/a_foo.mrc g2/b.mrc g2/b_foo.mrc",
        ["g1/a.mrc g2/b.mrc", "g1/a_foo.mrc g2/b_foo.mrc"],
    ),
    "motion corrected twice": (
        "MotionCorr/job002/m/a.mrc MotionCorr/job005/m/a.mrc",
        ["MotionCorr/job002/m/a.mrc", "MotionCorr/job005/m/a.mrc"],
    ),
}


@pytest.mark.parametrize(("files", "choices"), DOUBTS.values(), ids=DOUBTS)
@pytest.mark.parametrize("place", ["data", "my [data]"])
def test_doubts_are_answered_with_globs_that_work(tmp_path, monkeypatch, files, choices, place):
    monkeypatch.chdir(tmp_path)
    fill(tmp_path / place, files)
    with pytest.raises(UsageError, match="may be the same micrograph") as error:
        list_micrographs(place)
    first, second = str(error.value).splitlines()
    assert "dataset.micrographs" in first
    typed = [
        word.partition("=")[2].strip('"')
        for word in shlex.split(second.partition(": ")[2].partition("; to use both")[0])
        if word.startswith("dataset.micrographs=")
    ]
    found = [
        sorted(path.relative_to(place).as_posix() for _, path in list_micrographs(glob).micrographs)
        for glob in typed
    ]
    assert sorted(found) == sorted(sorted(choice.split()) for choice in choices)


def test_movies_are_recognised_by_their_headers(tmp_path):
    for name in ("a1", "b1"):
        tifffile.imwrite(tmp_path / f"{name}.tif", np.zeros((5, 64, 48), np.uint8))
        tifffile.imwrite(tmp_path / f"{name}.tiff", np.zeros((64, 48), np.uint8))
    found = list_micrographs(str(tmp_path))
    assert [path.name for _, path in found.micrographs] == ["a1.tiff", "b1.tiff"]
    assert {one.reason for one in found.left_out} == {Reason.MOVIE}


def test_stacks_are_used_where_frames_are_averaged(tmp_path):
    fill(tmp_path, "a.mrcs")
    with pytest.raises(NoMicrographsError, match=r"1 stack of images, such as .*a\.mrcs"):
        list_micrographs(str(tmp_path))
    assert len(list_micrographs(str(tmp_path), stacks=True).micrographs) == 1


def test_a_folder_without_micrographs_says_what_it_holds(tmp_path):
    fill(tmp_path, "a_PS.mrc b_PS.mrc")
    with pytest.raises(NoMicrographsError) as error:
        list_micrographs(str(tmp_path))
    assert "left out: 2 power spectra" in str(error.value)
    fill(tmp_path, f"{EPU}_EER.eer {EPU}.jpg")
    with pytest.raises(NoMicrographsError, match="is an EER movie: run motion correction first"):
        list_micrographs(str(tmp_path))


def test_quotes_for_shell_and_hydra():
    for value in ("a/*.mrc", "a b/*[!x].mrc", "it's/*.mrc", 'a"b/*.mrc'):
        (word,) = shlex.split(as_typed("dataset.micrographs", value))
        plain = word.removeprefix("dataset.micrographs=")
        assert plain in (value, '"' + value.replace('"', '\\"') + '"')


PARTS = (
    *("a1", "b2", "c3", "x_001", "FoilHole_1_Data_2", "00003en"),
    *("-a", "_DW", "_noDW", "_PS", "mask_", "_foo", ".mrc_patch_aligned"),
)
SUFFIXES = (".mrc", ".tif", ".png", ".jpg", ".mrc.gz", ".st", ".eer", ".mrcs")
PLACES = (
    *("grid1/", "grid2/", "raw/", "denoised/", "odd/", "average/", "thumbnails/"),
    *("MotionCorr/job002/", "Sub/"),
)


@pytest.mark.parametrize("seed", range(4))
def test_random_names_are_used_or_left_out_once(tmp_path, seed):
    """Fifty random folders each: every image file is accounted for, and advice can be typed."""
    rng = np.random.default_rng(seed)
    for number in range(50):
        root = tmp_path / str(number)
        names = {
            "".join(
                (
                    *rng.choice(PLACES, rng.integers(0, 3)),
                    "m",
                    *rng.choice(PARTS, rng.integers(1, 4)),
                    rng.choice(SUFFIXES),
                )
            )
            for _ in range(rng.integers(1, 12))
        }
        fill(root, " ".join(names))
        try:
            found = list_micrographs(str(root))
        except UsageError as error:
            for word in shlex.split(str(error).partition("\n")[2].replace("; ", " ")):
                if word.startswith("dataset.micrographs=") and "LIST.txt" not in word:
                    glob = word.partition("=")[2].strip('"')
                    assert list_micrographs(glob).micrographs
            continue
        used = [path for _, path in found.micrographs]
        out = [one.path for one in found.left_out]
        assert sorted(used + out) == sorted(root / name for name in names)
        assert len(set(used + out)) == len(names)
