"""A reader of QN_RR tables and prior files that was written from the data model alone.

It shares no code and no constant with what writes them: names, FITS formats and orders below are copied by hand from
the specification (algorithm.md 8), and everything is looked up in the raw header.
"""

from pathlib import Path
from typing import Any

import fitsio
import numpy as np
from numpy.typing import NDArray

_LINES = ["LYA", "CIV", "CIII", "MgII", "Hbeta", "Halpha"]
_C = [(f"C_{line}", "E") for line in _LINES]
_Z = [(f"Z_{line}", "E") for line in _LINES]


def expected_columns(dialect: str, target: str) -> list[tuple[str, str]]:
    """Name and TFORM of each column, in order."""
    if dialect == "dr1":
        return [
            ("TARGETID", "K"), ("RA", "D"), ("DEC", "D"), ("Z_NEW", "D"), ("ZERR_NEW", "E"), (target, "K"),
            ("COEFFS", "10E"), ("SPECTYPE", "10A"), ("Z_RR", "E"), ("Z_QN", "E"), ("IS_QSO_QN_NEW_RR", "L"), *_C, *_Z,
        ]  # fmt: skip
    return [
        ("TARGETID", "K"), ("RA", "D"), ("DEC", "D"), (target, "K"), ("SPECTYPE_RR", "6A"), ("Z_RR", "D"),
        ("IS_QSO_QN_NEW_RR", "L"), ("Z_QN", "E"), *_C, *_Z, ("Z_NEW", "D"), ("ZERR_NEW", "E"), ("ZWARN_NEW", "K"),
        ("SPECTYPE_NEW", "3A"), ("SUBTYPE_NEW", "3A"), ("CHI2_NEW", "E"), ("DELTACHI2_NEW", "E"), ("COEFF_NEW", "10E"),
    ]  # fmt: skip


def _table(path: Path, extname: str, columns: list[tuple[str, str]]) -> tuple[NDArray[Any], dict[str, Any]]:
    """Rows and header of the only table of a file, whose columns must be exactly these."""
    with fitsio.FITS(str(path)) as fits:
        assert len(fits) == 2, "an empty primary HDU and one table"
        header = dict(fits[1].read_header())
        found = [
            (header[f"TTYPE{n}"].strip(), header[f"TFORM{n}"].strip()) for n in range(1, int(header["TFIELDS"]) + 1)
        ]
        rows = fits[1].read() if header["NAXIS2"] else np.zeros(0, fits[1].get_rec_dtype()[0])
    assert header["EXTNAME"].strip() == extname
    assert found == columns
    return rows, header


def read_qn_rr(
    path: Path, redrock: Path, *, dialect: str = "current", target: str = "DESI_TARGET"
) -> tuple[NDArray[Any], dict[str, Any]]:
    """Rows and header of a QN_RR table, after everything that can be checked against redrock's file was."""
    rows, header = _table(path, "QN_RR", expected_columns(dialect, target))
    with fitsio.FITS(str(redrock)) as fits:
        n = fits["REDSHIFTS"].get_nrows()
        assert len(rows) == n == header["NAXIS2"]
        if n:
            zs, places = fits["REDSHIFTS"].read(), fits["FIBERMAP"].read()
            assert rows["TARGETID"].tolist() == zs["TARGETID"].tolist()
            assert rows["Z_RR"].tolist() == zs["Z"].astype(rows["Z_RR"].dtype).tolist()
            kind = rows["SPECTYPE" if dialect == "dr1" else "SPECTYPE_RR"]
            assert [k.strip() for k in kind.tolist()] == [k.strip() for k in zs["SPECTYPE"].tolist()]
            if "TARGET_RA" in places.dtype.names:
                where = {t: i for i, t in enumerate(places["TARGETID"].tolist())}
                at = [where[t] for t in rows["TARGETID"].tolist()]
                assert rows["RA"].tolist() == places["TARGET_RA"][at].tolist()
                assert rows["DEC"].tolist() == places["TARGET_DEC"][at].tolist()
                if target in places.dtype.names:
                    assert rows[target].tolist() == places[target][at].tolist()
    assert not rows["IS_QSO_QN_NEW_RR"].any(), "no redrock was run again"
    assert np.isnan(rows["Z_NEW"]).all()
    assert np.isnan(rows["ZERR_NEW"]).all()
    assert np.isnan(rows["COEFFS" if dialect == "dr1" else "COEFF_NEW"]).all()
    if dialect != "dr1":
        assert np.isnan(rows["CHI2_NEW"]).all()
        assert np.isnan(rows["DELTACHI2_NEW"]).all()
        assert not rows["ZWARN_NEW"].any()
        assert all(not text.strip() for name in ("SPECTYPE_NEW", "SUBTYPE_NEW") for text in rows[name].tolist())
    unscored = np.isnan(rows["Z_QN"])
    for name, _ in (*_C, *_Z):
        assert np.isnan(rows[name]).tolist() == unscored.tolist(), name
    confidences = np.array([rows[name] for name, _ in _C])
    assert ((confidences >= 0) & (confidences <= 1))[:, ~unscored].all()
    best = np.array([rows[name] for name, _ in _Z])[confidences.argmax(axis=0), np.arange(n)]
    assert rows["Z_QN"][~unscored].tolist() == best[~unscored].tolist()
    _check_header(header, rows, confidences)
    return rows, header


def _check_header(header: dict[str, Any], rows: NDArray[Any], confidences: NDArray[Any]) -> None:
    depends = {
        header[key].strip(): str(header[f"DEPVER{key[6:]}"]).strip() for key in header if key.startswith("DEPNAM")
    }
    assert depends.keys() >= {"QN_MODEL_FILE", "RR_TEMPLATE_DIR", "numpy", "python"}
    assert depends["QN_MODEL_FILE"].endswith(".h5")
    assert len(header["WHASH"]) == 64
    assert header["GRID"].strip() in ("log", "linear")
    assert header["RULE"].strip() in ("desispec", "paper")
    assert header["QNETVER"].strip()
    assert header["RERUN"] is False or header["RERUN"] == 0
    assert "no rerun was made" in header["NOTE"]
    assert header["NSCORED"] == np.count_nonzero(~np.isnan(rows["Z_QN"]))
    with np.errstate(invalid="ignore"):
        enough = (confidences > header["C_THRESH"]).sum(axis=0) >= header["N_THRESH"]
    # Confidences are float32 here and there, so a threshold cuts the same.
    assert header["NQSO"] == np.count_nonzero(enough)


def read_priors(path: Path) -> tuple[NDArray[Any], dict[str, Any]]:
    """Rows and header of a prior file as redrock reads it."""
    rows, header = _table(path, "PRIORS", [("TARGETID", "K"), ("FUNCTION", "6A"), ("Z", "D"), ("SIGMA", "D")])
    assert set(rows["FUNCTION"].tolist()) <= {"tophat"}
    assert len(rows) == header["NPRIORS"]
    return rows, header
