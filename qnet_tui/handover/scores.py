"""The scores FITS: what a weights file says of every row of some files, for people who have no qnet.

HDU 1 ``QN_SCORES`` has one row per input row, in input order, with NaN where a row cannot be scored
(IS_QSO is False there): TARGETID, for SDSS also THING_ID, PLATE, MJD, FIBERID, with several input files
FILE and HDU_ROW, then IS_QSO, ZBEST (f8), C_LYA … C_Halpha and Z_LYA … Z_Halpha (f4). HDU 2 ``FILES``
names the input files. The header of HDU 1 says what is needed to repeat it: hash of the weights, grid,
thresholds and rule, offsets, versions.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qnet_tui.errors import BadInput
from qnet_tui.handover.fits_bytes import Table, fits_bytes
from qnet_tui.whole_files import write_whole

EXTNAME = "QN_SCORES"
LINE_NAMES = ("LYA", "CIV", "CIII", "MgII", "Hbeta", "Halpha")
REQUIRED_HEADER = ("WHASH", "GRID", "C_THRESH", "N_THRESH", "OFFSETS", "QNETVER")
_SDSS: dict[str, type[np.generic]] = {
    "THING_ID": np.int64,
    "PLATE": np.int32,
    "MJD": np.int32,
    "FIBERID": np.int32,
}
_PLACE: dict[str, type[np.generic]] = {"FILE": np.int32, "HDU_ROW": np.int64}
_COMMENTS = {
    "WEIGHTS": "weights file",
    "WHASH": "SHA-256 of the weights file",
    "GRID": "wavelength grid of the network",
    "C_THRESH": "IS_QSO: a line counts when its C_ > this",
    "N_THRESH": "IS_QSO: how many of six must (no BAL)",
    "OFFSETS": "how offsets in the boxes are read",
    "QNETVER": "version of qnet",
    "NPVER": "version of numpy",
    "TFVER": "version of TensorFlow",
    "NSCORED": "rows with a score, the others hold NaN",
    "NFILES": "input files, listed in HDU FILES",
}


def column_dtypes(*, sdss: bool, several_files: bool) -> dict[str, type[np.generic]]:
    """Names and dtypes of the columns of HDU 1, in order."""
    columns: dict[str, type[np.generic]] = {"TARGETID": np.int64}
    if sdss:
        columns |= _SDSS
    if several_files:
        columns |= _PLACE
    columns |= {"IS_QSO": np.bool_, "ZBEST": np.float64}
    columns |= {f"C_{name}": np.float32 for name in LINE_NAMES}
    columns |= {f"Z_{name}": np.float32 for name in LINE_NAMES}
    return columns


def score_columns(
    *,
    targetid: ArrayLike,
    kept: ArrayLike,
    c_line: ArrayLike,
    z_line: ArrayLike,
    zbest: ArrayLike,
    is_qso: ArrayLike,
    sdss: Mapping[str, ArrayLike] | None = None,
    file_index: ArrayLike | None = None,
    hdu_row: ArrayLike | None = None,
) -> dict[str, NDArray[Any]]:
    """Columns for :func:`write_scores`: predictions of the m scored rows spread over all n input rows.

    ``targetid`` (n,) i8, 0 where there is none; ``kept`` (m,) positions of the scored rows among the n,
    no position twice; ``c_line``, ``z_line`` (6, m); ``zbest``, ``is_qso`` (m,). ``sdss`` holds THING_ID,
    PLATE, MJD, FIBERID (n,). ``file_index`` (n,) into the list of files and ``hdu_row`` (n,) are given
    together, for several files. Raises ValueError when shapes do not fit.
    """
    ids, rows = np.asarray(targetid, dtype=np.int64), np.asarray(kept, dtype=np.int64)
    n = ids.size
    if np.unique(rows).size != rows.size or (rows.size and not 0 <= rows.min() <= rows.max() < n):
        raise ValueError("kept must be different positions among the input rows")
    if (file_index is None) != (hdu_row is None):
        raise ValueError("file_index and hdu_row go together")
    confidence, redshift = np.asarray(c_line), np.asarray(z_line)
    if confidence.shape != (len(LINE_NAMES), rows.size) or redshift.shape != confidence.shape:
        raise ValueError(f"lines {confidence.shape}, {redshift.shape} do not fit {rows.size} scored rows")
    given: dict[str, ArrayLike] = {"TARGETID": ids}
    if sdss is not None:
        given |= {name: sdss[name] for name in _SDSS}
    if file_index is not None and hdu_row is not None:
        given |= {"FILE": file_index, "HDU_ROW": hdu_row}
    columns: dict[str, NDArray[Any]] = {}
    for name, dtype in column_dtypes(sdss=sdss is not None, several_files=file_index is not None).items():
        if name in given:
            columns[name] = np.asarray(given[name], dtype=dtype)
            continue
        columns[name] = np.zeros(n, dtype) if dtype is np.bool_ else np.full(n, np.nan, dtype)
    columns["IS_QSO"][rows] = np.asarray(is_qso, dtype=np.bool_)
    columns["ZBEST"][rows] = np.asarray(zbest, dtype=np.float64)
    for line, name in enumerate(LINE_NAMES):
        columns[f"C_{name}"][rows] = confidence[line]
        columns[f"Z_{name}"][rows] = redshift[line]
    return columns


def score_header(
    *,
    weights_hash: str,
    grid: str,
    c_threshold: float,
    n_lines: int,
    offsets: str,
    qnet_version: str,
    weights_file: str = "",
    versions: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Header of :func:`write_scores` under its keys; ``versions`` may add keys such as NPVER, TFVER."""
    return {
        "WEIGHTS": weights_file,
        "WHASH": weights_hash,
        "GRID": grid,
        "C_THRESH": float(c_threshold),
        "N_THRESH": int(n_lines),
        "OFFSETS": offsets,
        "QNETVER": qnet_version,
        **(versions or {}),
    }


def write_scores(
    path: str | Path,
    columns: Mapping[str, ArrayLike],
    header: Mapping[str, Any],
    *,
    files: Sequence[str | Path] = (),
) -> None:
    """Write the scores FITS at ``path`` (.fits or .fits.gz), whole or not at all; same input, same bytes.

    ``columns`` are those of :func:`column_dtypes`, all (n,), cast to their dtypes without loss of range;
    with THING_ID all four SDSS columns are needed, with FILE also HDU_ROW. ``header`` needs the keys of
    ``REQUIRED_HEADER``; others are written too. ``files`` are the inputs, in the order that FILE counts
    them. Raises BadInput for another ending of the name, QnetError when the disk is full or the folder
    not writable, ValueError for missing columns, header keys, or shapes that differ.
    """
    target = Path(path)
    if not target.name.lower().endswith((".fits", ".fits.gz")):
        raise BadInput("scores are written as FITS", file=target, mend="name it .fits or .fits.gz")
    arrays = _checked(columns, len(files))
    missing = [key for key in REQUIRED_HEADER if key not in header]
    if missing:
        raise ValueError(f"header lacks {', '.join(missing)}")
    scored = int(np.count_nonzero(~np.isnan(arrays["ZBEST"])))
    cards = {**header, "NSCORED": scored, "NFILES": len(files)}
    names = [str(name).encode("utf-8", "backslashreplace") for name in files]
    listing = {
        "FILE": np.arange(len(files), dtype=np.int32),
        # A zero-width text column is not FITS: at least one character, also when no file is listed.
        "PATH": np.array(names, dtype=f"S{max([1, *map(len, names)])}"),
    }
    raw = fits_bytes([Table(EXTNAME, arrays, cards, _COMMENTS), Table("FILES", listing, {}, {})])
    write_whole(target, raw)


def _checked(columns: Mapping[str, ArrayLike], n_files: int) -> dict[str, NDArray[Any]]:
    """The columns in their order and dtypes; ValueError for a missing, unknown or odd one."""
    wanted = column_dtypes(
        sdss=any(name in columns for name in _SDSS), several_files=any(name in columns for name in _PLACE)
    )
    missing = [name for name in wanted if name not in columns]
    unknown = [name for name in columns if name not in wanted]
    if missing or unknown:
        raise ValueError(f"columns missing: {', '.join(missing) or '-'}; unknown: {', '.join(unknown) or '-'}")
    arrays: dict[str, NDArray[Any]] = {}
    for name, dtype in wanted.items():
        values = np.asarray(columns[name])
        arrays[name] = values.astype(dtype)
        if np.issubdtype(dtype, np.integer) and not np.array_equal(arrays[name], values):
            raise ValueError(f"column {name} holds numbers that {np.dtype(dtype)} cannot")
    n = arrays["TARGETID"].size
    if any(values.shape != (n,) for values in arrays.values()):
        raise ValueError(f"columns differ in shape: { {k: v.shape for k, v in arrays.items()} }")
    if "FILE" in arrays and n and not 0 <= arrays["FILE"].min() <= arrays["FILE"].max() < n_files:
        raise ValueError(f"column FILE counts beyond the {n_files} files")
    return arrays
