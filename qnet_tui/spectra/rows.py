"""What is known of each spectrum of a file beside its flux: one record of ``ROW_DTYPE`` per spectrum.

Columns come from DESI's FIBERMAP, from SDSS's SPECOBJ row and from redrock's REDSHIFTS table; a value that
a file does not have is −1, NaN or "" (see :func:`empty_rows`), never a guess.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

ROW_DTYPE: np.dtype[np.void] = np.dtype(
    [
        ("hdu_row", "i8"),  # row of the flux images, from 0
        ("identity", "U24"),  # TARGETID, T<THING_ID> or P<plate>-<mjd>-<fiberid>; "" when there is none
        ("targetid", "i8"),  # 0 when the file has none
        ("thing_id", "i8"),  # SDSS; −1 when none
        ("plate", "i4"),
        ("mjd", "i4"),
        ("fiberid", "i4"),  # SDSS FIBERID, or DESI FIBER of a single-tile file
        ("tileid", "i4"),
        ("night", "i4"),
        ("expid", "i8"),
        ("objtype", "U8"),  # TGT, SKY, BAD…; "TGT" when the file does not say
        ("ra", "f8"),
        ("dec", "f8"),
        ("flux_g", "f4"),  # nanomaggies
        ("flux_r", "f4"),
        ("flux_z", "f4"),
        ("ebv", "f4"),
        ("desi_target", "i8"),  # targeting bits of the survey the row was observed in; 0 when not given
        ("arms", "U3"),  # letters of the arms with any ivar > 0; SDSS "s"
        ("arms_missing", "U3"),  # of "brz", those without any; always "" for SDSS
        ("frac_masked", "f4"),  # share of native pixels with ivar 0, over the arms the file has
        ("snr", "f4"),  # median of flux·√ivar over native pixels with ivar > 0; NaN when there are none
        ("pipeline", "U8"),  # where the next five come from: "redrock", "specobj" or ""
        ("pipeline_class", "U8"),  # STAR, GALAXY, QSO or ""
        ("pipeline_z", "f8"),
        ("pipeline_zerr", "f8"),
        ("pipeline_zwarn", "i8"),
        ("pipeline_deltachi2", "f8"),
    ]
)
"""The columns of ``SpectraFile.rows``."""

_MINUS_ONE = ("thing_id", "plate", "mjd", "fiberid", "tileid", "night", "expid", "pipeline_zwarn")


def empty_rows(n: int) -> NDArray[np.void]:
    """``n`` records in which nothing is known: hdu_row 0 … n−1, OBJTYPE "TGT", −1 / NaN / "" elsewhere."""
    rows: NDArray[Any] = np.zeros(n, dtype=ROW_DTYPE)
    rows["hdu_row"] = np.arange(n)
    rows["objtype"] = "TGT"
    for name in _MINUS_ONE:
        rows[name] = -1
    for name in ROW_DTYPE.names or ():
        if ROW_DTYPE[name].kind == "f":
            rows[name] = np.nan
    return rows


def desi_identity(targetid: NDArray[np.int64]) -> NDArray[np.str_]:
    """Identities of DESI rows: the TARGETID, or "" for TARGETID ≤ 0 (sky and stuck fibres are not unique)."""
    return np.where(targetid > 0, targetid.astype("U24"), "")


def sdss_identity(thing_id: int, plate: int, mjd: int, fiberid: int) -> str:
    """Identity of an SDSS spectrum: T<THING_ID> when there is one, else P<plate>-<mjd>-<fiberid>, else ""."""
    if thing_id > 0:
        return f"T{thing_id}"
    if plate > 0 and mjd > 0 and fiberid > 0:
        return f"P{plate}-{mjd}-{fiberid}"
    return ""
