"""The priors with which redrock is asked again about what the line finder calls a quasar.

FITS table ``PRIORS`` as redrock reads it: TARGETID (i8), FUNCTION ("tophat", the same in all rows), Z (f8) and SIGMA
(f8), which for a tophat is its FULL width: redshifts with |z - Z| < SIGMA/2 are allowed. A table may have no rows:
then there is nothing to ask.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qnet_tui.errors import BadInput
from qnet_tui.handover.fits_bytes import Table, fits_bytes
from qnet_tui.handover.pipelines import Pipeline, Rule
from qnet_tui.whole_files import write_whole

EXTNAME = "PRIORS"
FUNCTION = "tophat"
_COMMENTS = {
    "WEIGHTS": "weights file",
    "WHASH": "SHA-256 of the weights file",
    "PIPELINE": "whose widths these are",
    "RULE": "whom to ask again about",
    "WIDTH_A": "SIGMA = WIDTH_A (1 + Z)",
    "WIDTH": "SIGMA of every prior",
    "C_THRESH": "a line counts when its C_ > this",
    "N_THRESH": "how many of six lines must",
    "NPRIORS": "reruns that the pipeline should make",
    "STAMP": "input, weights and settings",
}


def width_factor(wave: ArrayLike, n_boxes: int = 13) -> float:
    """The factor a of the width a·(1 + z): two boxes of a network on the grid ``wave`` (n_pixels,), Å.

    a = 2·(10^((log10 wave[-1] - log10 wave[0]) / n_boxes) - 1): 0.16287 on the logarithmic grid of QuasarNP, 0.16042 on
    the linear one (algorithm.md 8).
    """
    edges = np.asarray(wave, dtype=np.float64)
    return float(2.0 * (10.0 ** ((np.log10(edges[-1]) - np.log10(edges[0])) / n_boxes) - 1.0))


def prior_width(z: ArrayLike, pipeline: Pipeline, factor: float) -> NDArray[np.float64]:
    """Full widths (n,) of the priors around the redshifts ``z`` (n,); ``factor`` from :func:`width_factor`."""
    redshift = np.asarray(z, dtype=np.float64)
    if pipeline.constant_width is not None:
        return np.full(redshift.shape, pipeline.constant_width)
    return factor * (1.0 + redshift)


def needs_rerun(
    *,
    is_qso: ArrayLike,
    objtype: ArrayLike,
    spectype: ArrayLike,
    z_redrock: ArrayLike,
    z_qn: ArrayLike,
    width: ArrayLike,
    rule: Rule,
) -> NDArray[np.bool_]:
    """Whom redrock should be asked again about, all arguments (n,) -> (n,).

    Only what the line finder calls a quasar and OBJTYPE calls TGT. ``desispec``: unless redrock says QSO with
    |z_redrock - z_qn| <= width/2; ``paper``: only when redrock says GALAXY. A redshift that is not known is not near.
    """
    asked: NDArray[np.bool_] = np.asarray(is_qso, dtype=np.bool_) & (np.asarray(objtype) == "TGT")
    said = np.asarray(spectype)
    if rule == "paper":
        asked &= said == "GALAXY"
        return asked
    apart = np.abs(np.asarray(z_redrock, dtype=np.float64) - np.asarray(z_qn, dtype=np.float64))
    asked &= ~((said == "QSO") & (apart <= np.asarray(width, dtype=np.float64) / 2))
    return asked


def prior_columns(targetid: ArrayLike, z: ArrayLike, width: ArrayLike) -> dict[str, NDArray[Any]]:
    """The columns of :func:`write_priors`; all arguments (n,)."""
    ids = np.asarray(targetid, dtype=np.int64)
    return {
        "TARGETID": ids,
        "FUNCTION": np.full(ids.shape, FUNCTION.encode(), dtype=f"S{len(FUNCTION)}"),
        "Z": np.asarray(z, dtype=np.float64),
        "SIGMA": np.asarray(width, dtype=np.float64),
    }


def write_priors(path: Path, columns: Mapping[str, NDArray[Any]], header: Mapping[str, Any]) -> None:
    """Write the priors at ``path`` (.fits or .fits.gz), whole or not at all; same input, same bytes.

    BadInput for another ending of the name, QnetError when the disk is full or the folder not writable.
    """
    if not path.name.lower().endswith((".fits", ".fits.gz")):
        raise BadInput("priors are written as FITS", file=path, mend="name it .fits or .fits.gz")
    cards = {**header, "NPRIORS": len(columns["TARGETID"])}
    write_whole(path, fits_bytes([Table(EXTNAME, columns, cards, _COMMENTS)]))
