"""One object of the queue as an inspector sees it: what may be shown of it, and its spectrum ready to be drawn."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qnet_tui.errors import QnetError
from qnet_tui.inspection.item import Facts
from qnet_tui.plotting.smoothing import join_arms
from qnet_tui.spectra.single import Spectrum, load_spectrum
from qnet_tui.spectral_lines.features import Feature, find_features
from storage.rounds import SelectionRecord

_NOTHING = np.zeros(0)
_PIPELINES = {"redrock": "redrock", "specobj": "SDSS"}
_DESI_ARMS = "brz"


@dataclass(frozen=True, eq=False)
class Item:
    """One object in the queue of one inspector.

    ``wavelength`` (n,) Å, ``flux`` (n,) and ``ivar`` (n,) are all arms joined, float64, ivar 0 where there are no
    data. ``why`` and the ``pipeline_*`` fields are empty for an inspector who is blind to the model. ``problem``
    says in one line why there is no spectrum. ``draft`` is what the inspector left here before.
    """

    object_id: int
    round: int
    rank: int
    total: int
    title: str
    arms_words: str = ""
    arms_missing: str = ""
    frac_masked: float = 0.0
    snr: float = math.nan
    magnitude: float | None = None
    why: str = ""
    pipeline_name: str = ""
    pipeline_class: str = ""
    pipeline_z: float | None = None
    pipeline_zwarn: int = 0
    wavelength: NDArray[np.float64] = field(default_factory=_NOTHING.copy)
    flux: NDArray[np.float64] = field(default_factory=_NOTHING.copy)
    ivar: NDArray[np.float64] = field(default_factory=_NOTHING.copy)
    features: tuple[Feature, ...] = ()
    problem: str = ""
    draft: dict[str, Any] | None = None
    active_seconds: float = 0.0

    @property
    def was_draft(self) -> bool:
        """Whether the inspector has been here without committing."""
        return self.draft is not None

    @property
    def facts(self) -> Facts:
        """Return what the state machine of the answer needs to know."""
        return Facts(self.frac_masked, self.pipeline_class, self.pipeline_z)

    @property
    def strongest(self) -> float | None:
        """Return the wavelength of the most significant peak, where the cursor starts; None without any."""
        best = max(self.features, key=lambda feature: feature.significance, default=None)
        return None if best is None else best.wavelength


def load_item(path: Path, record: SelectionRecord, *, total: int, blind: bool, draft: dict[str, Any] | None) -> Item:
    """Read the spectrum of a selected object and gather what this inspector may see.

    A file that cannot be read gives an item with a ``problem``: the queue goes on without it.
    """
    known: dict[str, Any] = {
        "object_id": record.object_id,
        "round": record.round,
        "rank": record.rank,
        "total": total,
        "why": "" if blind else record.why,
        "draft": draft,
        "active_seconds": _active(draft),
    }
    try:
        spectrum = load_spectrum(path)
    except (QnetError, OSError, ValueError, KeyError) as error:
        line = " ".join(str(error).split())
        return Item(title=f"object {record.object_id}", problem=f"its spectrum cannot be read: {line}", **known)
    wavelength, flux, ivar = join_arms([(arm.wavelength, arm.flux[0], arm.ivar[0]) for arm in spectrum.arms])
    return Item(
        title=_title(spectrum),
        **_data_facts(spectrum),
        **({} if blind else _pipeline(spectrum.row)),
        wavelength=wavelength,
        flux=flux,
        ivar=ivar,
        features=find_features(wavelength, flux, ivar),
        problem="" if np.any(ivar > 0) else "no pixel of it holds data",
        **known,
    )


def _title(spectrum: Spectrum) -> str:
    row = spectrum.row
    if spectrum.survey == "sdss" and int(row["plate"]) > 0:
        return f"SDSS {int(row['plate']):04d}-{int(row['mjd'])}-{int(row['fiberid']):04d}"
    return spectrum.identity or f"row {spectrum.hdu_row}"


def _data_facts(spectrum: Spectrum) -> dict[str, Any]:
    row = spectrum.row
    arms, missing = str(row["arms"]), str(row["arms_missing"])
    words = "one arm"
    if spectrum.survey == "desi":
        words = "arms " + " ".join(arm.upper() if arm in arms else "-" for arm in _DESI_ARMS)
        words += f", no {' '.join(missing.upper())}" if missing else ""
    flux_r = float(row["flux_r"])
    return {
        "arms_words": words,
        "arms_missing": missing,
        "frac_masked": float(row["frac_masked"]),
        "snr": float(row["snr"]),
        # Nanomaggies to AB magnitudes.
        "magnitude": 22.5 - 2.5 * math.log10(flux_r) if math.isfinite(flux_r) and flux_r > 0 else None,
    }


def _pipeline(row: np.void) -> dict[str, Any]:
    z = float(row["pipeline_z"])
    if not str(row["pipeline_class"]) or not math.isfinite(z):
        return {}
    return {
        "pipeline_name": _PIPELINES.get(str(row["pipeline"]), "pipeline"),
        "pipeline_class": str(row["pipeline_class"]),
        "pipeline_z": z,
        "pipeline_zwarn": int(row["pipeline_zwarn"]),
    }


def _active(draft: dict[str, Any] | None) -> float:
    seconds = (draft or {}).get("active_seconds", 0.0)
    return float(seconds) if isinstance(seconds, int | float) else 0.0
