"""The pipeline's answer beside a DESI file: the redrock file of the same tile or healpix.

``redrock-X.fits`` beside ``coadd-X.fits`` or ``spectra-X.fits`` (releases before Everest:
``zbest-X.fits``), any of them gzipped. Its REDSHIFTS table (ZBEST) has TARGETID, Z, ZERR, ZWARN, SPECTYPE,
DELTACHI2; the order of its rows is not the order of the coadd (sky fibres are left out, reruns are sorted
differently), so TARGETID joins.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qnet_tui.errors import QnetError
from qnet_tui.spectra.columns import as_floats, as_integers, as_texts
from qnet_tui.spectra.fits_file import FitsFile
from qnet_tui.spectra.open_fits import open_fits

_SPECTRA_PREFIXES = ("coadd-", "spectra-")
_REDROCK_PREFIXES = ("redrock-", "zbest-")
_TABLES = ("REDSHIFTS", "ZBEST")
_NEEDED = ("TARGETID", "Z", "SPECTYPE")
_WANTED = (*_NEEDED, "ZERR", "ZWARN", "DELTACHI2")


def redrock_sibling(path: Path) -> Path | None:
    """The redrock file of a coadd or spectra file, None when there is none in the same folder."""
    name = path.name.removesuffix(".gz")
    prefix = next((prefix for prefix in _SPECTRA_PREFIXES if name.startswith(prefix)), None)
    if prefix is None:
        return None
    rest = name.removeprefix(prefix)
    candidates = (path.with_name(p + rest + gz) for p in _REDROCK_PREFIXES for gz in ("", ".gz"))
    return next((candidate for candidate in candidates if candidate.is_file()), None)


def add_redrock(rows: NDArray[np.void], path: Path) -> tuple[str, ...]:
    """Fill the ``pipeline`` columns of the rows from the sibling of the file at ``path``, if there is one.

    Returns notes: a sibling that cannot be read leaves the rows without a pipeline answer and says why.
    """
    sibling = redrock_sibling(path)
    if sibling is None or not (rows["targetid"] != 0).any():
        return ()
    try:
        with open_fits(sibling) as fits:
            n_matched = _fill(rows, fits)
    except QnetError as error:
        return (f"no pipeline answer: {error}",)
    if n_matched == 0:
        return (f"no pipeline answer: no TARGETID of this file is in {sibling.name}",)
    return ()


def _fill(rows: NDArray[np.void], fits: FitsFile) -> int:
    """Copy the redshifts of an open redrock file to the rows with the same TARGETID; returns how many."""
    hdu = fits.find(*_TABLES)
    if hdu is None:
        raise fits.bad("has no HDU REDSHIFTS", "put the redrock file of this coadd beside it")
    columns = fits.columns(hdu, _WANTED)
    absent = [name for name in _NEEDED if name not in columns]
    if absent and hdu.n_rows > 0:
        raise fits.bad(f"{hdu.label} has no column {absent[0]}", "put the redrock file of this coadd beside it")
    if hdu.n_rows == 0:
        return 0
    # 0 is no TARGETID: rows without one must not find each other.
    known = as_integers(columns["TARGETID"], 0)
    order = np.argsort(known, kind="stable")  # of repeated TARGETIDs the first row answers
    at = np.searchsorted(known[order], rows["targetid"])
    answer = order[np.minimum(at, len(order) - 1)]
    matched = (known[answer] == rows["targetid"]) & (rows["targetid"] != 0)
    answer = answer[matched]
    rows["pipeline"][matched] = "redrock"
    rows["pipeline_class"][matched] = np.char.upper(as_texts(columns["SPECTYPE"]))[answer]
    rows["pipeline_z"][matched] = as_floats(columns["Z"])[answer]
    for column, name in (("ZERR", "pipeline_zerr"), ("DELTACHI2", "pipeline_deltachi2")):
        if column in columns:
            rows[name][matched] = as_floats(columns[column])[answer]
    if "ZWARN" in columns:
        rows["pipeline_zwarn"][matched] = as_integers(columns["ZWARN"], -1)[answer]
    return int(matched.sum())
