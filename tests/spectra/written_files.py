"""Small survey files for tests: the layouts of desispec, SDSS and redrock, with whatever content a test wants."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import fitsio
import numpy as np
from numpy.typing import NDArray

ARM_STARTS = {"B": 3600.0, "R": 5760.0, "Z": 7520.0}


def arm_images(letter: str, n: int, n_pixels: int = 60, seed: int = 0, step: float = 0.8) -> dict[str, NDArray[Any]]:
    """X_WAVELENGTH, X_FLUX, X_IVAR and X_MASK of one arm, by EXTNAME."""
    rng = np.random.default_rng([seed, ord(letter)])
    return {
        f"{letter}_WAVELENGTH": np.round(ARM_STARTS[letter] + step * np.arange(n_pixels), 1),
        f"{letter}_FLUX": rng.normal(2, 1, (n, n_pixels)).astype(np.float32),
        f"{letter}_IVAR": rng.uniform(0.5, 2, (n, n_pixels)).astype(np.float32),
        f"{letter}_MASK": np.zeros((n, n_pixels), dtype=np.int32),
    }


def desi_images(n: int, letters: str = "BRZ", **options: Any) -> dict[str, NDArray[Any]]:
    """The images of all arms of a DESI file, in desispec's order."""
    images: dict[str, NDArray[Any]] = {}
    for letter in letters:
        images |= arm_images(letter, n, **options)
    return images


def table(columns: Mapping[str, Sequence[Any] | NDArray[Any]]) -> NDArray[Any]:
    """A structured array with these columns."""
    arrays = {name: np.asarray(values) for name, values in columns.items()}
    arrays = {name: a.astype("S") if a.dtype.kind == "U" else a for name, a in arrays.items()}
    out = np.zeros(len(next(iter(arrays.values()))), [(n, a.dtype, a.shape[1:]) for n, a in arrays.items()])
    for name, values in arrays.items():
        out[name] = values
    return out


def write_desi(
    path: Path,
    fibermap: Mapping[str, Any] | None = None,
    images: Mapping[str, NDArray[Any]] | None = None,
    header: Mapping[str, Any] | None = None,
    tables: Mapping[str, NDArray[Any]] | None = None,
) -> Path:
    """A DESI coadd or spectra file; two rows with TARGETID 11 and 12 unless a FIBERMAP is given."""
    fibermap = {"TARGETID": [11, 12]} if fibermap is None else fibermap
    images = desi_images(len(next(iter(fibermap.values())))) if images is None else images
    with fitsio.FITS(str(path), "rw", clobber=True) as fits:
        fits.write(None, header=dict(header or {}))
        if fibermap:
            fits.write(table(fibermap), extname="FIBERMAP")
        for name, data in (tables or {}).items():
            fits.write(data, extname=name)
        for name, data in images.items():
            fits.write(data, extname=name)
    return path


def write_redrock(path: Path, columns: Mapping[str, Any], extname: str = "REDSHIFTS") -> Path:
    """A redrock file with these columns."""
    with fitsio.FITS(str(path), "rw", clobber=True) as fits:
        fits.write(None)
        fits.write(table(columns), extname=extname)
        fits.write(table({"TARGETID": columns.get("TARGETID", [0])}), extname="FIBERMAP")
    return path


def sdss_coadd(n_pixels: int = 200, seed: int = 0) -> dict[str, NDArray[Any]]:
    """The columns of an SDSS coadded spectrum."""
    rng = np.random.default_rng(seed)
    return {
        "flux": rng.normal(3, 1, n_pixels).astype(np.float32),
        "loglam": (3.58 + 1e-4 * np.arange(n_pixels)).astype(np.float32),
        "ivar": rng.uniform(0.5, 2, n_pixels).astype(np.float32),
        "and_mask": np.zeros(n_pixels, dtype=np.int32),
    }


SPECOBJ: dict[str, Any] = {
    "PLATE": [3655],
    "MJD": [55240],
    "FIBERID": [256],
    "THING_ID": [77],
    "CLASS": ["QSO"],
    "Z": np.array([2.5], dtype=np.float32),
    "Z_ERR": np.array([0.001], dtype=np.float32),
    "ZWARNING": [4],
    "PLUG_RA": [10.5],
    "PLUG_DEC": [-3.25],
    "SPECTROFLUX": np.array([[1, 2, 3, 4, 5]], dtype=np.float32),
    "OBJTYPE": ["GALAXY"],
    "PROGRAMNAME": ["boss"],
}


def write_sdss(
    path: Path,
    coadd: Mapping[str, Any] | None = None,
    specobj: Mapping[str, Any] | None = None,
    names: tuple[str | None, str | None] = ("COADD", "SPECOBJ"),
    header: Mapping[str, Any] | None = None,
) -> Path:
    """An SDSS spec file; ``specobj={}`` leaves the catalogue row out."""
    specobj = SPECOBJ if specobj is None else specobj
    with fitsio.FITS(str(path), "rw", clobber=True) as fits:
        fits.write(None, header=dict(header or {}))
        fits.write(table(sdss_coadd() if coadd is None else coadd), extname=names[0])
        if specobj:
            fits.write(table(specobj), extname=names[1])
        lines = {"PLATE": [1, 1], "MJD": [2, 2], "FIBERID": [3, 3], "LINENAME": ["Ly_alpha", "C_IV 1549"]}
        fits.write(table(lines), extname="SPZLINE")
    return path


def header(*cards: str, end: bool = True) -> bytes:
    """A FITS header of these cards, padded to whole blocks."""
    text = "".join(card.ljust(80) for card in (*cards, *(["END"] if end else [])))
    return text.ljust(-(-len(text) // 2880) * 2880).encode()


PRIMARY = header("SIMPLE  =                    T", "BITPIX  =                    8", "NAXIS   =                    0")
"""An empty primary HDU."""


def image(*axes: int, bitpix: int = -32, extra: Sequence[str] = (), name: str = "") -> bytes:
    """An image HDU of zeros; ``axes`` in the order of FITS, the fastest first."""
    cards = [
        "XTENSION= 'IMAGE   '",
        f"BITPIX  = {bitpix:20d}",
        f"NAXIS   = {len(axes):20d}",
        *(f"NAXIS{i + 1}".ljust(8) + f"= {axis:20d}" for i, axis in enumerate(axes)),
        *([f"EXTNAME = '{name}'"] if name else []),
        *extra,
    ]
    n_bytes = abs(bitpix) // 8 * int(np.prod(axes)) if axes else 0
    return header(*cards) + bytes(-(-n_bytes // 2880) * 2880)
