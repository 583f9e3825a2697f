import gzip
import warnings

import numpy as np
import pytest

from qnet_tui.errors import BadInput
from qnet_tui.spectra.grids import log_grid
from qnet_tui.spectra.read import read_spectra
from qnet_tui.spectra.vectors import make_vectors
from tests.spectra.written_files import SPECOBJ, sdss_coadd, write_sdss


@pytest.fixture(autouse=True)
def _no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def test_a_file_without_hdu_names(shared_data):
    file = read_spectra(shared_data / "sdss/spectra/spec-3655-55240-0256.fits")
    assert (file.survey, file.kind, file.notes) == ("sdss", "coadd", ())
    (arm,) = file.arms
    assert (arm.name, arm.flux.shape, arm.flux.dtype) == ("sdss", (1, 4622), np.float32)
    assert arm.mask.shape == (1, 4622)
    assert arm.wavelength[0] == pytest.approx(3550, rel=0.01)
    (row,) = file.rows
    assert (row["plate"], row["mjd"], row["fiberid"]) == (3655, 55240, 256)
    assert row["identity"] == f"T{row['thing_id']}"
    assert row["pipeline"] == "specobj"
    assert row["pipeline_class"] in ("QSO", "STAR", "GALAXY")
    assert row["arms"] == "s"
    assert row["arms_missing"] == ""
    assert row["objtype"] == "TGT"
    assert 0 <= row["frac_masked"] < 0.2
    assert np.isfinite([row["ra"], row["dec"], row["flux_g"], row["flux_r"], row["flux_z"]]).all()


def test_a_file_with_hdu_names(shared_data):
    file = read_spectra(shared_data / "sdss/spectra/spec-10000-57346-0009.fits")
    (row,) = file.rows
    assert (row["plate"], row["mjd"], row["fiberid"]) == (10000, 57346, 9)
    assert row["pipeline"] == "specobj"


def test_every_file_gives_a_vector_and_repeats_share_their_identity(shared_data):
    files = sorted((shared_data / "sdss/spectra").glob("spec-*.fits"))
    positions: dict[str, set[tuple[float, float]]] = {}
    for path in files:
        file = read_spectra(path)
        (row,) = file.rows
        assert make_vectors(file, log_grid()).kept.tolist() == [0], path
        assert path.name == f"spec-{row['plate']:04d}-{row['mjd']:05d}-{row['fiberid']:04d}.fits"
        positions.setdefault(str(row["identity"]), set()).add((round(row["ra"], 4), round(row["dec"], 4)))
    assert len(files) == 97
    # Ten quasars were observed on two plates and one on three.
    assert len(positions) == 85
    assert all(identity.startswith("T") for identity in positions)
    assert {len(places) for places in positions.values()} == {1}


def test_values_of_the_catalogue_row(tmp_path):
    file = read_spectra(write_sdss(tmp_path / "spec.fits"))
    (row,) = file.rows
    assert file.program == "boss"
    assert row["identity"] == "T77"
    assert (row["pipeline_class"], row["pipeline_zwarn"]) == ("QSO", 4)
    assert (row["pipeline_z"], row["pipeline_zerr"]) == pytest.approx((2.5, 0.001))
    assert (row["ra"], row["dec"]) == (10.5, -3.25)
    assert [row["flux_g"], row["flux_r"], row["flux_z"]] == [2, 3, 5]
    assert row["targetid"] == 0


@pytest.mark.parametrize(("thing_id", "identity"), [(5, "T5"), (0, "P3655-55240-256"), (-1, "P3655-55240-256")])
def test_identity_is_the_thing_else_the_fibre(tmp_path, thing_id, identity):
    file = read_spectra(write_sdss(tmp_path / "s.fits", specobj=SPECOBJ | {"THING_ID": [thing_id]}))
    assert file.rows["identity"].tolist() == [identity]
    assert file.rows["thing_id"].tolist() == [thing_id if thing_id > 0 else -1]


@pytest.mark.parametrize("left_out", list(SPECOBJ))
def test_any_column_of_the_catalogue_may_be_absent(tmp_path, left_out):
    specobj = {name: values for name, values in SPECOBJ.items() if name != left_out}
    file = read_spectra(write_sdss(tmp_path / "spec-3655-55240-0256.fits", specobj=specobj))
    assert len(file.rows) == 1
    assert file.rows["identity"][0] == ("P3655-55240-256" if left_out == "THING_ID" else "T77")
    assert file.rows["pipeline"][0] == ("" if left_out in ("CLASS", "Z") else "specobj")


@pytest.mark.parametrize("names", [(None, None), ("COADD", "SPALL"), ("COADD", None)])
def test_the_catalogue_is_found_by_name_or_by_its_columns(tmp_path, names):
    file = read_spectra(write_sdss(tmp_path / "spec.fits", names=names))
    assert file.rows["identity"].tolist() == ["T77"]
    assert file.notes == ()


def test_without_a_catalogue_row_the_header_or_the_name_identifies(tmp_path):
    named = read_spectra(write_sdss(tmp_path / "spec-3655-55240-0256.fits", specobj={}))
    assert named.rows["identity"].tolist() == ["P3655-55240-256"]
    assert named.notes == ("no SPECOBJ row: no pipeline answer",)
    header = {"PLATEID": 10, "MJD": 50000, "FIBERID": 3}
    assert read_spectra(write_sdss(tmp_path / "a.fits", specobj={}, header=header)).rows["identity"] == "P10-50000-3"
    unknown = read_spectra(write_sdss(tmp_path / "b.fits", specobj={}))
    assert unknown.rows["identity"].tolist() == [""]
    assert unknown.rows["pipeline"].tolist() == [""]


def test_old_files_without_masks_read(tmp_path):
    coadd = {name: values for name, values in sdss_coadd().items() if name != "and_mask"}
    assert read_spectra(write_sdss(tmp_path / "s.fits", coadd)).arms[0].mask is None
    assert read_spectra(write_sdss(tmp_path / "t.fits"), masks=False).arms[0].mask is None


def test_sky_fibres_are_no_targets(tmp_path):
    file = read_spectra(write_sdss(tmp_path / "s.fits", specobj=SPECOBJ | {"OBJTYPE": ["SKY"]}))
    assert file.rows["objtype"].tolist() == ["SKY"]


def test_pixels_that_are_no_measurement_are_zero(tmp_path):
    coadd = sdss_coadd()
    coadd["flux"][3], coadd["ivar"][4], coadd["ivar"][5] = np.nan, -1, np.inf
    arm = read_spectra(write_sdss(tmp_path / "s.fits", coadd)).arms[0]
    assert arm.flux[0, 3:6].tolist() == arm.ivar[0, 3:6].tolist() == [0, 0, 0]


def test_a_flagged_pixel_keeps_its_ivar(tmp_path):
    coadd = sdss_coadd()
    coadd["and_mask"][:] = 1 << 25
    arm = read_spectra(write_sdss(tmp_path / "s.fits", coadd)).arms[0]
    np.testing.assert_array_equal(arm.ivar[0], coadd["ivar"])
    assert (arm.mask == 1 << 25).all()


def test_gzipped(tmp_path):
    path = write_sdss(tmp_path / "spec.fits")
    packed = tmp_path / "spec.fits.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    np.testing.assert_array_equal(read_spectra(packed).arms[0].flux, read_spectra(path).arms[0].flux)


@pytest.mark.parametrize(
    ("coadd", "named"),
    [
        (sdss_coadd() | {"loglam": sdss_coadd()["loglam"][::-1].copy()}, "column loglam: the wavelengths"),
        (sdss_coadd() | {"loglam": np.full(200, np.nan)}, "column loglam"),
        (sdss_coadd() | {"loglam": np.linspace(300, 400, 200)}, "column loglam"),
        (sdss_coadd() | {"flux": ["x"] * 200}, "column flux is not one number a row"),
        (sdss_coadd() | {"ivar": np.ones((200, 2))}, "column ivar is not one number a row"),
        (sdss_coadd() | {"and_mask": np.ones(200)}, "column and_mask is not one number a row"),
    ],
)
def test_wrong_columns_are_refused_by_name(tmp_path, coadd, named):
    path = write_sdss(tmp_path / "spec.fits", coadd)
    with pytest.raises(BadInput) as error:
        read_spectra(path)
    assert named in str(error.value)
    assert "HDU COADD" in str(error.value)
    assert "\n" not in str(error.value)


def test_no_rows_are_refused(tmp_path):
    empty = {name: values[:0] for name, values in sdss_coadd().items()}
    with pytest.raises(BadInput, match="HDU COADD has no rows"):
        read_spectra(write_sdss(tmp_path / "spec.fits", empty))
