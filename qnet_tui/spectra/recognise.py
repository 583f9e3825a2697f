"""What a file is, told from its content: spectra that qnet reads, or what else it is.

A FITS file is known by the names of its HDUs and by the columns of its tables, whatever its own name is;
headers are read only until the answer is certain.
"""

import gzip
import os
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal, cast

from qnet_tui.spectra.arms import DESI_ARMS
from qnet_tui.spectra.fits_layout import DamagedFitsError, Hdu, scan_headers
from qnet_tui.spectra.gunzip import MAGIC, damage
from qnet_tui.spectra.open_fits import open_bytes
from qnet_tui.spectra.sdss import is_sdss_coadd

_HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"
_MAGIC = {b"\x93NUMPY": "a NumPy array", b"PK\x03\x04": "a zip or npz archive", b"%PDF": "a PDF file"}

# What is said of a FITS file that has an HDU of this name and no spectra; the first that fits counts.
_KNOWN_PARTS = {
    "REDSHIFTS+FIBERMAP": "redrock redshifts (read with the coadd file beside it)",
    "ZBEST": "redrock redshifts (read with the coadd file beside it)",
    "BASIS_VECTORS": "a redrock template",
    "ARCHETYPES": "redrock archetypes",
    "REDSHIFTS": "redrock redshifts (read with the coadd file beside it)",
    "QN_RR": "the afterburner's quasar table",
    "PRIORS": "a redrock prior table",
    "QSO_CAT": "a quasar catalogue (a truth table: qnet truth import)",
    "CATALOG": "a catalogue (a truth table: qnet truth import)",
    "ZCATALOG": "a redshift catalogue",
    "BRZ_FLUX": "spectra whose three arms are coadded into one",
    "WAVELENGTH+FLUX": "the frame of one camera and exposure",
}


@dataclass(frozen=True)
class FileKind:
    """What a file is: ``survey`` of the reader that reads it ("" for none), ``what`` in words for the user.

    ``damaged``: it is, or by its name should be, a file of spectra, but is empty or breaks off.
    """

    survey: Literal["desi", "sdss", ""]
    what: str
    damaged: bool = False


def recognise(path: Path) -> FileKind:
    """Tell what the file at ``path`` is. Never raises for what is in it; BadInput when there is no such file.

    QnetError when the system does not let us read it.
    """
    with open_bytes(path) as stream:
        magic = stream.read(8)
        stream.seek(0)
        if magic.startswith(MAGIC):
            # Python's own: it unpacks no more than the few headers that are read here.
            with gzip.GzipFile(fileobj=stream) as unpacked:
                # GzipFile has every method of BinaryIO that is used here; the type checker wants all.
                kind = _guarded(path, cast(BinaryIO, unpacked), size=None)
        elif magic == _HDF5_MAGIC:
            kind = FileKind("", _describe_hdf5(path))
        else:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(0)
            kind = _guarded(path, stream, size)
    return kind


def _guarded(path: Path, stream: BinaryIO, size: int | None) -> FileKind:
    try:
        return _recognise_stream(path, stream, size)
    except DamagedFitsError as error:
        return FileKind("", f"a damaged FITS file ({error})", damaged=True)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        return FileKind("", f"a {damage(error)} gzip file", damaged=True)


def _recognise_stream(path: Path, stream: BinaryIO, size: int | None) -> FileKind:
    start = stream.read(512)
    if not start:
        return FileKind("", "an empty file", damaged=_named_as_spectra(path))
    if not start.startswith(b"SIMPLE  ="):
        what = next((what for magic, what in _MAGIC.items() if start.startswith(magic)), None)
        what = what or ("a text file" if _is_text(start) else "not a FITS file")
        return FileKind("", what, damaged=_named_as_spectra(path))
    stream.seek(0)
    return recognise_hdus(scan_headers(stream, size))


def recognise_hdus(hdus: Iterable[Hdu]) -> FileKind:
    """Tell what a FITS file is from its HDUs, taking no more of them than needed."""
    names: set[str] = set()
    for hdu in hdus:
        names.add(hdu.name)
        if is_sdss_coadd(hdu):
            return FileKind("sdss", "an SDSS spectrum")
        if any({f"{arm.upper()}_FLUX", f"{arm.upper()}_WAVELENGTH"} <= names for arm in DESI_ARMS):
            return FileKind("desi", "DESI spectra")
    if any(f"{arm.upper()}_FLUX" in names for arm in DESI_ARMS):
        return FileKind("", "rebinned spectra without wavelengths")
    for parts, what in _KNOWN_PARTS.items():
        if set(parts.split("+")) <= names:
            return FileKind("", what)
    return FileKind("", "a FITS file without spectra of DESI or SDSS")


def _describe_hdf5(path: Path) -> str:
    import h5py

    try:
        with h5py.File(path, "r") as file:
            groups = set(file)
    # h5py raises OSError, RuntimeError or KeyError for damaged files.
    except Exception:
        return "a damaged HDF5 file"
    if "model_weights" in groups:
        return "network weights"
    return "redrock's details (rrdetails)" if {"zscan", "zfit"} & groups else "an HDF5 file"


def _named_as_spectra(path: Path) -> bool:
    name = path.name.removesuffix(".gz")
    return name.endswith(".fits") and name.startswith(("coadd-", "spectra-", "spec-"))


def _is_text(start: bytes) -> bool:
    return not any(byte < 9 or 13 < byte < 32 for byte in start)
