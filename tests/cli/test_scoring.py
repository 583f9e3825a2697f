"""``qnet score`` as it is typed: where it writes, what it says is in effect, and how it ends."""

from pathlib import Path

import fitsio
import pytest

from tests.handover.qn_rr_reader import read_qn_rr
from tests.spectra.written_files import desi_images
from tests.workflows.scoring import write_network, write_pair


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_network(tmp_path_factory.mktemp("network") / "qn.h5")


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    return write_pair(tmp_path / "tile")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ([], "give one of -o FILE, --beside and --out-tree DIR"),
        (["-o", "o.fits", "--beside"], "give one of"),
        (["--beside", "--out-tree", "out"], "give one of"),
        (["-o", "o.fits", "--redrock", "r.fits"], "--afterburner -o"),
        (["--beside", "--afterburner", "--priors", "p.fits"], "--afterburner -o"),
        (["-o", "o.fits", "--jobs", "2"], "--jobs"),
        (["-o", "o.fits", "--rule", "paper"], "--afterburner"),
        (["-o", "o.fits", "--pipeline", "dr9"], "current or dr1"),
        (["-o", "o.fits", "--afterburner", "--rule", "mine"], "desispec or paper"),
    ],
)
def test_what_does_not_go_together(qnet, pair, weights, tmp_path, monkeypatch, options, says):
    monkeypatch.chdir(tmp_path)
    answer = qnet("score", pair[0], "--weights", weights, *options)
    assert (answer.code, answer.out) == (2, "")
    assert says in answer.err
    assert len(answer.err.splitlines()) == 1
    assert not list(tmp_path.glob("*.fits"))


def test_the_afterburner_of_one_coadd(qnet, pair, weights, tmp_path):
    out, priors = tmp_path / "qso_qn-1.fits", tmp_path / "p.fits"
    answer = qnet("score", pair[0], "--weights", weights, "--afterburner", "-o", out, "--priors", priors)
    assert answer.code == 0
    assert "4 rows of redrock, 4 scored" in answer.out
    assert "(none was made)" in answer.out
    words = (
        "pipeline current, quasar at c > 0.5 in 1 line, offsets as-trained, rule desispec, prior width 0.16287 (1+z)"
    )
    assert words in answer.out
    read_qn_rr(out, pair[1])
    assert priors.exists()
    got = qnet("score", pair[0], "--weights", weights, "--afterburner", "-o", out, "--json").json
    assert got.keys() >= {"rows", "scored", "quasars", "reruns", "file", "priors", "settings", "without_redrock"}
    assert got["settings"]["c_threshold"] == 0.5


def test_rows_that_redrock_lacks_are_on_stderr(qnet, tmp_path, weights):
    coadd, _ = write_pair(tmp_path, targetids=(1, 2, -3), redrock=(-3, 7))
    answer = qnet("score", coadd, "--weights", weights, "--afterburner", "-o", tmp_path / "o.fits")
    assert answer.code == 0
    assert "2 rows not in redrock: TARGETID 1, 2" in answer.err
    assert "1 row without a spectrum: TARGETID 7" in answer.err


@pytest.mark.parametrize(
    ("options", "threshold"),
    [([], 0.95), (["--pipeline", "dr1"], 0.5), (["--pipeline", "current", "--c-threshold", "0.99"], 0.99)],
)
def test_a_pipeline_sets_the_threshold_of_a_table_of_scores(qnet, pair, weights, tmp_path, options, threshold):
    out = tmp_path / "o.fits"
    answer = qnet("score", pair[0], "--weights", weights, "-o", out, *options)
    assert f"quasar at c > {threshold:g} in 1 line" in answer.out
    assert fitsio.read_header(out, ext="QN_SCORES")["C_THRESH"] == threshold


def test_a_tree_ends_with_2_when_a_file_failed(qnet, pair, weights, tmp_path):
    bad = write_pair(tmp_path / "tile", "5-1-thru20210101")[1]
    bad.write_bytes(b"no FITS")
    answer = qnet("score", tmp_path / "tile", "--weights", weights, "--afterburner", "--out-tree", tmp_path / "out")
    assert answer.code == 2
    assert "2 coadds: 1 done, 0 were there, 1 failed" in answer.out
    assert "files/s" in answer.out
    assert [line for line in answer.err.splitlines() if line.startswith("qnet: ") and str(bad) in line]
    bad.unlink()
    write_pair(tmp_path / "tile", "5-1-thru20210101", images=desi_images(4, "BR", n_pixels=400, step=4.0))
    again = qnet("score", tmp_path / "tile", "--weights", weights, "--afterburner", "--out-tree", tmp_path / "out")
    assert again.code == 0
    assert "2 coadds: 1 done, 1 were there, 0 failed" in again.out
    assert "no z arm in the file" in again.err
    got = qnet("score", tmp_path / "tile", "--weights", weights, "--out-tree", tmp_path / "out", "--json").json
    assert got.keys() >= {"files", "done", "already", "failed", "rows", "scored", "quasars", "reruns", "seconds"}
