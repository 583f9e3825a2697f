"""A tree of coadds: one output each, nothing done twice, everything done again that is not what it would be now."""

import gzip
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import fitsio
import numpy as np
import pytest

import qnet_tui.workflows.score_tree as module
from qnet_tui.errors import BadInput
from qnet_tui.workflows.score_settings import score_settings
from qnet_tui.workflows.score_tree import TreeResult, is_made, score_tree
from tests.handover.qn_rr_reader import read_priors, read_qn_rr
from tests.spectra.written_files import desi_images
from tests.workflows.scoring import write_network, write_pair

NAMES = ("main/dark/100/main-dark-10001", "main/dark/100/main-dark-10002", "sv3/bright/7/sv3-bright-701")


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_network(tmp_path_factory.mktemp("network") / "qn.h5")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "healpix"
    for number, name in enumerate(NAMES):
        place = root / name
        write_pair(place.parent, place.name, targetids=(number * 10 + 1, number * 10 + 2))
    (root / "readme.txt").write_text("nothing to see\n")
    return root


def run(tree: Path, weights: Path, out: Path | None, *, jobs: int | None = None, **asked: Any) -> TreeResult:
    settings = score_settings(**{"afterburner": True, **asked})
    return score_tree([str(tree)], weights, settings, out_tree=out, jobs=jobs)


def outputs(folder: Path) -> dict[str, int]:
    """The outputs below a folder and when each was written."""
    found = (p for p in folder.rglob("*.fits*") if p.name.startswith(("qso_qn-", "priors-", "qn_scores-")))
    return {str(p.relative_to(folder)): p.stat().st_mtime_ns for p in found}


def test_a_mirrored_tree_with_the_names_of_desi(tree: Path, weights: Path, tmp_path: Path):
    out = tmp_path / "out"
    result = run(tree, weights, out)
    assert (result.files, result.done, result.already, result.failed, result.exit_code) == (3, 3, 0, [], 0)
    assert (result.rows, result.scored) == (6, 6)
    assert result.left == {"redrock redshifts (read with the coadd file beside it)": 3, "a text file": 1}
    expected = set()
    for name in NAMES:
        folder, rest = str(Path(name).parent), Path(name).name
        expected |= {f"{folder}/qso_qn-{rest}.fits", f"{folder}/priors-{rest}.fits"}
        read_qn_rr(out / folder / f"qso_qn-{rest}.fits", tree / folder / f"redrock-{rest}.fits")
        read_priors(out / folder / f"priors-{rest}.fits")
    assert set(outputs(out)) == expected
    assert not outputs(tree)


def test_beside_the_coadds_and_scores_instead(tree: Path, weights: Path):
    result = run(tree, weights, None, afterburner=False, pipeline="dr1")
    assert set(outputs(tree)) == {f"{Path(n).parent}/qn_scores-{Path(n).name}.fits" for n in NAMES}
    path = tree / "sv3/bright/7/qn_scores-sv3-bright-701.fits"
    assert fitsio.read(path, ext="QN_SCORES")["TARGETID"].tolist() == [21, 22]
    header = fitsio.read_header(path, ext="QN_SCORES")
    assert (header["PIPELINE"], header["C_THRESH"]) == ("dr1", 0.5)
    assert result.reruns == 0
    # What was made is not taken for input, and nothing is made again.
    assert run(tree, weights, None, afterburner=False, pipeline="dr1").already == 3


def test_only_what_is_missing_or_other_is_made(tree: Path, weights: Path, tmp_path: Path):
    out = tmp_path / "out"
    run(tree, weights, out)
    first = outputs(out)
    again = run(tree, weights, out)
    assert (again.done, again.already) == (0, 3)
    assert outputs(out) == first

    def changed(**asked: Any) -> set[str]:
        before = outputs(out)
        given = {"weights": weights, **asked}
        run(tree, given.pop("weights"), out, **given)
        return {Path(name).name for name, when in outputs(out).items() if before.get(name) != when}

    one = {"qso_qn-main-dark-10002.fits", "priors-main-dark-10002.fits"}
    (out / "main/dark/100/qso_qn-main-dark-10002.fits").unlink()
    assert changed() == one
    (out / "main/dark/100/priors-main-dark-10002.fits").unlink()
    assert changed() == one
    cut = out / "main/dark/100/qso_qn-main-dark-10002.fits"
    cut.write_bytes(cut.read_bytes()[:-2880])
    assert changed() == one
    os.utime(tree / "main/dark/100/coadd-main-dark-10002.fits")
    assert changed() == one
    os.utime(tree / "main/dark/100/redrock-main-dark-10002.fits")
    assert changed() == one
    everything = {Path(name).name for name in first}
    for asked in ({"c_threshold": 0.6}, {"n_lines": 2}, {"rule": "paper"}, {"pipeline": "dr1"}, {"extrapolate": True}):
        assert changed(**asked) == everything, asked
    assert changed(weights=write_network(tmp_path / "other.h5", seed=2)) == everything
    assert changed() == everything


def test_the_same_file_of_weights_elsewhere_changes_nothing(tree: Path, weights: Path, tmp_path: Path):
    run(tree, weights, None)
    copy = tmp_path / "copy.h5"
    copy.write_bytes(weights.read_bytes())
    assert run(tree, copy, None).already == 3


def test_failures_are_listed_and_the_rest_is_done(tree: Path, weights: Path, tmp_path: Path):
    folder = tree / "main/dark/100"
    whole = (folder / "coadd-main-dark-10001.fits").read_bytes()
    (folder / "coadd-main-dark-10001.fits").write_bytes(whole[:-2880])
    (tree / "sv3/bright/7/redrock-sv3-bright-701.fits").unlink()
    (folder / "coadd-main-dark-10003.fits").write_bytes(b"")
    (folder / "coadd-main-dark-10002.fits.gz").write_bytes(gzip.compress(whole))
    result = run(tree, weights, tmp_path / "out")
    assert (result.files, result.done, len(result.failed), result.exit_code) == (5, 1, 4, 2)
    reasons = {Path(one.path).name: one.reason for one in result.failed}
    assert "truncated" in reasons["coadd-main-dark-10001.fits"]
    assert "empty" in reasons["coadd-main-dark-10003.fits"]
    assert "output is that of coadd-main-dark-10002.fits" in reasons["coadd-main-dark-10002.fits.gz"]
    assert "looked for redrock-sv3-bright-701.fits" in reasons["coadd-sv3-bright-701.fits"]
    assert all(reason.startswith(one.path) for one, reason in zip(result.failed, reasons.values(), strict=False))
    assert set(outputs(tmp_path / "out")) == {
        f"main/dark/100/{kind}-main-dark-10002.fits" for kind in ("qso_qn", "priors")
    }


def test_a_disk_that_refuses_is_a_failure_of_its_own_kind(tree: Path, weights: Path, tmp_path: Path):
    (tmp_path / "out").write_text("a file where the folder should be\n")
    result = run(tree, weights, tmp_path / "out")
    assert (result.done, len(result.failed), result.exit_code) == (0, 3, 1)
    assert "cannot be made" in result.failed[0].reason


def test_notes_name_rows_that_only_one_of_the_two_files_has(tmp_path: Path, weights: Path):
    write_pair(tmp_path / "t", targetids=(1, 2, 3), redrock=(3, 9))
    result = run(tmp_path / "t", weights, None)
    assert [one.reason for one in result.notes] == ["2 rows not in redrock: TARGETID 1, 2", "1 row in redrock only: "
                                                    "TARGETID 9"]  # fmt: skip


def test_no_coadd_at_all(tmp_path: Path, weights: Path):
    (tmp_path / "t").mkdir()
    with pytest.raises(BadInput, match="no coadd"):
        run(tmp_path / "t", weights, None)


@pytest.mark.parametrize(
    ("arguments", "place"),
    [
        (["healpix/main"], "dark/100/"),
        (["healpix/*/dark/100/coadd-*.fits"], "main/dark/100/"),
        (["healpix/main/dark/100/coadd-main-dark-10001.fits"], ""),
        (["healpix/main/dark/100", "healpix/sv3"], "main/dark/100/"),
        (["@list.txt"], ""),
    ],
)
def test_where_a_mirrored_tree_begins(
    tree: Path, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], place: str
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "list.txt").write_text("healpix/main/dark/100/coadd-main-dark-10001.fits\n")
    score_tree(arguments, weights, score_settings(afterburner=True), out_tree=Path("out"))
    assert f"{place}qso_qn-main-dark-10001.fits" in outputs(tmp_path / "out")


def test_workers_write_the_same_bytes(tmp_path: Path, weights: Path):
    # Masked spectra: the workers need not load TensorFlow, which takes them longer than all the rest.
    images = desi_images(2, n_pixels=400, step=4.0)
    images |= {name: np.zeros_like(image) for name, image in images.items() if name.endswith("_IVAR")}
    tree = tmp_path / "tree"
    for number in range(3):
        write_pair(tree, f"{number}-1-thru20210324", targetids=(number * 10 + 1, number * 10 + 2), images=images)
    (tree / "redrock-2-1-thru20210324.fits").write_bytes(b"SIMPLE  =")
    run(tree, weights, tmp_path / "one", jobs=1)
    result = run(tree, weights, tmp_path / "two", jobs=2)
    assert (result.done, result.rows, len(result.failed), result.exit_code) == (2, 4, 1, 2)
    assert "redrock-2-1-thru20210324.fits" in result.failed[0].reason
    names = set(outputs(tmp_path / "one"))
    assert len(names) == 4
    assert set(outputs(tmp_path / "two")) == names
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name


BATCH = """
import sys
import numpy as np
from qnet_tui.workflows.line_finder import LineFinder
from qnet_tui.cli.main import run

class Coin:
    def predict(self, weights, x):
        return np.random.default_rng(0).random((7, len(x), 26), dtype=np.float32)

LineFinder.predictor = Coin()
run(None, sys.argv[1:])
"""
"""The command without TensorFlow: what is killed is the writing, not the network."""


def test_a_killed_batch_goes_on(tmp_path: Path, weights: Path):
    tree, out = tmp_path / "tree", tmp_path / "out"
    for number in range(60):
        write_pair(tree, f"{number % 10}-{number:05d}-thru20210324", targetids=tuple(range(1, 41)))
    command = [sys.executable, "-c", BATCH, "score", str(tree), "--weights", str(weights), "--out-tree", str(out)]
    process = subprocess.Popen(
        [*command, "--afterburner", "--jobs", "1"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 60
    while len(outputs(out)) < 6 and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, "it ended before it was killed"
    there = outputs(out)
    for name in there:
        path = out / name
        assert is_made(path, fitsio.read_header(path, ext=1)["STAMP"])
    result = run(tree, weights, out, jobs=1)
    tables = sum(Path(name).name.startswith("qso_qn-") for name in there)
    assert (result.already, result.done) == (tables, 60 - tables)
    now = outputs(out)
    assert len(now) == 120
    whole = [name for name in there if name.replace("priors-", "qso_qn-") in there]
    assert {name: now[name] for name in whole} == {name: there[name] for name in whole}


def test_what_a_killed_batch_left_half_written_goes_away(tree: Path, weights: Path):
    folder = tree / "sv3/bright/7"
    old, new = (folder / f".qso_qn-sv3-bright-701.fits.{word}.part" for word in ("00aa", "00bb"))
    for path in (old, new):
        path.write_bytes(b"half")
    os.utime(old, (time.time() - 2 * module.STALE_SECONDS,) * 2)
    run(tree, weights, None)
    # The other one may be somebody's who is writing now.
    assert (old.exists(), new.exists()) == (False, True)


def test_ctrl_c_keeps_what_was_finished(tree: Path, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    real, calls = module.score_coadd, []

    def interrupted(**arguments: Any) -> Any:
        calls.append(arguments)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(**arguments)

    monkeypatch.setattr(module, "score_coadd", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(tree, weights, tmp_path / "out")
    monkeypatch.undo()
    result = run(tree, weights, tmp_path / "out")
    assert (result.already, result.done) == (1, 2)
