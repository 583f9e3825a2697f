"""The spectra of one file at native resolution: cameras (arms), and the record of each spectrum.

DESI has the arms b (3600–5800 Å), r (5760–7620 Å) and z (7520–9824 Å) on 0.8 Å pixels; SDSS/BOSS spectra
are one arm, "sdss", on pixels of 10⁻⁴ in log10 λ. Flux is in 10⁻¹⁷ erg s⁻¹ cm⁻² Å⁻¹, wavelengths are Å in
vacuum.

A pixel without a finite flux, or whose inverse variance is not finite or is negative, is no measurement:
flux 0, ivar 0. (QuasarNP lets NaN flux through into the bin; QuasarNET's DESI reader sets it to 0 as here.)
A pixel that the survey flags keeps its ivar: DESI has already set it to 0 where the flag means that.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

DESI_ARMS = ("b", "r", "z")
"""The cameras that a DESI spectrum is expected to have."""

Survey = Literal["desi", "sdss"]
Kind = Literal["coadd", "exposure"]


@dataclass(frozen=True, eq=False)
class Arm:
    """The spectra of one camera, cleaned.

    ``wavelength`` (nw,) float64, ascending; ``flux`` and ``ivar`` (n, nw) float32, finite, ivar ≥ 0 and 0
    where there is no measurement, whatever real numbers were passed in; ``mask`` (n, nw) int32 flags of the
    survey for display (they never change ivar), or None when the file has none. ValueError when the shapes do
    not belong together.
    """

    name: str
    wavelength: NDArray[np.float64]
    flux: NDArray[np.float32]
    ivar: NDArray[np.float32]
    mask: NDArray[np.int32] | None = None

    def __post_init__(self) -> None:
        shape = self.flux.shape
        if self.flux.ndim != 2 or self.wavelength.shape != shape[1:] or self.ivar.shape != shape:
            raise ValueError(f"arm {self.name}: flux {shape}, ivar {self.ivar.shape}, {self.wavelength.shape}")
        if self.mask is not None and self.mask.shape != shape:
            raise ValueError(f"arm {self.name}: flux {shape}, mask {self.mask.shape}")
        flux, ivar = clean(self.flux, self.ivar)
        object.__setattr__(self, "flux", flux)
        object.__setattr__(self, "ivar", ivar)


def clean(flux: NDArray[Any], ivar: NDArray[Any]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Flux and ivar (n, nw) as float32, with flux 0 and ivar 0 where there is no measurement.

    The arrays passed in are not changed, and are returned as they are when nothing is wrong with them.
    Values beyond float32 count as not finite.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        flux32, ivar32 = flux.astype(np.float32, copy=False), ivar.astype(np.float32, copy=False)
        # NaN makes every comparison false, so the usual clean file is recognised in four quick passes.
        if (
            flux32.min(initial=0) > -np.inf
            and flux32.max(initial=0) < np.inf
            and ivar32.min(initial=0) >= 0
            and ivar32.max(initial=0) < np.inf
        ):
            return flux32, ivar32
        good = np.isfinite(flux32) & (ivar32 >= 0) & (ivar32 < np.inf)
    return np.where(good, flux32, np.float32(0)), np.where(good, ivar32, np.float32(0))


@dataclass(frozen=True, eq=False)
class SpectraFile:
    """One survey file in memory.

    ``rows`` (n,) of ``rows.ROW_DTYPE``, in the order of the file; every arm has the same n. ``program`` is
    DESI's (dark, bright, backup…) or SDSS's, "" when the file does not say. ``notes`` are one-line remarks
    for the user: what was missing or unreadable without making the file useless.
    """

    path: Path
    survey: Survey
    kind: Kind
    program: str
    arms: tuple[Arm, ...]
    rows: NDArray[np.void]
    notes: tuple[str, ...] = ()
