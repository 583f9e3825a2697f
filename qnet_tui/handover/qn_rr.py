"""The table of DESI's quasar afterburner, ``QN_RR``, as its readers expect it (algorithm.md 8).

One row per row of the redrock file, in its order. No redrock is run here, so IS_QSO_QN_NEW_RR, which means "redrock was
run again", is False everywhere, and the columns of the rerun hold what upstream writes where there was none: NaN, 0 or
blank. A row that the line finder could not score has NaN in Z_QN, C_ and Z_.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qnet_tui.errors import BadInput
from qnet_tui.handover.fits_bytes import Table, fits_bytes
from qnet_tui.handover.scores import LINE_NAMES
from qnet_tui.whole_files import write_whole

EXTNAME = "QN_RR"
REQUIRED_HEADER = ("WHASH", "GRID", "C_THRESH", "N_THRESH", "PIPELINE", "RULE", "OFFSETS", "QNETVER")
_N_COEFF = 10
_COMMENTS = {
    "WEIGHTS": "weights file",
    "WHASH": "SHA-256 of the weights file",
    "GRID": "wavelength grid of the network",
    "OFFSETS": "how offsets in the boxes are read",
    "EXTRAPOL": "decoded past the ends of the grid",
    "PIPELINE": "whose columns and widths",
    "RULE": "whom redrock should be asked again about",
    "C_THRESH": "a line counts when its C_ > this",
    "N_THRESH": "how many of six must (no BAL)",
    "WIDTH_A": "full width of a prior: WIDTH_A (1 + Z_QN)",
    "WIDTH": "full width of every prior",
    "RERUN": "redrock was run again",
    "ARMS": "arms in the coadd",
    "NSCORED": "rows with a score, the others hold NaN",
    "NQSO": "rows above the thresholds",
    "NPRIORS": "reruns that the pipeline should make",
    "COADD": "spectra",
    "REDROCK": "redrock file of these rows",
    "QNETVER": "version of qnet",
    "STAMP": "input, weights and settings",
}


def column_dtypes(pipeline: str, target_column: str) -> dict[str, np.dtype[Any]]:
    """Names and dtypes of the columns, in order; ``target_column`` is the survey's name of DESI_TARGET.

    ``pipeline`` "current": those that desispec writes today; "dr1": those of EDR and DR1.
    """
    start = {"TARGETID": "i8", "RA": "f8", "DEC": "f8"}
    lines = {f"{letter}_{name}": "f4" for letter in "CZ" for name in LINE_NAMES}
    if pipeline == "dr1":
        columns = {
            **start, "Z_NEW": "f8", "ZERR_NEW": "f4", target_column: "i8", "COEFFS": f"({_N_COEFF},)f4",
            "SPECTYPE": "S10", "Z_RR": "f4", "Z_QN": "f4", "IS_QSO_QN_NEW_RR": "?", **lines,
        }  # fmt: skip
    elif pipeline == "current":
        columns = {
            **start, target_column: "i8", "SPECTYPE_RR": "S6", "Z_RR": "f8", "IS_QSO_QN_NEW_RR": "?", "Z_QN": "f4",
            **lines, "Z_NEW": "f8", "ZERR_NEW": "f4", "ZWARN_NEW": "i8", "SPECTYPE_NEW": "S3", "SUBTYPE_NEW": "S3",
            "CHI2_NEW": "f4", "DELTACHI2_NEW": "f4", "COEFF_NEW": f"({_N_COEFF},)f4",
        }  # fmt: skip
    else:
        raise ValueError(f"no columns for pipeline {pipeline!r}")
    return {name: np.dtype(kind) for name, kind in columns.items()}


def qn_rr_columns(
    *,
    pipeline: str,
    target_column: str,
    targetid: ArrayLike,
    ra: ArrayLike,
    dec: ArrayLike,
    desi_target: ArrayLike,
    spectype: ArrayLike,
    z_redrock: ArrayLike,
    zbest: ArrayLike,
    c_line: ArrayLike,
    z_line: ArrayLike,
) -> dict[str, NDArray[Any]]:
    """Columns for :func:`write_qn_rr`: all arguments (n,) in the order of the redrock file, the lines (6, n).

    ``zbest``, ``c_line`` and ``z_line`` are NaN where a row has no score. ValueError when shapes do not fit.
    """
    ids = np.asarray(targetid, dtype=np.int64)
    n = ids.size
    confidence, redshift = np.asarray(c_line), np.asarray(z_line)
    if confidence.shape != (len(LINE_NAMES), n) or redshift.shape != confidence.shape:
        raise ValueError(f"lines {confidence.shape}, {redshift.shape} do not fit {n} rows of redrock")
    kind = np.char.encode(np.asarray(spectype, dtype=np.str_), "ascii", "replace")
    given: dict[str, ArrayLike] = {
        "TARGETID": ids, "RA": ra, "DEC": dec, target_column: desi_target,
        "SPECTYPE": kind, "SPECTYPE_RR": kind, "Z_RR": z_redrock, "Z_QN": zbest,
        **{f"C_{name}": confidence[line] for line, name in enumerate(LINE_NAMES)},
        **{f"Z_{name}": redshift[line] for line, name in enumerate(LINE_NAMES)},
    }  # fmt: skip
    columns: dict[str, NDArray[Any]] = {}
    for name, dtype in column_dtypes(pipeline, target_column).items():
        base, shape = dtype.base, (n, *dtype.shape)
        if name in given:
            columns[name] = np.asarray(given[name]).astype(base)
        else:
            columns[name] = np.full(shape, np.nan, base) if base.kind == "f" else np.zeros(shape, base)
        if columns[name].shape != shape:
            raise ValueError(f"column {name} has shape {columns[name].shape}, not {shape}")
    return columns


def qn_rr_header(facts: Mapping[str, Any], depends: Mapping[str, str]) -> dict[str, Any]:
    """Header of :func:`write_qn_rr`: ``facts`` by keyword, then that no rerun was made, then what it depends on.

    ``depends`` are versions and files by name, written as DESI writes them: DEPNAMnn and DEPVERnn.
    """
    cards: dict[str, Any] = {**facts, "RERUN": False, "NOTE": "no rerun was made: *_NEW columns are empty"}
    for number, (name, version) in enumerate(depends.items()):
        cards[f"DEPNAM{number:02d}"], cards[f"DEPVER{number:02d}"] = name, version
    return cards


def write_qn_rr(path: Path, columns: Mapping[str, NDArray[Any]], header: Mapping[str, Any]) -> None:
    """Write the table at ``path`` (.fits or .fits.gz), whole or not at all; same input, same bytes.

    ``columns`` are those of :func:`qn_rr_columns`; ``header`` needs the keys of ``REQUIRED_HEADER``. BadInput for
    another ending of the name, QnetError when the disk is full or the folder not writable.
    """
    if not path.name.lower().endswith((".fits", ".fits.gz")):
        raise BadInput("the afterburner's table is written as FITS", file=path, mend="name it .fits or .fits.gz")
    missing = [key for key in REQUIRED_HEADER if key not in header]
    if missing:
        raise ValueError(f"header lacks {', '.join(missing)}")
    cards = {**header, "NSCORED": int(np.count_nonzero(~np.isnan(columns["Z_QN"])))}
    write_whole(path, fits_bytes([Table(EXTNAME, columns, cards, _COMMENTS)]))
