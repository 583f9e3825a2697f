import gzip
import warnings

import fitsio
import numpy as np
import pytest

from qnet_tui.errors import BadInput
from qnet_tui.spectra.read import read_spectra
from qnet_tui.spectra.rows import ROW_DTYPE
from tests.spectra.written_files import PRIMARY, desi_images, image, table, write_desi


@pytest.fixture(autouse=True)
def _no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def refusal(path):
    with pytest.raises(BadInput) as error:
        read_spectra(path)
    text = str(error.value)
    assert "\n" not in text
    assert text.startswith(f"{path}: ")
    assert error.value.mend
    return text


def test_a_full_tile_coadd(shared_data):
    file = read_spectra(shared_data / "desi/specutils/coadd-5-169-thru20210419.fits")
    assert (file.survey, file.kind, file.program, file.notes) == ("desi", "coadd", "", ())
    assert [(a.name, a.flux.shape) for a in file.arms] == [("b", (5, 2751)), ("r", (5, 2326)), ("z", (5, 2881))]
    assert all(a.mask is not None and a.mask.dtype == np.int32 for a in file.arms)
    rows = file.rows
    assert rows.dtype == ROW_DTYPE
    assert rows["targetid"].tolist() == [-1695072, 39633297352951412, -1695064, -1695073, 39633300968442591]
    assert rows["identity"].tolist() == ["", "39633297352951412", "", "", "39633300968442591"]
    assert rows["objtype"].tolist() == ["", "TGT", "", "", "TGT"]
    assert rows["arms"].tolist() == ["", "", "", "", "brz"]
    assert rows["arms_missing"].tolist() == ["brz"] * 4 + [""]
    assert rows["tileid"].tolist() == [169] * 5
    assert rows["night"].tolist() == [20210419] * 5
    assert rows["expid"].tolist() == [-1] * 5
    assert rows["fiberid"].tolist() == [2500, 2501, 2502, 2503, 2504]
    assert rows["frac_masked"][:4].tolist() == [1] * 4
    assert np.isnan(rows["snr"][:4]).all()
    assert rows["desi_target"][4] == 4674
    assert rows["flux_r"][4] == pytest.approx(0.5401691)
    assert rows["hdu_row"].tolist() == [0, 1, 2, 3, 4]


def test_values_are_those_of_the_library(shared_data):
    path = shared_data / "desi/specutils/coadd-sv3-dark-26065.fits"
    file = read_spectra(path)
    assert file.program == "dark"
    with fitsio.FITS(str(path)) as fits:
        for arm in file.arms:
            letter = arm.name.upper()
            np.testing.assert_array_equal(arm.wavelength, fits[f"{letter}_WAVELENGTH"].read())
            np.testing.assert_array_equal(arm.flux, fits[f"{letter}_FLUX"].read())
            np.testing.assert_array_equal(arm.ivar, fits[f"{letter}_IVAR"].read())
            np.testing.assert_array_equal(arm.mask, fits[f"{letter}_MASK"].read())
            assert arm.wavelength.dtype == np.float64
            assert arm.flux.dtype == arm.ivar.dtype == np.float32
            assert arm.flux.dtype.isnative
        np.testing.assert_array_equal(file.rows["ra"], fits["FIBERMAP"]["TARGET_RA"].read())


def test_flagged_pixels_keep_their_ivar(tmp_path):
    images = desi_images(2)
    images["R_MASK"][1, 10:20] = 4
    arm = read_spectra(write_desi(tmp_path / "c.fits", images=images)).arms[1]
    np.testing.assert_array_equal(arm.ivar, images["R_IVAR"])
    np.testing.assert_array_equal(arm.mask, images["R_MASK"])


def test_pixels_that_are_no_measurement_are_zero(tmp_path):
    images = desi_images(1)
    images["B_FLUX"][0, :3] = [np.nan, np.inf, -np.inf]
    images["B_IVAR"][0, 3:6] = [np.nan, -1, np.inf]
    arm = read_spectra(write_desi(tmp_path / "c.fits", {"TARGETID": [1]}, images)).arms[0]
    assert arm.flux[0, :6].tolist() == arm.ivar[0, :6].tolist() == [0] * 6
    np.testing.assert_array_equal(arm.flux[0, 6:], images["B_FLUX"][0, 6:])


def test_exposures_have_their_exposure_number(shared_data):
    file = read_spectra(shared_data / "desi/specutils/spectra-sv3-dark-26065.fits")
    assert file.kind == "exposure"
    assert set(file.rows["expid"]) == {83734}
    assert set(file.rows["tileid"]) == {271}
    assert set(file.rows["night"]) == {20210406}
    assert (file.rows["mjd"] > 59000).all()


def test_one_column_of_fibermap_is_enough(shared_data):
    file = read_spectra(shared_data / "desi/picca/coadd-sv3-dark-9144.fits")
    assert file.rows["identity"].tolist() == ["39632936152072660", "39632936152073654"]
    assert set(file.rows["objtype"]) == {"TGT"}
    assert np.isnan(file.rows["ra"]).all()


def test_without_fibermap_rows_can_be_scored_not_selected(shared_data):
    file = read_spectra(shared_data / "desi/quasarnp/test_coadd.fits")
    assert len(file.rows) == 25
    assert set(file.rows["identity"]) == {""}
    assert set(file.rows["targetid"]) == {0}
    assert set(file.rows["objtype"]) == {"TGT"}
    assert file.notes == ("no FIBERMAP: its rows can be scored, not selected",)
    assert all(arm.mask is None for arm in file.arms)


def test_signal_to_noise_and_masked_share_follow_their_definition(shared_data):
    file = read_spectra(shared_data / "desi/quasarnp/test_coadd.fits")
    for position in (0, 8, 11):
        flux = np.concatenate([a.flux[position] for a in file.arms])
        ivar = np.concatenate([a.ivar[position] for a in file.arms])
        row = file.rows[position]
        assert row["frac_masked"] == pytest.approx((ivar == 0).mean())
        if (ivar > 0).any():
            expected = np.median(flux[ivar > 0] * np.sqrt(ivar[ivar > 0]))
            assert row["snr"] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("n_good", [0, 1, 2, 3, 4, 59, 60])
def test_signal_to_noise_of_few_pixels(tmp_path, n_good):
    images = desi_images(1, "B")
    images["B_IVAR"][0, n_good:] = 0
    row = read_spectra(write_desi(tmp_path / "c.fits", {"TARGETID": [5]}, images)).rows[0]
    good = images["B_FLUX"][0, :n_good] * np.sqrt(images["B_IVAR"][0, :n_good])
    np.testing.assert_allclose(row["snr"], np.median(good) if n_good else np.nan, rtol=1e-6)
    assert row["frac_masked"] == pytest.approx(1 - n_good / 60)
    assert row["arms"] == ("b" if n_good else "")


def test_flags_and_quality_can_be_left_out(tmp_path):
    path = write_desi(tmp_path / "coadd-1-2.fits")
    lean = read_spectra(path, masks=False, quality=False)
    assert all(arm.mask is None for arm in lean.arms)
    assert np.isnan(lean.rows["snr"]).all()
    assert np.isnan(lean.rows["frac_masked"]).all()
    assert lean.rows["arms"].tolist() == ["brz", "brz"]
    full = read_spectra(path)
    for a, b in zip(lean.arms, full.arms, strict=True):
        np.testing.assert_array_equal(a.flux, b.flux)


def test_gzipped_files_read_the_same_whatever_their_name(tmp_path):
    path = write_desi(tmp_path / "coadd-1-2.fits")
    packed, misnamed = tmp_path / "coadd-1-3.fits.gz", tmp_path / "coadd-1-4.fits"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    misnamed.write_bytes(packed.read_bytes())
    plain = read_spectra(path)
    for other in (packed, misnamed):
        file = read_spectra(other)
        assert file.path == other
        for a, b in zip(file.arms, plain.arms, strict=True):
            np.testing.assert_array_equal(a.flux, b.flux)


def test_brackets_in_a_file_name_are_no_filter(tmp_path):
    path = write_desi(tmp_path / "plain.fits")
    odd = tmp_path / "coadd [1] (copy)+2.fits"
    path.rename(odd)
    assert len(read_spectra(odd).rows) == 2


@pytest.mark.parametrize("letters", ["B", "R", "BZ", "RZ"])
def test_a_missing_arm_is_noted_not_refused(tmp_path, letters):
    path = write_desi(tmp_path / "coadd-1-2.fits", images=desi_images(2, letters))
    file = read_spectra(path)
    absent = [a for a in "brz" if a.upper() not in letters]
    assert "".join(a.name for a in file.arms) == letters.lower()
    assert file.rows["arms"].tolist() == [letters.lower()] * 2
    assert file.rows["arms_missing"].tolist() == ["".join(absent)] * 2
    assert file.notes == tuple(f"no {a} arm in the file" for a in absent)


def test_odd_types_and_odd_values_in_fibermap(tmp_path):
    fibermap = {
        "TARGETID": np.array([7, 7, -3, 0], dtype=">i8"),
        "TARGET_RA": np.array([1.5, np.nan, np.inf, -2], dtype=np.float32),
        "TILEID": np.array([80.0, np.nan, 1e300, 2.5]),
        "EXPID": ["a", "b", "c", "d"],
        "OBJTYPE": ["TGT", "SKY ", "", "BAD"],
        "FLUX_G": np.array([1.0, 1e300, np.nan, -1.0]),
        "FLUX_R": np.zeros((4, 2)),
        "DESI_TARGET": np.array([4, 0, 0, 0]),
        "SV1_DESI_TARGET": np.array([8, 16, 0, 0]),
        "FIBER": np.array([2**31, 1, 2, 3], dtype=np.int64),
    }
    rows = read_spectra(write_desi(tmp_path / "coadd-1-2.fits", fibermap)).rows
    assert rows["identity"].tolist() == ["7", "7", "", ""]
    np.testing.assert_array_equal(rows["ra"], [1.5, np.nan, np.nan, -2])
    assert rows["tileid"].tolist() == [80, -1, -1, -1]
    assert rows["expid"].tolist() == [-1] * 4
    assert rows["objtype"].tolist() == ["TGT", "SKY", "", "BAD"]
    np.testing.assert_array_equal(rows["flux_g"], np.array([1, np.nan, np.nan, -1], dtype=np.float32))
    assert np.isnan(rows["flux_r"]).all()
    assert rows["desi_target"].tolist() == [4, 16, 0, 0]
    assert rows["fiberid"].tolist() == [-1, 1, 2, 3]


@pytest.mark.parametrize(("survey", "bits"), [("main", [4, 16]), ("sv1", [8, 16]), ("special", [4, 16]), ("", [4, 16])])
def test_targeting_bits_are_those_of_the_survey(tmp_path, survey, bits):
    fibermap = {"TARGETID": [1, 2], "DESI_TARGET": [4, 0], "SV1_DESI_TARGET": [8, 16]}
    path = write_desi(tmp_path / "c.fits", fibermap, header={"SURVEY": survey})
    assert read_spectra(path).rows["desi_target"].tolist() == bits


def test_the_kind_is_told_by_content_before_the_name(tmp_path):
    exposures = {"TARGETID": [1], "EXPID": [99]}
    assert read_spectra(write_desi(tmp_path / "coadd-x.fits", exposures)).kind == "exposure"
    counted = {"TARGETID": [1], "COADD_NUMEXP": [3]}
    assert read_spectra(write_desi(tmp_path / "spectra-x.fits", counted)).kind == "coadd"
    extra = {"EXP_FIBERMAP": table({"TARGETID": [1]})}
    assert read_spectra(write_desi(tmp_path / "spectra-y.fits", {"TARGETID": [1]}, tables=extra)).kind == "coadd"
    assert read_spectra(write_desi(tmp_path / "spectra-z.fits", {"TARGETID": [1]})).kind == "exposure"
    assert read_spectra(write_desi(tmp_path / "any.fits", {"TARGETID": [1]})).kind == "coadd"


def test_the_program_is_the_headers_or_the_names(tmp_path):
    assert read_spectra(write_desi(tmp_path / "coadd-main-bright-77.fits")).program == "bright"
    named = write_desi(tmp_path / "coadd-main-bright-78.fits", header={"PROGRAM": "DARK"})
    assert read_spectra(named).program == "dark"
    assert read_spectra(write_desi(tmp_path / "coadd-4-80613-thru20210324.fits")).program == ""


def test_scaled_integers_and_wide_types_read_as_numbers(tmp_path):
    images = desi_images(2, "B")
    images["B_FLUX"] = images["B_FLUX"].astype(np.float64)
    images["B_IVAR"] = np.arange(120, dtype=np.uint16).reshape(2, 60)  # stored with BZERO
    images["B_MASK"] = np.full((2, 60), 2**31, dtype=np.uint32)
    arm = read_spectra(write_desi(tmp_path / "c.fits", images=images)).arms[0]
    np.testing.assert_array_equal(arm.ivar[1], np.arange(60, 120))
    np.testing.assert_allclose(arm.flux, images["B_FLUX"], rtol=1e-6)
    assert (arm.mask != 0).all()


def test_compressed_images_read_through_the_library(tmp_path):
    images = desi_images(2, "B")
    path = tmp_path / "c.fits"
    with fitsio.FITS(str(path), "rw") as fits:
        for name, data in images.items():
            fits.write(data, extname=name, compress="gzip" if name == "B_MASK" else None)
    np.testing.assert_array_equal(read_spectra(path).arms[0].mask, images["B_MASK"])


def change(name, data):
    def apply(images):
        if data is None:
            del images[name]
        else:
            images[name] = data
        return images

    return apply


def wavelength(**pixels):
    values = 3600 + 0.8 * np.arange(60)
    for pixel, value in pixels.items():
        values[int(pixel[1:])] = value
    return values


@pytest.mark.parametrize(
    ("name", "data", "named"),
    [
        ("B_WAVELENGTH", None, "B_WAVELENGTH"),
        ("R_IVAR", None, "R_IVAR"),
        ("Z_FLUX", None, "Z_FLUX"),
        ("B_FLUX", np.ones((2, 59), dtype="f4"), "B_FLUX has shape (2, 59), expected (2, 60)"),
        ("B_IVAR", np.ones((3, 60), dtype="f4"), "B_IVAR"),
        ("R_FLUX", np.ones((3, 60), dtype="f4"), "R_FLUX has shape (3, 60), expected (2, 60)"),
        ("B_MASK", np.ones((2, 61), dtype="i4"), "B_MASK"),
        ("B_MASK", np.ones((2, 60), dtype="f4"), "B_MASK holds no integers"),
        ("B_FLUX", np.ones(60, dtype="f4"), "B_FLUX"),
        ("B_FLUX", np.ones((1, 2, 60), dtype="f4"), "B_FLUX"),
        ("B_WAVELENGTH", np.ones((2, 60)), "B_WAVELENGTH"),
        ("B_WAVELENGTH", wavelength()[::-1].copy(), "B_WAVELENGTH: the wavelengths are not"),
        ("B_WAVELENGTH", wavelength(p5=np.nan), "B_WAVELENGTH"),
        ("B_WAVELENGTH", wavelength(p59=np.inf), "B_WAVELENGTH"),
        ("B_WAVELENGTH", wavelength(p0=-1), "B_WAVELENGTH"),
        ("B_WAVELENGTH", wavelength(p6=3604.0), "B_WAVELENGTH"),
        ("B_FLUX", table({"FLUX": [1.0, 2.0]}), "HDU B_FLUX is a table, not an image"),
    ],
)
def test_wrong_images_are_refused_by_name(tmp_path, name, data, named):
    images = change(name, data)(desi_images(2))
    assert named in refusal(write_desi(tmp_path / "coadd-1-2.fits", images=images))


@pytest.mark.parametrize(
    ("fibermap", "named"),
    [
        ({"TARGETID": [1, 2, 3]}, "FIBERMAP has 3 rows for 2 spectra"),
        ({"FIBER": [1, 2]}, "FIBERMAP has no column TARGETID"),
        ({"TARGETID": [1.5, 2.5]}, "FIBERMAP has a column TARGETID that is not one integer a row"),
        ({"TARGETID": ["1", "2"]}, "TARGETID that is not one integer"),
        ({"TARGETID": [[1, 2], [3, 4]]}, "TARGETID that is not one integer"),
    ],
)
def test_wrong_fibermaps_are_refused_by_name(tmp_path, fibermap, named):
    assert named in refusal(write_desi(tmp_path / "c.fits", fibermap, desi_images(2)))


def test_a_fibermap_that_is_an_image_is_refused(tmp_path):
    images = {"FIBERMAP": np.zeros((2, 2)), **desi_images(2)}
    assert "HDU FIBERMAP is an image, not a table" in refusal(write_desi(tmp_path / "c.fits", {}, images))


def test_no_spectra_at_all_are_refused(tmp_path):
    wavelength_hdu = image(2, bitpix=-64, name="B_WAVELENGTH").replace(
        bytes(16), np.array([1.0, 2.0], ">f8").tobytes(), 1
    )
    path = tmp_path / "c.fits"
    path.write_bytes(PRIMARY + wavelength_hdu + image(2, 0, name="B_FLUX") + image(2, 0, name="B_IVAR"))
    assert "HDU B_FLUX has shape (0, 2)" in refusal(path)
