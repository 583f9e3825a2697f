"""Read SDSS/BOSS/eBOSS ``spec-PLATE-MJD-FIBER.fits`` files, one object each.

The coadded spectrum is a table, named COADD or not named, with the columns flux (10⁻¹⁷ erg s⁻¹ cm⁻² Å⁻¹),
loglam (log10 of the vacuum wavelength in Å), ivar and and_mask. The object's row of the spectroscopic
catalogue follows, as SPECOBJ, SPALL or without a name, with PLATE, MJD, FIBERID, THING_ID, CLASS, Z,
ZWARNING and photometry.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from qnet_tui.spectra.arms import Arm, SpectraFile
from qnet_tui.spectra.columns import as_float32, as_floats, as_integers, as_small_integers, as_texts
from qnet_tui.spectra.desi import checked_wavelength
from qnet_tui.spectra.fits_file import FitsFile
from qnet_tui.spectra.fits_layout import Hdu
from qnet_tui.spectra.rows import empty_rows, sdss_identity

COADD_COLUMNS = ("FLUX", "LOGLAM", "IVAR")
"""Columns that make a table an SDSS spectrum."""

_CATALOGUE_NAMES = ("SPECOBJ", "SPALL")
_CATALOGUE_COLUMNS = ("PLATE", "MJD", "FIBERID", "THING_ID", "CLASS", "Z")
_WANTED = (
    *_CATALOGUE_COLUMNS,
    *("Z_ERR", "ZWARNING", "PLUG_RA", "PLUG_DEC", "RA", "DEC", "SPECTROFLUX", "OBJTYPE", "PROGRAMNAME"),
)
_GRZ = (1, 2, 4)  # positions of g, r and z in SPECTROFLUX, which is in u, g, r, i, z


def is_sdss_coadd(hdu: Hdu) -> bool:
    """Whether an HDU is the coadded spectrum of an SDSS file."""
    return set(COADD_COLUMNS) <= {column.upper() for column in hdu.columns}


def read_sdss(fits: FitsFile, *, masks: bool) -> SpectraFile:
    """Read an open SDSS spec file: one row, one arm called "sdss".

    ``masks``: read and_mask too. ``frac_masked`` and ``snr`` are left NaN. What the catalogue row lacks
    stays "not known"; plate, MJD and fibre are then taken from the header or the file's name. BadInput for
    a spectrum that cannot be read.
    """
    coadd = next((hdu for hdu in fits.hdus if is_sdss_coadd(hdu)), None)
    if coadd is None:
        raise fits.bad("has no table with columns flux, loglam, ivar", "name an SDSS spec- file")
    arm = _read_arm(fits, coadd, masks)
    rows = empty_rows(1)
    catalogue = _catalogue(fits, coadd)
    columns = fits.columns(catalogue, _WANTED, first_row_only=True) if catalogue is not None else {}
    _fill(rows, columns)
    _fill_observation(rows, fits)
    row = rows[0]
    rows["identity"] = sdss_identity(int(row["thing_id"]), int(row["plate"]), int(row["mjd"]), int(row["fiberid"]))
    notes = () if columns else ("no SPECOBJ row: no pipeline answer",)
    program = str(as_texts(columns["PROGRAMNAME"])[0]) if "PROGRAMNAME" in columns else ""
    return SpectraFile(fits.path, "sdss", "coadd", program.lower(), (arm,), rows, notes)


def _read_arm(fits: FitsFile, coadd: Hdu, masks: bool) -> Arm:
    columns = fits.columns(coadd, (*COADD_COLUMNS, "AND_MASK") if masks else COADD_COLUMNS)
    if not columns:
        raise fits.bad(f"{coadd.label} has no rows")
    for name, column in columns.items():
        if column.ndim != 1 or column.dtype.kind not in ("iu" if name == "AND_MASK" else "iuf"):
            raise fits.bad(f"{coadd.label}: column {name.lower()} is not one number a row")
    with np.errstate(over="ignore"):
        wavelength = 10.0 ** columns["LOGLAM"].astype(np.float64)
    wavelength = checked_wavelength(fits, f"{coadd.label}, column loglam", wavelength)
    flux, ivar = columns["FLUX"][np.newaxis], columns["IVAR"][np.newaxis]
    mask = columns["AND_MASK"][np.newaxis].astype(np.int32) if "AND_MASK" in columns else None
    return Arm("sdss", wavelength, flux, ivar, mask)


def _catalogue(fits: FitsFile, coadd: Hdu) -> Hdu | None:
    """The catalogue row: by name, else the first other table of one row that has any of its columns."""
    named = fits.find(*_CATALOGUE_NAMES)
    if named is not None and named.is_table:
        return named
    return next(
        (
            hdu
            for hdu in fits.hdus
            if hdu.index != coadd.index
            and hdu.n_rows == 1
            and {column.upper() for column in hdu.columns} & set(_CATALOGUE_COLUMNS)
        ),
        None,
    )


def _fill(rows: NDArray[np.void], columns: dict[str, NDArray[Any]]) -> None:
    for column in ("PLATE", "MJD", "FIBERID"):
        if column in columns:
            rows[column.lower()] = as_small_integers(columns[column])
    if "THING_ID" in columns:
        thing_id = as_integers(columns["THING_ID"], -1)
        rows["thing_id"] = np.where(thing_id > 0, thing_id, -1)
    for name in ("ra", "dec"):
        spelled = [column for column in (f"PLUG_{name.upper()}", name.upper()) if column in columns]
        if spelled:
            rows[name] = as_floats(columns[spelled[0]])
    flux = columns.get("SPECTROFLUX")
    if flux is not None and flux.shape == (1, 5):
        for name, band in zip(("flux_g", "flux_r", "flux_z"), _GRZ, strict=True):
            rows[name] = as_float32(as_floats(flux[:, band]))
    # OBJTYPE of SDSS is why a fibre was targeted (QSO, GALAXY, SPECTROPHOTO_STD…): all but sky are targets.
    if "OBJTYPE" in columns and as_texts(columns["OBJTYPE"])[0].upper() == "SKY":
        rows["objtype"] = "SKY"
    if "CLASS" in columns and "Z" in columns:
        rows["pipeline"] = "specobj"
        rows["pipeline_class"] = np.char.upper(as_texts(columns["CLASS"]))
        rows["pipeline_z"] = as_floats(columns["Z"])
        if "Z_ERR" in columns:
            rows["pipeline_zerr"] = as_floats(columns["Z_ERR"])
        if "ZWARNING" in columns:
            rows["pipeline_zwarn"] = as_integers(columns["ZWARNING"], -1)


def _fill_observation(rows: NDArray[np.void], fits: FitsFile) -> None:
    """Plate, MJD and fibre from the primary header, else all three from the file's name."""
    primary = fits.hdus[0]
    for name, keyword in (("plate", "PLATEID"), ("mjd", "MJD"), ("fiberid", "FIBERID")):
        if rows[name][0] < 0:
            rows[name] = as_small_integers(np.array([primary.integer(keyword)]))
    words = fits.path.name.split(".")[0].split("-")
    unknown = any(rows[name][0] < 0 for name in ("plate", "mjd", "fiberid"))
    if unknown and len(words) == 4 and words[0] == "spec" and all(word.isdigit() for word in words[1:]):
        for name, word in zip(("plate", "mjd", "fiberid"), words[1:], strict=True):
            rows[name] = as_small_integers(np.array([float(word)]))
