"""The rows of a redrock file as the quasar afterburner joins them to a coadd: redshift, class, place, target bits.

REDSHIFTS (ZBEST before Everest) and FIBERMAP of a redrock file have the same rows in the same order since Everest;
reruns and older files order them differently, and then TARGETID joins. What the FIBERMAP of a redrock file does not
have is taken from that of its coadd.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qnet_tui.spectra.columns import as_floats, as_integers, as_texts
from qnet_tui.spectra.fits_file import FitsFile
from qnet_tui.spectra.open_fits import open_fits

_TABLES = ("REDSHIFTS", "ZBEST")
_NEEDED = ("TARGETID", "Z", "SPECTYPE")
_PLACES = ("TARGETID", "TARGET_RA", "TARGET_DEC", "OBJTYPE")
_MAIN_SURVEYS = ("main", "special")
_PAIR_AGAIN = "put the redrock file of this coadd beside it"


@dataclass(frozen=True, eq=False)
class RedrockTable:
    """A redrock file, in the order of its REDSHIFTS: n rows.

    ``targetid`` (n,) i8, ``z`` (n,) f8, ``spectype`` (n,) text; ``ra`` and ``dec`` (n,) f8 degrees, NaN where not
    given; ``objtype`` (n,) text, "TGT" where no file says; ``target_column`` is the survey's name of DESI_TARGET
    (DESI_TARGET, SV1_DESI_TARGET …, CMX_TARGET) and ``desi_target`` (n,) i8 its bits, 0 where not given.
    """

    path: Path
    targetid: NDArray[np.int64]
    z: NDArray[np.float64]
    spectype: NDArray[np.str_]
    ra: NDArray[np.float64]
    dec: NDArray[np.float64]
    objtype: NDArray[np.str_]
    target_column: str
    desi_target: NDArray[np.int64]

    @property
    def n_rows(self) -> int:
        """How many rows the file has."""
        return len(self.targetid)


def read_redrock_table(path: Path, coadd: Path) -> RedrockTable:
    """Read the redrock file at ``path``; ``coadd`` says what its FIBERMAP does not.

    BadInput, in one line, for a file that is not there, is truncated or damaged, or has no redshifts.
    """
    with open_fits(path) as fits:
        hdu = fits.find(*_TABLES)
        if hdu is None or not hdu.is_table:
            raise fits.bad("has no HDU REDSHIFTS", _PAIR_AGAIN)
        spelled = {column.upper() for column in hdu.columns}
        absent = [name for name in _NEEDED if name not in spelled]
        if absent:
            raise fits.bad(f"{hdu.label} has no column {absent[0]}", _PAIR_AGAIN)
        columns = fits.columns(hdu, _NEEDED)
        n = hdu.n_rows
        targetid = as_integers(columns["TARGETID"], 0) if n else np.zeros(0, np.int64)
        survey, names, found = _places(fits, targetid)
    if not {*_PLACES} <= names or not _target_columns(names):
        with open_fits(coadd, unpack_all=False) as fits:
            other_survey, other_names, other = _places(fits, targetid)
        survey, found = survey or other_survey, {**other, **found}
        names = names if _target_columns(names) else names | other_names
    column = target_column(names, survey)
    return RedrockTable(
        path=path,
        targetid=targetid,
        z=as_floats(columns["Z"]) if n else np.zeros(0),
        spectype=as_texts(columns["SPECTYPE"]) if n else np.zeros(0, "U6"),
        ra=as_floats(found["TARGET_RA"]) if "TARGET_RA" in found else np.full(n, np.nan),
        dec=as_floats(found["TARGET_DEC"]) if "TARGET_DEC" in found else np.full(n, np.nan),
        objtype=as_texts(found["OBJTYPE"]) if "OBJTYPE" in found else np.full(n, "TGT"),
        target_column=column,
        desi_target=as_integers(found[column], 0) if column in found else np.zeros(n, np.int64),
    )


def target_column(names: Iterable[str], survey: str) -> str:
    """The name of a survey's DESI_TARGET among the columns of a table, "DESI_TARGET" when there is none.

    The column of the ``survey`` that the header names comes first; a file of a single tile names none, and then a
    column of commissioning or survey validation comes before the main survey's, which such files have too.
    """
    present = sorted(_target_columns(names))
    word = survey.strip().lower()
    own = "DESI_TARGET" if word in _MAIN_SURVEYS else "CMX_TARGET" if word == "cmx" else f"{word.upper()}_DESI_TARGET"
    if own in present:
        return own
    return next((name for name in present if name != "DESI_TARGET"), "DESI_TARGET")


def rows_among(wanted: NDArray[np.int64], among: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where each TARGETID of ``wanted`` (n,) is among others (m,) -> (n,) positions, -1 where it is not.

    Two equal lists match row by row. Otherwise the k-th row of a TARGETID matches its k-th row there, and 0, which is
    no TARGETID, matches nothing.
    """
    if np.array_equal(wanted, among):
        return np.arange(len(wanted), dtype=np.int64)
    places: defaultdict[int, list[int]] = defaultdict(list)
    for at in range(len(among) - 1, -1, -1):
        places[int(among[at])].append(at)
    places[0] = []
    return np.array([places[t].pop() if places[t] else -1 for t in wanted.tolist()], dtype=np.int64)


def _target_columns(names: Iterable[str]) -> set[str]:
    """The names that are some survey's DESI_TARGET."""
    return {n for n in names if n in ("DESI_TARGET", "CMX_TARGET") or (n[:2] == "SV" and n.endswith("_DESI_TARGET"))}


def _places(fits: FitsFile, targetid: NDArray[np.int64]) -> tuple[str, set[str], dict[str, NDArray[Any]]]:
    """SURVEY of the header, columns of the FIBERMAP, and those needed for the rows of ``targetid`` if it has them all.

    Columns of a FIBERMAP that lacks some of the rows come with NaN or blank there.
    """
    survey = fits.hdus[0].text("SURVEY")
    hdu = fits.find("FIBERMAP")
    if hdu is None or not hdu.is_table:
        return survey, set(), {}
    names = {column.upper() for column in hdu.columns}
    columns = fits.columns(hdu, (*_PLACES, *_target_columns(names)))
    if "TARGETID" not in columns:
        return survey, names if not hdu.n_rows else set(), {}
    at = rows_among(targetid, as_integers(columns.pop("TARGETID"), 0))
    found = {}
    for name, values in columns.items():
        taken = values[np.maximum(at, 0)]
        if (at < 0).any():
            blank = b"" if values.dtype.kind == "S" else np.nan if values.dtype.kind == "f" else 0
            taken[at < 0] = blank
        found[name] = taken
    return survey, names, found
