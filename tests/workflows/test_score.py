"""One table of scores for several files: what is kept of files that are odd, and what is in the header."""

from pathlib import Path

import fitsio
import numpy as np
import pytest

from qnet_tui.errors import BadInput
from qnet_tui.workflows.score import score
from qnet_tui.workflows.score_settings import ScoreSettings, score_settings
from tests.spectra.written_files import desi_images
from tests.workflows.scoring import write_empty_coadd, write_network, write_pair


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_network(tmp_path_factory.mktemp("network") / "qn.h5")


def test_odd_files_beside_a_good_one(weights: Path, tmp_path: Path):
    images = desi_images(4, n_pixels=400, step=4.0)
    for letter in "BRZ":
        images[f"{letter}_IVAR"][2] = 0
    write_pair(tmp_path, "1-1-thru20210101", images=images)
    write_empty_coadd(tmp_path / "coadd-2-1-thru20210101.fits")
    (tmp_path / "coadd-3-1-thru20210101.fits").write_bytes(b"")
    result = score([str(tmp_path)], weights, tmp_path / "s.fits", score_settings(c_threshold=0.0))
    assert (result.rows, result.scored, result.quasars) == (4, 3, 3)
    assert result.unscored == {"no data in any arm": 1}
    assert [Path(one.path).name for one in result.left] == [
        "coadd-3-1-thru20210101.fits",
        "redrock-1-1-thru20210101.fits",
    ]
    assert [one.reason for one in result.notes] == ["the coadd has no rows"]
    rows = fitsio.read(tmp_path / "s.fits", ext="QN_SCORES")
    assert rows["TARGETID"].tolist() == [11, 12, -13, 14]
    assert rows["IS_QSO"].tolist() == [True, True, False, True]
    assert np.isnan(rows["ZBEST"]).tolist() == [False, False, True, False]
    assert rows["FILE"].tolist() == [0] * 4


def test_an_empty_coadd_alone_is_a_table_without_rows(weights: Path, tmp_path: Path):
    coadd = write_empty_coadd(tmp_path / "coadd-2-1-thru20210101.fits")
    assert score([str(coadd)], weights, tmp_path / "s.fits").rows == 0
    with fitsio.FITS(str(tmp_path / "s.fits")) as fits:
        assert fits["QN_SCORES"].get_nrows() == 0


@pytest.mark.parametrize("name", ["out.h5", "nowhere/out.fits", "folder.fits"])
def test_where_nothing_can_be_written_is_said_before_anything_is_scored(weights: Path, tmp_path: Path, name: str):
    write_pair(tmp_path, "1-1-thru20210101", images=desi_images(4, n_pixels=400, step=4.0))
    (tmp_path / "folder.fits").mkdir()
    told: list[str] = []
    with pytest.raises(BadInput, match=Path(name).name):
        score([str(tmp_path / "coadd-1-1-thru20210101.fits")], weights, tmp_path / name,
              progress=lambda stage, *_: told.append(stage))  # fmt: skip
    assert told == []


def test_an_input_is_never_overwritten(weights: Path, tmp_path: Path):
    coadd, _ = write_pair(tmp_path)
    before = coadd.read_bytes()
    with pytest.raises(BadInput, match="overwrite"):
        score([str(coadd)], weights, coadd)
    assert coadd.read_bytes() == before


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, ScoreSettings(0.95, 1)),
        ({"pipeline": "dr1"}, ScoreSettings(0.5, 1, pipeline="dr1", constant_width=0.1)),
        ({"pipeline": "current", "n_lines": 2}, ScoreSettings(0.5, 2, pipeline="current")),
        ({"afterburner": True}, ScoreSettings(0.5, 1, afterburner=True, pipeline="current")),
        (
            {"afterburner": True, "pipeline": "dr1", "rule": "paper", "c_threshold": 0.0},
            ScoreSettings(0.0, 1, afterburner=True, pipeline="dr1", rule="paper", constant_width=0.1),
        ),
    ],
)
def test_a_pipeline_sets_what_is_not_given(asked: dict, expected: ScoreSettings):
    assert score_settings(**asked) == expected


def test_settings_in_words():
    assert score_settings().words(0.16287) == "quasar at c > 0.95 in 1 line, offsets as-trained"
    asked = score_settings(afterburner=True, pipeline="dr1", n_lines=2, extrapolate=True, rule="paper")
    assert asked.words(0.16287) == (
        "pipeline dr1, quasar at c > 0.5 in 2 lines, offsets as-trained, decoded past the ends of the grid, "
        "rule paper, prior width 0.1"
    )
