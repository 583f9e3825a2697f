"""One spectrum at full resolution, copied out of its survey file for people's eyes.

Selected objects are copied when they are selected, so that they can be looked at when the survey file has
been moved, purged or closed to colleagues. The copy is one ``.npz`` file: the record of the row, the pipeline's
fits where a details file lay beside, and, per arm, the wavelength, flux, ivar and mask exactly as read.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from qnet_tui.errors import BadInput, QnetError
from qnet_tui.spectra.arms import Arm, Kind, SpectraFile, Survey
from qnet_tui.spectra.rows import ROW_DTYPE
from qnet_tui.spectra.rrdetails import FITS_DTYPE, PipelineFit, fits_array, fits_of_array
from qnet_tui.whole_files import whole_file

FORMAT = "qnet spectrum 1"
"""First entry of the file: what it is and in which version."""

_MEND = "copy the spectrum again from its survey file"


@dataclass(frozen=True, eq=False)
class Spectrum:
    """One row of one file.

    ``arms`` as in the file, each with n = 1; ``row`` its record of ``ROW_DTYPE``; ``path`` and ``hdu_row``
    where it was read from; ``identity`` "" and ``targetid`` 0 when it has none. ``fits`` are the pipeline's,
    best first, () when none were found.
    """

    survey: Survey
    identity: str
    targetid: int
    kind: Kind
    path: str
    hdu_row: int
    arms: tuple[Arm, ...]
    row: np.void
    fits: tuple[PipelineFit, ...] = ()


def extract(file: SpectraFile, position: int, fits: tuple[PipelineFit, ...] = ()) -> Spectrum:
    """Copy the spectrum at a position of ``file.rows``, with the pipeline's fits of it if they are known.

    BadInput when the file has no such row.
    """
    if not 0 <= position < len(file.rows):
        raise BadInput(
            f"no such row, the file has {len(file.rows)}",
            mend="the file changed since it was ingested: ingest it again",
            file=file.path,
            row=position,
        )
    one = slice(position, position + 1)
    arms = tuple(
        Arm(
            arm.name,
            arm.wavelength.copy(),
            arm.flux[one].copy(),
            arm.ivar[one].copy(),
            None if arm.mask is None else arm.mask[one].copy(),
        )
        for arm in file.arms
    )
    row = file.rows[one].copy()[0]
    return Spectrum(
        survey=file.survey,
        identity=str(row["identity"]),
        targetid=int(row["targetid"]),
        kind=file.kind,
        path=str(file.path),
        hdu_row=int(row["hdu_row"]),
        arms=arms,
        row=row,
        fits=fits,
    )


def save_spectrum(path: Path, s: Spectrum) -> None:
    """Write a spectrum to ``path``: to a new file beside it, flushed to disk, then renamed over it.

    QnetError when the system does not let us write.
    """
    arrays: dict[str, NDArray[Any]] = {
        "format": np.array(FORMAT),
        "survey": np.array(s.survey),
        "kind": np.array(s.kind),
        "path": np.array(s.path),
        "row": np.array(s.row, dtype=ROW_DTYPE).reshape(1),
        "arms": np.array([arm.name for arm in s.arms], dtype="U8"),
        "has_mask": np.array([arm.mask is not None for arm in s.arms], dtype=bool),
    }
    if s.fits:
        arrays["fits"] = fits_array(s.fits)
    for arm in s.arms:
        arrays |= {f"{arm.name}_wavelength": arm.wavelength, f"{arm.name}_flux": arm.flux}
        arrays[f"{arm.name}_ivar"] = arm.ivar
        if arm.mask is not None:
            arrays[f"{arm.name}_mask"] = arm.mask
    with whole_file(path) as temporary, temporary.open("xb") as stream:
        # Colleagues of the group label from it, whatever the umask of who selected it.
        os.fchmod(stream.fileno(), 0o660)
        # The stubs take the keyword names of arrays for those of options.
        np.savez_compressed(stream, **cast(Any, arrays))


def load_spectrum(path: Path) -> Spectrum:
    """Read a spectrum written by :func:`save_spectrum`, equal to the one saved in every value.

    BadInput when the file is not there, truncated or damaged (every part has a check sum); QnetError when the
    system does not let us read it.
    """
    try:
        with path.open("rb") as stream:
            return _load(stream)
    except FileNotFoundError as error:
        raise BadInput("no such file", mend=_MEND, file=path) from error
    except PermissionError as error:
        raise QnetError(f"cannot be read ({error.strerror})", file=path) from error
    # zipfile, zlib and numpy raise some ten kinds of exception for damaged files.
    except Exception as error:
        what = "is a damaged or truncated copy of a spectrum" if not isinstance(error, _OtherFormatError) else ""
        raise BadInput(what or str(error), mend=_MEND, file=path) from error


class _OtherFormatError(ValueError):
    """A readable npz file that is not a spectrum of this version."""


def _load(stream: Any) -> Spectrum:
    with np.load(stream, allow_pickle=False) as stored:
        if "format" not in stored or str(stored["format"]) != FORMAT:
            raise _OtherFormatError("is not a spectrum of this version of qnet")
        row = stored["row"][0]
        if row.dtype != ROW_DTYPE:
            raise _OtherFormatError("is a spectrum of another version of qnet")
        arms = tuple(
            Arm(
                name,
                stored[f"{name}_wavelength"],
                stored[f"{name}_flux"],
                stored[f"{name}_ivar"],
                stored[f"{name}_mask"] if has_mask else None,
            )
            for name, has_mask in zip(stored["arms"].tolist(), stored["has_mask"].tolist(), strict=True)
        )
        return Spectrum(
            survey=cast(Survey, str(stored["survey"])),
            identity=str(row["identity"]),
            targetid=int(row["targetid"]),
            kind=cast(Kind, str(stored["kind"])),
            path=str(stored["path"]),
            hdu_row=int(row["hdu_row"]),
            arms=arms,
            row=row,
            fits=_fits(stored),
        )


def _fits(stored: Any) -> tuple[PipelineFit, ...]:
    """The pipeline's fits; none in copies made before they were kept."""
    if "fits" not in stored:
        return ()
    table = stored["fits"]
    if table.dtype != FITS_DTYPE:
        raise _OtherFormatError("is a spectrum of another version of qnet")
    return fits_of_array(table)
