"""The files: DESI's layout, readable by our own reader, the same bytes for the same seed, truth that matches."""

import csv
from collections import Counter
from pathlib import Path

import fitsio
import numpy as np
import pytest

from qnet_tui.errors import BadInput, QnetError
from qnet_tui.simulation.settings import SimulationSettings
from qnet_tui.simulation.survey import Simulated, simulate
from qnet_tui.simulation.truth_tables import TRUTH_HEADER
from qnet_tui.spectra.grids import log_grid
from qnet_tui.spectra.read import read_spectra
from qnet_tui.spectra.vectors import make_vectors
from qnet_tui.truth.read import read_truth
from tests.simulation.conftest import SMALL

ARMS = ("B", "R", "Z")


def lines_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def extensions(path: Path) -> list[str]:
    with fitsio.FITS(str(path)) as fits:
        return [hdu.get_extname() for hdu in fits]


def test_names_and_counts(survey: Simulated) -> None:
    assert [path.name for path in survey.files] == [
        f"{kind}-{i}-{80001 + i}-thru20260315.fits" for i in range(3) for kind in ("coadd", "redrock")
    ]
    assert survey.rows == sum(survey.by_class.values()) == 150
    assert survey.by_class["SKY"] == 3 + 3 + 2
    assert sorted(survey.snr_percentiles) == [1, 5, 16, 50, 84, 95, 99]
    assert list(survey.snr_percentiles.values()) == sorted(survey.snr_percentiles.values())
    assert not list(survey.truth_file.parent.glob(".*"))


def test_hdus_have_the_order_names_and_types_of_desi(coadds: list[Path]) -> None:
    images = [f"{arm}_{part}" for arm in ARMS for part in ("WAVELENGTH", "FLUX", "IVAR", "MASK")]
    assert extensions(coadds[0]) == ["", "FIBERMAP", "EXP_FIBERMAP", *images, "SCORES"]
    with fitsio.FITS(str(coadds[0])) as fits:
        header = fits[0].read_header()
        assert header["TILEID"] == 80001
        assert header["NIGHT"] == 20260315
        assert (header["SURVEY"], header["PROGRAM"]) == ("main", "dark")
        for arm, n in zip(ARMS, (2751, 2326, 2881), strict=True):
            assert fits[f"{arm}_WAVELENGTH"].read().dtype == np.dtype(">f8").newbyteorder("=")
            for part, kind in (("FLUX", "f4"), ("IVAR", "f4"), ("MASK", "i4")):
                data = fits[f"{arm}_{part}"].read()
                assert data.shape == (60, n)
                assert data.dtype.newbyteorder("=") == np.dtype(kind)
        fibermap = fits["FIBERMAP"].read()
    for name, kind in {"TARGETID": "i8", "TARGET_RA": "f8", "FLUX_R": "f4", "EBV": "f4", "FIBER": "i4"}.items():
        assert fibermap[name].dtype.newbyteorder("=") == np.dtype(kind)
    assert {"OBJTYPE", "DESI_TARGET", "COADD_FIBERSTATUS", "COADD_NUMEXP", "COADD_EXPTIME"} <= set(fibermap.dtype.names)
    assert (np.diff(fibermap["FIBER"]) > 0).all()
    sky = fibermap["OBJTYPE"] == "SKY"
    assert sky.sum() == 3
    assert (fibermap["TARGETID"][sky] < 0).all()
    assert (fibermap["TARGETID"][~sky] > 0).all()
    assert len(set(fibermap["TARGETID"])) == 60


def test_our_reader_reads_them_with_redrocks_answer(coadds: list[Path]) -> None:
    file = read_spectra(coadds[0])
    assert (file.survey, file.kind, file.program, len(file.rows)) == ("desi", "coadd", "dark", 60)
    assert (file.rows["pipeline"] == "redrock").all()
    assert set(file.rows["pipeline_class"].tolist()) <= {"QSO", "GALAXY", "STAR"}
    assert (file.rows["pipeline_zerr"] > 0).all()
    vectors = make_vectors(file, log_grid())
    assert vectors.x.shape == (60, 443)
    assert not vectors.dropped


def test_known_rows_are_the_rows_of_the_files(survey: Simulated, coadds: list[Path]) -> None:
    known = lines_of(survey.known_file)
    assert len(known) == 150
    assert Counter(row["CLASS"] for row in known) == Counter(
        {name: count for name, count in survey.by_class.items() if count}
    )
    for path in coadds:
        mine = [row for row in known if row["FILE"] == path.name]
        file = read_spectra(path)
        assert [int(row["TARGETID"]) for row in mine] == file.rows["targetid"].tolist()
        assert [int(row["ROW"]) for row in mine] == file.rows["hdu_row"].tolist()
        assert [float(row["SNR"]) for row in mine] == pytest.approx(file.rows["snr"].tolist(), abs=0.02)
        assert [row["LOST_ARM"] for row in mine] == file.rows["arms_missing"].tolist()
    assert sum(row["LOST_ARM"] != "" for row in known) > 3


def test_truth_has_one_line_for_each_object(survey: Simulated) -> None:
    table = read_truth(survey.truth_file)
    assert (table.dialect, table.duplicates, table.rejected) == ("quasarnet", 0, ())
    assert table.rows == survey.objects
    known = {int(row["TARGETID"]): row for row in lines_of(survey.known_file)}
    assert {label.targetid for label in table.labels} == {i for i in known if i > 0}
    good = [label for label in table.labels if label.quality >= 2.5]
    assert 0.5 < len(good) / table.rows < 0.97
    for label in good:
        row = known[label.targetid]
        assert label.spectype == row["CLASS"]
        assert label.z == pytest.approx(float(row["Z"]), abs=0.0033 * (1 + float(row["Z"])) * 2)
    assert tuple(survey.truth_file.read_text().splitlines()[0].split(",")) == TRUTH_HEADER


def test_repeats_see_the_same_object_again(survey: Simulated, coadds: list[Path]) -> None:
    known = lines_of(survey.known_file)
    again = [row for row in known if row["REPEAT"] == "1"]
    assert len(again) == 12 + 6
    files = {path.name: read_spectra(path) for path in coadds}
    for row in again:
        first = next(r for r in known if r["TARGETID"] == row["TARGETID"] and r["REPEAT"] == "0")
        assert first["FILE"] < row["FILE"]
        assert (first["CLASS"], first["Z"]) == (row["CLASS"], row["Z"])
        one, two = (files[r["FILE"]].rows[int(r["ROW"])] for r in (first, row))
        assert (one["ra"], one["flux_r"]) == (two["ra"], two["flux_r"])
    one, two = (files[r["FILE"]].arms[1].flux[int(r["ROW"])] for r in (first, row))
    assert not np.array_equal(one, two)


def test_magnitudes_agree_with_the_spectra(survey: Simulated, coadds: list[Path]) -> None:
    file = read_spectra(coadds[0])
    known = [row for row in lines_of(survey.known_file) if row["FILE"] == coadds[0].name]
    arm = file.arms[1]
    band = (arm.wavelength > 5900) & (arm.wavelength < 6900)
    checked = 0
    for i, row in enumerate(known):
        if row["CLASS"] in ("QSO", "STAR") and float(row["SNR"]) > 2 and row["LOST_ARM"] != "r":
            good = band & (arm.ivar[i] > 0)
            f_nu = np.mean(arm.flux[i, good] * 1e-17 * arm.wavelength[good] ** 2 / 2.99792458e18)
            assert f_nu / 3.631e-29 == pytest.approx(file.rows["flux_r"][i], rel=0.15)
            checked += 1
    assert checked > 5


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(tmp_path: Path) -> None:
    settings = SimulationSettings(rows=24, seed=5, rows_per_file=14, compress=True, exposures=2)
    first, second = simulate(tmp_path / "a", settings), simulate(tmp_path / "b", settings)
    for one, two in zip(
        (*first.files, first.truth_file, first.known_file),
        (*second.files, second.truth_file, second.known_file),
        strict=True,
    ):
        assert one.name == two.name
        assert one.read_bytes() == two.read_bytes()
    other = simulate(tmp_path / "c", SimulationSettings(rows=24, seed=6, rows_per_file=14))
    ours = {row["TARGETID"] for row in lines_of(first.known_file) if int(row["TARGETID"]) > 0}
    theirs = {row["TARGETID"] for row in lines_of(other.known_file)}
    assert not ours & theirs


def test_exposures_are_written_and_make_up_the_coadd(tmp_path: Path) -> None:
    found = simulate(tmp_path, SimulationSettings(rows=12, seed=2, exposures=3, resolution=True, lost_arm=0.0))
    names = {path.name.split("-")[0]: path for path in found.files}
    assert set(names) == {"coadd", "spectra", "redrock"}
    spectra, coadd = read_spectra(names["spectra"]), read_spectra(names["coadd"])
    assert spectra.kind == "exposure"
    assert len(spectra.rows) == 36
    assert spectra.rows["targetid"].tolist() == coadd.rows["targetid"].tolist() * 3
    assert len(set(spectra.rows["expid"].tolist())) == 3
    for whole, parts in zip(coadd.arms, spectra.arms, strict=True):
        weight = parts.ivar.reshape(3, 12, -1)
        assert whole.ivar == pytest.approx(weight.sum(axis=0), rel=3e-3)
        mean = (parts.flux.reshape(3, 12, -1) * weight).sum(axis=0)
        seen = whole.ivar > 0
        assert np.allclose(whole.flux[seen], (mean[seen] / weight.sum(axis=0)[seen]), rtol=2e-3, atol=2e-3)
    with fitsio.FITS(str(names["coadd"])) as fits:
        assert fits["B_RESOLUTION"].get_dims() == [12, 11, 2751]
        assert fits["B_RESOLUTION"].read()[0, :, 7].sum() == pytest.approx(1.0, abs=1e-5)
        assert len(fits["EXP_FIBERMAP"].read()) == 36
    assert extensions(names["spectra"])[:3] == ["", "FIBERMAP", "SCORES"]


def test_redrock_files_have_their_tables(survey: Simulated) -> None:
    path = next(p for p in survey.files if p.name.startswith("redrock-"))
    assert extensions(path) == ["", "REDSHIFTS", "FIBERMAP", "EXP_FIBERMAP", "TSNR2"]
    redshifts = fitsio.read(str(path), ext="REDSHIFTS")
    assert redshifts.dtype["COEFF"].shape == (10,)
    assert {"CHI2", "ZWARN", "NPIXELS", "SUBTYPE", "NCOEFF", "DELTACHI2"} <= set(redshifts.dtype.names)


def test_progress_is_told_file_by_file_and_redrock_can_be_left_out(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    settings = SimulationSettings(rows=5, seed=1, rows_per_file=2, redrock=False, sky=0.0)
    found = simulate(tmp_path, settings, progress=lambda done, total: told.append((done, total)))
    assert told == [(2, 5), (4, 5), (5, 5)]
    assert all(path.name.startswith("coadd") for path in found.files)


def test_a_folder_of_other_desi_files_is_refused_and_the_same_run_again_is_not(tmp_path: Path) -> None:
    settings = SimulationSettings(rows=4, seed=1, rows_per_file=2)
    simulate(tmp_path, settings)
    simulate(tmp_path, settings)
    with pytest.raises(BadInput, match="something else"):
        simulate(tmp_path, SimulationSettings(rows=2, seed=1, rows_per_file=2))


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(QnetError, match="cannot be made") as caught:
        simulate(tmp_path / "file" / "out", SMALL)
    assert caught.value.exit_code == 1


def test_a_disk_that_refuses_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(QnetError, match="No space left on device") as caught:
        simulate(tmp_path, SimulationSettings(rows=2, seed=1))
    assert caught.value.exit_code == 1
    assert list(tmp_path.iterdir()) == []


def test_a_table_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "truth.csv").mkdir()
    with pytest.raises(QnetError, match=r"truth\.csv"):
        simulate(tmp_path, SimulationSettings(rows=2, seed=1))
