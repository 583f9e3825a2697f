"""Read DESI coadd and spectra files: FIBERMAP, and per arm X_WAVELENGTH, X_FLUX, X_IVAR, X_MASK.

The layout of desispec: flux (n, nw) float32 in 10⁻¹⁷ erg s⁻¹ cm⁻² Å⁻¹, ivar its inverse variance with 0 where
masked, wavelength (nw,) float64 in Å of vacuum. HDUs are found by EXTNAME. Files of tiles and of
healpixels, with many FIBERMAP columns, few, or no FIBERMAP at all, all read; X_RESOLUTION and SCORES are
not needed.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qnet_tui.spectra.arms import DESI_ARMS, Arm, Kind, SpectraFile
from qnet_tui.spectra.columns import as_float32, as_floats, as_integers, as_small_integers, as_texts
from qnet_tui.spectra.fits_file import FitsFile
from qnet_tui.spectra.fits_layout import Hdu
from qnet_tui.spectra.redrock import add_redrock
from qnet_tui.spectra.rows import desi_identity, empty_rows

_FLOAT64_COLUMNS = {"ra": "TARGET_RA", "dec": "TARGET_DEC"}
_FLOAT32_COLUMNS = {"flux_g": "FLUX_G", "flux_r": "FLUX_R", "flux_z": "FLUX_Z", "ebv": "EBV"}
_INTEGER_COLUMNS = {"tileid": "TILEID", "night": "NIGHT", "fiberid": "FIBER"}
_TARGET_COLUMNS = ("DESI_TARGET", "SV3_DESI_TARGET", "SV2_DESI_TARGET", "SV1_DESI_TARGET", "CMX_TARGET")
_WANTED = (
    "TARGETID",
    "OBJTYPE",
    "EXPID",
    "MJD",
    *_FLOAT64_COLUMNS.values(),
    *_FLOAT32_COLUMNS.values(),
    *_INTEGER_COLUMNS.values(),
    *_TARGET_COLUMNS,
)


@dataclass(frozen=True)
class _ArmImages:
    """Where an arm lies in the file: its wavelengths, and its images, all of one shape."""

    name: str
    wavelength: NDArray[np.float64]
    flux: Hdu
    ivar: Hdu
    mask: Hdu | None


def read_desi(fits: FitsFile, *, masks: bool) -> SpectraFile:
    """Read an open DESI coadd or spectra file, with the answer of the redrock file beside it.

    ``masks``: read X_MASK too. ``frac_masked`` and ``snr`` of the rows are left NaN. BadInput for missing or
    ill-shaped HDUs and columns, in one line.
    """
    images = _find_arms(fits, masks)
    arms = tuple(_read_arm(fits, arm) for arm in images)
    return replace(_described(fits, images), arms=arms)


def desi_in_blocks(fits: FitsFile, rows_at_once: int) -> tuple[SpectraFile, Iterator[tuple[Arm, ...]]]:
    """The file without its arms, and the arms of ``rows_at_once`` rows after the other (the last of fewer), unmasked.

    For reading a file of any length in little memory: the arrays of a block hold only until the next block is asked
    for. Otherwise as :func:`read_desi`; the blocks may raise BadInput, too.
    """
    images = _find_arms(fits, masks=False)
    file = _described(fits, images)
    return file, _blocks(fits, images, len(file.rows), rows_at_once)


def _blocks(fits: FitsFile, images: list[_ArmImages], n_rows: int, at_once: int) -> Iterator[tuple[Arm, ...]]:
    read = [tuple(fits.image_rows(hdu, at_once) for hdu in (arm.flux, arm.ivar)) for arm in images]
    for first in range(0, n_rows, at_once):
        yield tuple(
            Arm(arm.name, arm.wavelength, flux(first), ivar(first))
            for arm, (flux, ivar) in zip(images, read, strict=True)
        )


def _described(fits: FitsFile, images: list[_ArmImages]) -> SpectraFile:
    """The file without its arms."""
    present = [arm.name for arm in images]
    notes = [f"no {name} arm in the file" for name in DESI_ARMS if name not in present]
    rows = empty_rows(images[0].flux.shape[0])
    fibermap = fits.find("FIBERMAP")
    if fibermap is None:
        notes.append("no FIBERMAP: its rows can be scored, not selected")
    else:
        _fill_from_fibermap(rows, fits, fibermap)
    _fill_from_header(rows, fits.hdus[0])
    notes.extend(add_redrock(rows, fits.path))
    return SpectraFile(
        path=fits.path,
        survey="desi",
        kind=_kind(fits, fibermap),
        program=_program(fits),
        arms=(),
        rows=rows,
        notes=tuple(notes),
    )


def _find_arms(fits: FitsFile, masks: bool) -> list[_ArmImages]:
    """The arms of the file, at least one; all have the same number of spectra."""
    present = [name for name in DESI_ARMS if _parts(fits, name)]
    if not present:
        raise fits.bad("has none of the HDUs B_FLUX, R_FLUX, Z_FLUX", "name a DESI coadd or spectra file")
    arms: list[_ArmImages] = []
    for name in present:
        arms.append(_find_arm(fits, name, masks, n_rows=arms[0].flux.shape[0] if arms else None))
    return arms


def _parts(fits: FitsFile, name: str) -> list[Hdu]:
    found = (fits.find(f"{name.upper()}_{part}") for part in ("WAVELENGTH", "FLUX", "IVAR"))
    return [hdu for hdu in found if hdu is not None]


def _find_arm(fits: FitsFile, name: str, masks: bool, n_rows: int | None) -> _ArmImages:
    """One arm; ``n_rows`` is the number of spectra of the arms before, which this one must have too."""
    letter = name.upper()
    parts = []
    for part in ("WAVELENGTH", "FLUX", "IVAR"):
        hdu = fits.find(f"{letter}_{part}")
        if hdu is None:
            raise fits.bad(f"has no HDU {letter}_{part} beside the other HDUs of arm {letter}")
        parts.append(hdu)
    wavelength = checked_wavelength(fits, parts[0].label, fits.image(parts[0], n_axes=1))
    n_rows = parts[1].shape[0] if n_rows is None and parts[1].shape else n_rows
    mask = fits.find(f"{letter}_MASK") if masks else None
    for image in (*parts[1:], *([mask] if mask is not None else [])):
        fits.check_image(image, (n_rows or 0, len(wavelength)))
    return _ArmImages(name, wavelength, parts[1], parts[2], mask)


def _read_arm(fits: FitsFile, arm: _ArmImages) -> Arm:
    flux, ivar = fits.image(arm.flux), fits.image(arm.ivar)
    mask = None
    if arm.mask is not None:
        flags = fits.image(arm.mask)
        if flags.dtype.kind not in "iu":
            raise fits.bad(f"{arm.mask.label} holds no integers")
        mask = flags.astype(np.int32)
    return Arm(arm.name, arm.wavelength, flux, ivar, mask)


def checked_wavelength(fits: FitsFile, label: str, values: NDArray[Any]) -> NDArray[np.float64]:
    """Wavelengths (nw,) as float64; BadInput unless they are finite, positive and ascending."""
    wavelength = values.astype(np.float64)
    if not (np.isfinite(wavelength).all() and (wavelength > 0).all() and (np.diff(wavelength) > 0).all()):
        raise fits.bad(f"{label}: the wavelengths are not finite, positive and ascending")
    return wavelength


def _fill_from_fibermap(rows: NDArray[np.void], fits: FitsFile, fibermap: Hdu) -> None:
    if fibermap.is_table and fibermap.n_rows != len(rows):
        raise fits.bad(f"HDU FIBERMAP has {fibermap.n_rows} rows for {len(rows)} spectra")
    columns = fits.columns(fibermap, _WANTED)
    targetid = columns.get("TARGETID")
    if targetid is None or targetid.ndim != 1 or targetid.dtype.kind not in "iu":
        state = "no column TARGETID" if targetid is None else "a column TARGETID that is not one integer a row"
        raise fits.bad(f"HDU FIBERMAP has {state}", "add TARGETID, or leave FIBERMAP out to score without it")
    rows["targetid"] = as_integers(targetid, 0)
    rows["identity"] = desi_identity(rows["targetid"])
    for name, column in _FLOAT64_COLUMNS.items():
        if column in columns:
            rows[name] = as_floats(columns[column])
    for name, column in _FLOAT32_COLUMNS.items():
        if column in columns:
            rows[name] = as_float32(as_floats(columns[column]))
    for name, column in _INTEGER_COLUMNS.items():
        if column in columns:
            rows[name] = as_small_integers(columns[column])
    if "EXPID" in columns:
        rows["expid"] = as_integers(columns["EXPID"], -1)
    if "MJD" in columns:
        rows["mjd"] = as_small_integers(np.floor(as_floats(columns["MJD"])))
    if "OBJTYPE" in columns:
        rows["objtype"] = as_texts(columns["OBJTYPE"])
    rows["desi_target"] = _target_bits(columns, fits.hdus[0].text("SURVEY"), len(rows))


def _target_bits(columns: dict[str, NDArray[Any]], survey: str, n_rows: int) -> NDArray[np.int64]:
    """Targeting bits (n,): of the survey that the header names, else of the first column that has any."""
    own = "DESI_TARGET" if survey in ("main", "special") else f"{survey.upper()}_DESI_TARGET"
    bits = np.zeros(n_rows, dtype=np.int64)
    for name in dict.fromkeys((own, *_TARGET_COLUMNS)):
        if name in columns:
            bits = np.where(bits == 0, as_integers(columns[name], 0), bits)
    return bits


def _fill_from_header(rows: NDArray[np.void], primary: Hdu) -> None:
    """TILEID and NIGHT of a single-tile file, where the FIBERMAP does not have them."""
    for name, keyword in (("tileid", "TILEID"), ("night", "NIGHT")):
        value = as_small_integers(np.array([primary.integer(keyword)]))[0]
        rows[name] = np.where(rows[name] < 0, value, rows[name])


def _kind(fits: FitsFile, fibermap: Hdu | None) -> Kind:
    """Exposures have EXPID in the FIBERMAP, coadds an EXP_FIBERMAP; a file with neither goes by its name."""
    names = {column.upper() for column in fibermap.columns} if fibermap else set()
    if fits.find("EXP_FIBERMAP") or any(name.startswith("COADD_") for name in names):
        return "coadd"
    if "EXPID" in names or fits.path.name.startswith("spectra-"):
        return "exposure"
    return "coadd"


def _program(fits: FitsFile) -> str:
    """PROGRAM of the header, else of a healpix file's name (coadd-SURVEY-PROGRAM-PIXEL), else ""."""
    written = fits.hdus[0].text("PROGRAM")
    words = Path(fits.path.name.split(".")[0]).name.split("-")
    named = words[2] if len(words) == 4 and words[3].isdigit() and words[2].isalpha() else ""
    return (written or named).lower()
