"""The pipeline's Nth fits: redrock's details file ``rrdetails-X.h5`` beside ``coadd-X.fits``.

redrock keeps for every target the minima that it refined, ``/zfit/<TARGETID>/zfit``: a table with columns z, zerr,
zwarn, chi2, deltachi2, spectype, subtype and znum (0 the best, of those it has not thrown out as too near another).
Nothing else of the file is read.
"""

from __future__ import annotations

import math
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qnet_tui.errors import BadInput, QnetError

FITS_DTYPE: np.dtype[np.void] = np.dtype(
    [
        ("rank", "i4"),
        ("spectype", "U8"),
        ("subtype", "U16"),
        ("z", "f8"),
        ("zerr", "f8"),
        ("zwarn", "i8"),
        ("chi2", "f8"),
        ("deltachi2", "f8"),
    ]
)
"""How fits are kept beside a copied spectrum: the fields of :class:`PipelineFit`."""

_SPECTRA_PREFIXES = ("coadd-", "spectra-")
_MEND = "put the details file of this coadd beside it"
# No target has more fits than this; a longer table is not one.
_MOST = 1000


@dataclass(frozen=True)
class PipelineFit:
    """One fit of the pipeline: ``rank`` 0 is its best; ``zwarn`` its warning bits; ``deltachi2`` to the next fit."""

    rank: int
    spectype: str
    subtype: str
    z: float
    zerr: float
    zwarn: int
    chi2: float
    deltachi2: float


def rrdetails_sibling(path: Path) -> Path | None:
    """Return the details file of a coadd or spectra file, None when there is none in the same folder."""
    name = path.name.removesuffix(".gz")
    prefix = next((prefix for prefix in _SPECTRA_PREFIXES if name.startswith(prefix)), None)
    if prefix is None:
        return None
    beside = path.with_name("rrdetails-" + name.removeprefix(prefix).removesuffix(".fits") + ".h5")
    return beside if beside.is_file() else None


def read_fits(path: Path, targetid: int) -> tuple[PipelineFit, ...]:
    """Return the fits of one target, best first; () when the file does not know it.

    BadInput when the file is not there, damaged or has another layout; QnetError when the system does not let us read.
    """
    return read_all_fits(path, [targetid])[targetid]


def read_all_fits(path: Path, targetids: list[int]) -> dict[int, tuple[PipelineFit, ...]]:
    """Return the fits of several targets of one file, opening it once; errors as :func:`read_fits`."""
    # The label screen reads fits that were copied beside the spectrum; it must not load h5py.
    import h5py

    try:
        with path.open("rb") as stream, h5py.File(stream, "r") as file:
            if "zfit" not in file:
                raise BadInput("has no group /zfit", mend=_MEND, file=path)
            return {target: _fits(file["zfit"], target, path) for target in targetids}
    except FileNotFoundError as error:
        raise BadInput("no such file", mend=_MEND, file=path) from error
    except PermissionError as error:
        raise QnetError(f"cannot be read ({error.strerror})", file=path) from error
    except QnetError:
        raise
    # h5py raises some ten kinds of exception for damaged files.
    except Exception as error:
        raise BadInput("is no details file of redrock, or a damaged one", mend=_MEND, file=path) from error


def fits_array(fits: tuple[PipelineFit, ...]) -> NDArray[np.void]:
    """Return fits as an array (n,) of ``FITS_DTYPE``."""
    return np.array([astuple(fit) for fit in fits], dtype=FITS_DTYPE)


def fits_of_array(table: NDArray[np.void]) -> tuple[PipelineFit, ...]:
    """Return the fits in an array (n,) of ``FITS_DTYPE``, equal to those it was made of."""
    return tuple(PipelineFit(*row) for row in table.tolist())


def _fits(group: Any, targetid: int, path: Path) -> tuple[PipelineFit, ...]:
    name = str(targetid)
    if name not in group:
        return ()
    entry = group[name]
    table = entry["zfit"] if hasattr(entry, "keys") else entry
    if table.ndim != 1 or len(table) > _MOST or not {"z", "spectype"} <= set(table.dtype.names or ()):
        raise BadInput(f"/zfit/{name} is no table of fits", mend=_MEND, file=path)
    rows = np.atleast_1d(table[()])
    if "znum" in (rows.dtype.names or ()):
        rows = rows[np.argsort(rows["znum"], kind="stable")]
    fits = [_fit(rank, row) for rank, row in enumerate(rows)]
    return tuple(fit for fit in fits if math.isfinite(fit.z) and fit.spectype)


def _fit(rank: int, row: Any) -> PipelineFit:
    return PipelineFit(
        rank=rank,
        spectype=_text(row, "spectype").upper()[:8],
        subtype=_text(row, "subtype")[:16],
        z=float(row["z"]),
        zerr=_number(row, "zerr"),
        zwarn=int(_number(row, "zwarn", -1.0)),
        chi2=_number(row, "chi2"),
        deltachi2=_number(row, "deltachi2"),
    )


def _number(row: Any, name: str, absent: float = math.nan) -> float:
    return float(row[name]) if name in row.dtype.names else absent


def _text(row: Any, name: str) -> str:
    if name not in row.dtype.names:
        return ""
    value = row[name]
    text = value.decode("ascii", "replace") if isinstance(value, bytes) else str(value)
    return text.strip().strip("\0")
