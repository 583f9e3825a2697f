"""Property: whatever is in a file, its reader gives finite vectors for listed rows, or BadInput in one line."""

import gzip
import tempfile
import warnings
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qnet_tui.errors import BadInput
from qnet_tui.spectra.discovery import find_files
from qnet_tui.spectra.grids import linear_grid, log_grid
from qnet_tui.spectra.read import read_spectra
from qnet_tui.spectra.rows import ROW_DTYPE
from qnet_tui.spectra.single import extract, load_spectrum, save_spectrum
from qnet_tui.spectra.vectors import REASONS, make_vectors
from tests.spectra.written_files import SPECOBJ, desi_images, sdss_coadd, write_desi, write_redrock, write_sdss

WILD = [np.nan, np.inf, -np.inf, -1.0, 0.0, 1e-45, 1e-30, 1e30, 3e38, 1e300, -1e30, 1.0]
DTYPES = ["f4", "f8", ">f4", ">f8", "i2", "i4", "i8", "u1", "u2"]
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), database=None)


def as_type(values, dtype):
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.nan_to_num(values).astype(dtype) if dtype[-2] in "iu" else values.astype(dtype)


@st.composite
def wild_desi(draw):
    """Images, FIBERMAP and header of a DESI file with anything in it."""
    n = draw(st.integers(1, 4))
    n_pixels = draw(st.integers(1, 30))
    letters = draw(st.sampled_from(["BRZ", "BRZ", "B", "RZ", "Z"]))
    images = desi_images(n, letters, n_pixels=n_pixels, step=draw(st.sampled_from([0.8, 40.0])))
    for name in list(images):
        if name.endswith(("FLUX", "IVAR")):
            for _ in range(draw(st.integers(0, 4))):
                row, pixel = draw(st.integers(0, n - 1)), draw(st.integers(0, n_pixels - 1))
                wide = images[name].astype("f8")
                where = (row, slice(None)) if draw(st.booleans()) else (row, pixel)
                wide[where] = draw(st.sampled_from(WILD))
                images[name] = wide
            images[name] = as_type(images[name], draw(st.sampled_from(DTYPES)))
        elif name.endswith("MASK") and draw(st.booleans()):
            del images[name]
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
        name = draw(st.sampled_from(sorted(images)))
        change = draw(st.sampled_from(["drop", "transpose", "crop", "repeat", "reverse"]))
        data = images.pop(name)
        if change != "drop":
            images[name] = {
                "transpose": lambda d: d.T.copy(),
                "crop": lambda d: d[:1].copy(),
                "repeat": lambda d: np.concatenate([d, d]),
                "reverse": lambda d: d[::-1].copy(),
            }[change](data)
        if not images:
            break
    targetid = draw(st.lists(st.sampled_from([1, 1, 2, -7, 0, 2**62, -(2**63)]), min_size=n, max_size=n))
    fibermap = {"TARGETID": np.array(targetid, dtype=draw(st.sampled_from(["i8", ">i8"])))}
    if draw(st.booleans()):
        fibermap["OBJTYPE"] = draw(st.lists(st.sampled_from(["TGT", "SKY", ""]), min_size=n, max_size=n))
        fibermap["TARGET_RA"] = np.array(draw(st.lists(st.sampled_from(WILD), min_size=n, max_size=n)))
        fibermap["TILEID"] = as_type(fibermap["TARGET_RA"], draw(st.sampled_from(DTYPES)))
        fibermap["FLUX_R"] = fibermap["TARGET_RA"]
    if draw(st.integers(0, 9)) == 0:
        fibermap = draw(st.sampled_from([{}, {"FIBER": [1] * n}, {"TARGETID": [1] * (n + 1)}]))
    return {"fibermap": fibermap, "images": images or {"OTHER": np.zeros((2, 2))}}


@st.composite
def wild_redrock(draw):
    n = draw(st.integers(1, 4))
    return {
        "TARGETID": draw(st.lists(st.sampled_from([1, 2, -7, 0, 2**62]), min_size=n, max_size=n)),
        "Z": np.array(draw(st.lists(st.sampled_from(WILD), min_size=n, max_size=n))),
        "SPECTYPE": draw(
            st.lists(st.sampled_from(["QSO", "STAR", "", "galaxy", "LONGTYPENAME"]), min_size=n, max_size=n)
        ),
        "ZWARN": np.array(draw(st.lists(st.sampled_from(WILD), min_size=n, max_size=n))),
    }


def check(path):
    """Read the file and check everything promised of what comes out; returns whether it was read."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            file = read_spectra(path)
        except BadInput as error:
            text = str(error)
            file = None
        if file is None:
            assert "\n" not in text
            assert text.startswith(f"{path}: ")
            return False
        vectors = [make_vectors(file, grid) for grid in (log_grid(), linear_grid())]
    n = len(file.rows)
    assert file.rows.dtype == ROW_DTYPE
    for arm in file.arms:
        assert arm.flux.shape == arm.ivar.shape == (n, len(arm.wavelength))
        assert np.isfinite(arm.flux).all()
        assert np.isfinite(arm.ivar).all()
        assert (arm.ivar >= 0).all()
        assert (np.diff(arm.wavelength) > 0).all()
    for made in vectors:
        assert np.isfinite(made.x).all()
        assert sorted([*made.kept.tolist(), *(position for position, _ in made.dropped)]) == list(range(n))
        assert {reason for _, reason in made.dropped} <= set(REASONS)
    assert ((file.rows["frac_masked"] >= 0) & (file.rows["frac_masked"] <= 1)).all()
    assert not np.isinf(file.rows["snr"]).any()
    if file.survey == "desi":
        assert ((file.rows["identity"] == "") == (file.rows["targetid"] <= 0)).all()
    for arms, missing in zip(file.rows["arms"], file.rows["arms_missing"], strict=True):
        assert (sorted(arms + missing) == sorted("brz")) if file.survey == "desi" else missing == ""
    assert all("\n" not in note for note in file.notes)
    copy = path.with_name("copy.npz")
    save_spectrum(copy, extract(file, n - 1))
    assert load_spectrum(copy).row.tobytes() == file.rows[n - 1].tobytes()
    return True


@QUICK
@given(wild_desi(), wild_redrock(), st.booleans(), st.one_of(st.none(), st.floats(0, 1)), st.booleans())
def test_desi_files(content, redrock, with_sibling, cut, packed):
    with tempfile.TemporaryDirectory() as folder:
        path = write_desi(Path(folder, "coadd-1-2.fits"), **content)
        if with_sibling:
            write_redrock(Path(folder, "redrock-1-2.fits"), redrock)
        data = path.read_bytes()
        if packed:
            data = gzip.compress(data)
        if cut is not None:
            data = data[: int(cut * len(data))]
        path.write_bytes(data)
        found = find_files([folder])
        was_read = check(path)
        # What can be read is found; what is not found says why.
        assert not was_read or path.resolve() in [p.resolve() for p in found.spectra]
        assert len(found.spectra) + len(found.left) >= 1


@QUICK
@given(
    st.lists(
        st.tuples(st.sampled_from(["flux", "ivar", "loglam"]), st.integers(0, 199), st.sampled_from(WILD)), max_size=4
    ),
    st.lists(st.sampled_from(sorted(SPECOBJ)), max_size=4),
    st.lists(st.tuples(st.sampled_from(["THING_ID", "PLATE", "Z", "MJD"]), st.sampled_from(WILD)), max_size=3),
    st.one_of(st.none(), st.floats(0, 1)),
)
def test_sdss_files(pixels, absent, values, cut):
    coadd = sdss_coadd()
    for name, pixel, value in pixels:
        coadd[name] = coadd[name].astype("f8")
        coadd[name][pixel] = value
    specobj = SPECOBJ | {name: np.array([value]) for name, value in values}
    specobj = {name: column for name, column in specobj.items() if name not in absent}
    with tempfile.TemporaryDirectory() as folder:
        path = write_sdss(Path(folder, "spec-3655-55240-0256.fits"), coadd, specobj)
        if cut is not None:
            path.write_bytes(path.read_bytes()[: int(cut * path.stat().st_size)])
        was_read = check(path)
        changed_wavelength = any(name == "loglam" for name, _, _ in pixels)
        if cut is None and not changed_wavelength:
            assert was_read


@QUICK
@given(
    st.binary(max_size=6000),
    st.sampled_from([b"", b"SIMPLE  =                    T", b"\x1f\x8b\x08", b"\x89HDF\r\n\x1a\n"]),
)
def test_any_bytes(content, start):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "coadd-1-2.fits")
        path.write_bytes(start + content)
        assert not check(path)
        found = find_files([folder])
        assert found.spectra == []
        assert [p.name for p, _ in found.left] == ["coadd-1-2.fits"]
