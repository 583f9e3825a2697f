"""The afterburner of one coadd, read back by a reader that was written from the data model alone."""

import gzip
import resource
import shutil
from pathlib import Path
from typing import Any

import fitsio
import numpy as np
import pytest

from qnet_tui.errors import BadInput, QnetError
from qnet_tui.workflows.afterburner import AfterburnerResult, afterburn
from qnet_tui.workflows.score import score
from qnet_tui.workflows.score_settings import score_settings
from tests.handover.qn_rr_reader import read_priors, read_qn_rr
from tests.spectra.written_files import desi_images, table
from tests.workflows.scoring import write_empty_coadd, write_network, write_pair

LOG_FACTOR = 2 * (10 ** (0.442 / 13) - 1)  # 443 pixels of 0.001 dex, 13 boxes


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_network(tmp_path_factory.mktemp("network") / "qn.h5")


def run(coadd: Path, weights: Path, target: Path, redrock: Path | None = None, **asked: Any) -> AfterburnerResult:
    settings = score_settings(afterburner=True, **asked)
    return afterburn([str(coadd)], weights, target, settings, redrock=redrock)


def check_priors(rows: np.ndarray, result: AfterburnerResult, redrock: Path, **how: Any) -> None:
    """The prior file against a rule and a width computed here from the QN_RR table."""
    priors, header = read_priors(Path(result.priors))
    kinds = fitsio.read(redrock, ext="REDSHIFTS")["SPECTYPE"]
    objtype = dict(fitsio.read(redrock, ext="FIBERMAP", columns=["TARGETID", "OBJTYPE"]).tolist())
    expected = []
    for row, kind in zip(rows, kinds, strict=True):
        z = float(row["Z_QN"])
        width = how.get("width", LOG_FACTOR * (1 + z))
        best = max(row[name] for name in rows.dtype.names if name.startswith("C_"))
        near = kind.strip() == "QSO" and abs(row["Z_RR"] - z) <= width / 2
        if best > how["c"] and objtype[row["TARGETID"]].strip() == "TGT" and not near:
            expected.append((int(row["TARGETID"]), z, width))
    assert [int(t) for t in priors["TARGETID"]] == [t for t, _, _ in expected]
    assert priors["Z"].tolist() == pytest.approx([z for _, z, _ in expected], rel=1e-6)
    assert priors["SIGMA"].tolist() == pytest.approx([width for _, _, width in expected], rel=1e-6)
    assert result.reruns == len(expected) == header["NPRIORS"]


@pytest.mark.parametrize(("pipeline", "how"), [("current", {}), ("dr1", {"width": 0.1})])
def test_simulated_pairs(survey: Path, weights: Path, tmp_path: Path, pipeline: str, how: dict[str, float]):
    coadd = sorted(survey.glob("coadd-*.fits"))[0]
    redrock = coadd.with_name(coadd.name.replace("coadd-", "redrock-"))
    result = run(coadd, weights, tmp_path / "qso_qn-x.fits", pipeline=pipeline)
    assert Path(result.priors) == tmp_path / "priors-x.fits"
    rows, header = read_qn_rr(tmp_path / "qso_qn-x.fits", redrock, dialect=pipeline)
    assert (header["PIPELINE"], header["C_THRESH"], header["N_THRESH"]) == (pipeline, 0.5, 1)
    assert 0 < result.reruns < result.rows
    check_priors(rows, result, redrock, c=0.5, **how)
    # The same network on the same coadd: every figure stands in the row of its TARGETID.
    score([str(coadd)], weights, tmp_path / "scores.fits")
    scores = {row["TARGETID"]: row for row in fitsio.read(tmp_path / "scores.fits", ext="QN_SCORES")}
    for row in rows:
        same = scores[row["TARGETID"]]
        for name in (n for n in rows.dtype.names if n[:2] in ("C_", "Z_") and n in scores[row["TARGETID"]].dtype.names):
            assert row[name] == same[name] or (np.isnan(row[name]) and np.isnan(same[name])), name


def test_thresholds_and_rule_can_be_overridden(survey: Path, weights: Path, tmp_path: Path):
    coadd = sorted(survey.glob("coadd-*.fits"))[0]
    redrock = coadd.with_name(coadd.name.replace("coadd-", "redrock-"))
    all_of_them = run(coadd, weights, tmp_path / "a.fits", c_threshold=0.0)
    assert all_of_them.quasars == all_of_them.scored
    assert run(coadd, weights, tmp_path / "b.fits", c_threshold=1.0).quasars == 0
    only = run(coadd, weights, tmp_path / "c.fits", c_threshold=0.0, rule="paper")
    zs = fitsio.read(redrock, ext="REDSHIFTS")
    galaxies = {int(t) for t in zs["TARGETID"][[k.strip() == "GALAXY" for k in zs["SPECTYPE"]]]}
    asked = {int(t) for t in read_priors(tmp_path / "priors-c.fits")[0]["TARGETID"]}
    assert asked
    assert asked <= galaxies
    assert only.reruns < all_of_them.reruns
    assert read_qn_rr(tmp_path / "c.fits", redrock)[1]["RULE"] == "paper"


@pytest.mark.parametrize(
    ("name", "target"), [("4-80613-thru20210324", "SV1_DESI_TARGET"), ("special-dark-27247", "DESI_TARGET")]
)
@pytest.mark.parametrize("dialect", ["current", "dr1"])
def test_real_pairs(shared_data: Path, tmp_path: Path, name: str, target: str, dialect: str):
    folder = shared_data / "desi" / "fastspecfit"
    published = shared_data / "desi" / "quasarnp" / "test_weights.h5"
    result = run(folder / f"coadd-{name}.fits", published, tmp_path / "qso_qn.fits", pipeline=dialect)
    rows, header = read_qn_rr(tmp_path / "qso_qn.fits", folder / f"redrock-{name}.fits", dialect=dialect, target=target)
    assert (result.rows, result.scored, header["ARMS"]) == (1, 1, "brz")
    assert header["WHASH"].startswith("1a79097a28ce4be0")
    assert rows[target][0] > 0


@pytest.mark.parametrize("name", ["1-80693-thru20210204", "2-80693-thru20210204", "sv3-dark-9144"])
def test_real_quasars_against_what_quasarnp_says_of_them(shared_data: Path, tmp_path: Path, name: str):
    desi = shared_data / "desi"
    reference = np.load(shared_data / "reference" / f"picca-coadd-{name.split('-thru')[0]}.npz")
    coadd = Path(shutil.copy(desi / "picca" / f"coadd-{name}.fits", tmp_path))
    ids = fitsio.read(coadd, ext="FIBERMAP", columns="TARGETID")
    # No redrock file of these is public here: one that calls everything a galaxy, in the opposite order.
    redrock = tmp_path / f"redrock-{name}.fits"
    with fitsio.FITS(str(redrock), "rw") as fits:
        fits.write(None)
        n = len(ids)
        fits.write(
            table({"TARGETID": ids[::-1], "Z": np.full(n, 0.5), "SPECTYPE": ["GALAXY"] * n}), extname="REDSHIFTS"
        )
        fits.write(table({"TARGETID": ids[::-1]}), extname="FIBERMAP")
    result = run(coadd, desi / "quasarnp" / "test_weights.h5", tmp_path / "qso_qn.fits")
    rows, _ = read_qn_rr(tmp_path / "qso_qn.fits", redrock)
    zbest, c_line = np.full(n, np.nan), np.zeros((6, n))
    zbest[reference["kept_log"]] = reference["test_weights__zbest"]
    c_line[:, reference["kept_log"]] = reference["test_weights__c_line"]
    assert rows["Z_QN"][::-1] == pytest.approx(zbest, abs=1e-4, nan_ok=True)
    quasars = ((c_line > 0.5).sum(axis=0) >= 1)[::-1]
    assert quasars.any()
    priors = read_priors(Path(result.priors))[0]
    assert priors["TARGETID"].tolist() == ids[::-1][quasars].tolist()
    assert priors["SIGMA"] == pytest.approx(LOG_FACTOR * (1 + zbest[::-1][quasars]), abs=1e-4)


def test_redrocks_order_its_additions_and_what_it_lacks(weights: Path, tmp_path: Path):
    coadd, redrock = write_pair(tmp_path, redrock=(14, 99, -13, 11))
    result = run(coadd, weights, tmp_path / "o.fits")
    rows, _ = read_qn_rr(tmp_path / "o.fits", redrock)
    assert rows["TARGETID"].tolist() == [14, 99, -13, 11]
    assert np.isnan(rows["Z_QN"]).tolist() == [False, True, False, False]
    assert (result.without_redrock, result.without_spectrum) == ([12], [99])
    score([str(coadd)], weights, tmp_path / "s.fits")
    scores = fitsio.read(tmp_path / "s.fits", ext="QN_SCORES")
    assert rows["C_CIV"][[0, 2, 3]].tolist() == scores["C_CIV"][[3, 2, 0]].tolist()


def test_no_prior_for_sky(weights: Path, tmp_path: Path):
    coadd, redrock = write_pair(tmp_path)
    result = run(coadd, weights, tmp_path / "o.fits", c_threshold=0.0)
    assert result.quasars == 4
    priors = read_priors(Path(result.priors))[0]
    assert -13 not in priors["TARGETID"].tolist()
    check_priors(read_qn_rr(tmp_path / "o.fits", redrock)[0], result, redrock, c=0.0)


@pytest.mark.parametrize("masked", [[1], [0, 1, 2, 3]])
def test_fully_masked_rows_are_kept_as_nan(weights: Path, tmp_path: Path, masked: list[int]):
    images = desi_images(4, n_pixels=400, step=4.0)
    for letter in "BRZ":
        images[f"{letter}_IVAR"][masked] = 0
    coadd, redrock = write_pair(tmp_path, images=images)
    result = run(coadd, weights, tmp_path / "o.fits", c_threshold=0.0)
    rows, _ = read_qn_rr(tmp_path / "o.fits", redrock)
    assert np.flatnonzero(np.isnan(rows["Z_QN"])).tolist() == masked
    assert result.scored == 4 - len(masked)
    assert result.unscored == {"no data in any arm": len(masked)}
    assert not set(np.array([11, 12, -13, 14])[masked]) & set(read_priors(Path(result.priors))[0]["TARGETID"])


@pytest.mark.parametrize("letters", ["BR", "Z", "BZ"])
def test_a_missing_arm_is_said_and_the_rest_scored(weights: Path, tmp_path: Path, letters: str):
    coadd, redrock = write_pair(tmp_path, images=desi_images(4, letters, n_pixels=400, step=4.0))
    result = run(coadd, weights, tmp_path / "o.fits")
    rows, header = read_qn_rr(tmp_path / "o.fits", redrock)
    assert not np.isnan(rows["Z_QN"]).any()
    assert header["ARMS"] == letters.lower()
    assert result.notes == [f"no {arm} arm in the file" for arm in "brz" if arm not in letters.lower()]


def test_an_empty_coadd(weights: Path, tmp_path: Path):
    _, redrock = write_pair(tmp_path)
    coadd = write_empty_coadd(tmp_path / "coadd-4-80613-thru20210324.fits")
    result = run(coadd, weights, tmp_path / "o.fits")
    rows, _ = read_qn_rr(tmp_path / "o.fits", redrock)
    assert (result.rows, result.scored, result.reruns) == (4, 0, 0)
    assert np.isnan(rows["C_LYA"]).all()
    assert result.notes == ["the coadd has no rows"]


def test_a_redrock_file_without_rows(weights: Path, tmp_path: Path):
    coadd, redrock = write_pair(tmp_path)
    with fitsio.FITS(str(redrock), "rw", clobber=True) as fits:
        fits.write(None)
        fits.create_table_hdu(dtype=[("TARGETID", "i8"), ("Z", "f8"), ("SPECTYPE", "S6")], extname="REDSHIFTS")
    result = run(coadd, weights, tmp_path / "o.fits")
    assert (result.rows, result.without_redrock) == (0, [11, 12, -13, 14])
    assert len(read_qn_rr(tmp_path / "o.fits", redrock)[0]) == 0
    write_empty_coadd(coadd)
    assert run(coadd, weights, tmp_path / "o.fits").rows == 0


def test_gzipped_inputs_and_outputs(weights: Path, tmp_path: Path):
    coadd, redrock = write_pair(tmp_path)
    run(coadd, weights, tmp_path / "plain.fits")
    for path in (coadd, redrock):
        path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    result = run(coadd.with_name(coadd.name + ".gz"), weights, tmp_path / "packed.fits.gz")
    assert Path(result.priors).name == "priors-packed.fits.gz"
    one, other = (fitsio.read(tmp_path / name, ext="QN_RR") for name in ("plain.fits", "packed.fits.gz"))
    assert one.tobytes() == other.tobytes()


def test_another_redrock_file_can_be_named(weights: Path, tmp_path: Path):
    coadd, redrock = write_pair(tmp_path)
    moved = redrock.rename(tmp_path / "elsewhere.fits")
    with pytest.raises(BadInput, match=r"looked for redrock-4-80613-thru20210324\.fits and zbest-4"):
        run(coadd, weights, tmp_path / "o.fits")
    assert run(coadd, weights, tmp_path / "o.fits", moved).redrock == str(moved)


def test_what_cannot_be_done_is_one_line_and_leaves_nothing(weights: Path, tmp_path: Path):
    coadd, redrock = write_pair(tmp_path)
    other, strange = write_pair(tmp_path, "5-80613-thru20210324", targetids=(21, 22))
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(BadInput, match="exactly one coadd, 2 were given"):
        afterburn([str(coadd), str(other)], weights, out / "o.fits", score_settings(afterburner=True))
    with pytest.raises(BadInput, match="no TARGETID of redrock-5"):
        run(coadd, weights, out / "o.fits", strange)
    with pytest.raises(BadInput, match="overwrite"):
        run(coadd, weights, redrock)
    with pytest.raises(BadInput, match="overwrite"):
        run(coadd, weights, coadd)
    with pytest.raises(BadInput, match=r"\.fits"):
        run(coadd, weights, out / "o.txt")
    with pytest.raises(BadInput, match=r"nowhere\.fits: no such file"):
        run(coadd, weights, out / "o.fits", tmp_path / "nowhere.fits")
    exposures = tmp_path / "spectra-4-80613-thru20210324.fits"
    shutil.copy(coadd, exposures)
    with pytest.raises(BadInput, match="exposures"):
        run(exposures, weights, out / "o.fits")
    shutil.copy(weights, out / "w.h5")
    with pytest.raises(BadInput, match=r"nowhere\.h5"):
        run(coadd, out / "nowhere.h5", out / "o.fits")
    redrock.write_bytes(redrock.read_bytes()[:-2880])
    with pytest.raises(BadInput, match="truncated"):
        run(coadd, weights, out / "o.fits")
    assert [path.name for path in out.iterdir()] == ["w.h5"]


def test_a_coadd_without_targetids(weights: Path, tmp_path: Path):
    coadd, redrock = write_pair(tmp_path)
    named = fitsio.read(redrock, ext="REDSHIFTS")
    with fitsio.FITS(str(coadd), "rw", clobber=True) as fits:
        fits.write(None)
        for name, image in desi_images(4, n_pixels=400, step=4.0).items():
            fits.write(image, extname=name)
    assert len(named) == 4
    with pytest.raises(BadInput, match="has no TARGETID"):
        run(coadd, weights, tmp_path / "o.fits")


def test_a_full_disk_leaves_what_was_there(weights: Path, tmp_path: Path):
    coadd, _ = write_pair(tmp_path / "in")
    out = tmp_path / "out"
    out.mkdir()
    (out / "o.fits").write_bytes(b"old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(QnetError, match="cannot be written: File too large") as error:
            run(coadd, weights, out / "o.fits")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert error.value.exit_code == 1
    assert {path.name: path.read_bytes() for path in out.iterdir()} == {"o.fits": b"old"}
