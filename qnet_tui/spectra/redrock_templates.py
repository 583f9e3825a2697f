"""Templates of an installed redrock (environment variable ``RR_TEMPLATE_DIR``), read into plain arrays.

A template file ``rrtemplate-TYPE-SUBTYPE-vX.fits`` has the HDU BASIS_VECTORS (k, n) with CRVAL1 and CDELT1 in Å, or
in log10 Å when LOGLAM is true, at rest in vacuum, and RRTYPE and RRSUBTYP in its header.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qnet_tui.errors import BadInput
from qnet_tui.spectra.open_fits import open_fits

VARIABLE = "RR_TEMPLATE_DIR"
_MEND = "take it out of the folder, or install redrock's templates again"
# More samples or rows than any template has: such a file is something else.
_MOST_SAMPLES, _MOST_ROWS = 2_000_000, 50
_SPECTYPES = ("QSO", "GALAXY", "STAR")


@dataclass(frozen=True, eq=False)
class InstalledTemplate:
    """One template file: ``wavelength`` (n,) Å at rest in vacuum, ``basis`` (k, n), both float64."""

    name: str
    spectype: str
    wavelength: NDArray[np.float64]
    basis: NDArray[np.float64]


def installed_folder() -> Path | None:
    """Return the folder of the installed templates, None when the variable is not set or names none."""
    named = os.environ.get(VARIABLE, "")
    return Path(named) if named and Path(named).is_dir() else None


def template_files(folder: Path) -> tuple[Path, ...]:
    """Return the template files of a folder, of every type and subtype the highest version only, in order."""
    newest: dict[str, tuple[tuple[int, ...], Path]] = {}
    for path in sorted(folder.glob("rrtemplate-*.fits*")):
        stem = re.sub(r"\.fits(\.gz)?$", "", path.name)
        family, _, version = stem.rpartition("-v")
        numbers = tuple(int(number) for number in re.findall(r"\d+", version)) if family else ()
        key = (family or stem).upper()
        if key not in newest or numbers > newest[key][0]:
            newest[key] = (numbers, path)
    return tuple(path for _, path in newest.values())


def read_template(path: Path) -> InstalledTemplate:
    """Read one template file; BadInput when it is none or damaged, QnetError when it cannot be read."""
    with open_fits(path) as fits:
        hdu = fits.find("BASIS_VECTORS")
        if hdu is None:
            raise fits.bad("has no HDU BASIS_VECTORS", _MEND)
        if len(hdu.shape) != 2 or hdu.shape[0] > _MOST_ROWS or not 2 <= hdu.shape[1] <= _MOST_SAMPLES:
            raise fits.bad(f"{hdu.label} has shape {hdu.shape}, no template's", _MEND)
        spectype, subtype = hdu.text("RRTYPE").upper(), hdu.text("RRSUBTYP")
        start, step = hdu.value("CRVAL1"), hdu.value("CDELT1")
        if spectype not in _SPECTYPES or not isinstance(start, int | float) or not isinstance(step, int | float):
            raise fits.bad("its header gives no type and wavelengths (RRTYPE, CRVAL1, CDELT1)", _MEND)
        logarithmic = hdu.value("LOGLAM") in (True, 1)
        basis = np.asarray(fits.image(hdu), np.float64)
    with np.errstate(over="ignore"):
        grid = float(start) + float(step) * np.arange(basis.shape[1])
        wavelength = np.asarray(10.0**grid if logarithmic else grid, np.float64)
    usable = np.isfinite(wavelength).all() and wavelength[0] > 0 and bool((np.diff(wavelength) > 0).all())
    if not usable or not np.isfinite(basis).all() or not basis.any():
        raise BadInput("its wavelengths or its basis are not usable numbers", mend=_MEND, file=path)
    name = f"redrock {spectype} {subtype}".strip()
    return InstalledTemplate(name, spectype, wavelength, basis)
