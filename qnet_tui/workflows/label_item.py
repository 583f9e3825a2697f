"""One spectrum as a person sees it: what may be shown of it, and its data ready to be drawn.

The queue, the merge screen and the file viewer all show a :class:`Item`; only :func:`item_of` makes one, so that
what a blind inspector may not see is left out in one place.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from qnet_tui.errors import QnetError
from qnet_tui.inspection.answer import CLASSES, Z_HIGHEST, Z_LOWEST, Refused, z_text
from qnet_tui.inspection.item import Facts, ItemState, PipelineAnswer
from qnet_tui.plotting.spectrum_data import DESI_COVERAGE, SpectrumData
from qnet_tui.spectra.single import Spectrum, load_spectrum
from qnet_tui.spectral_lines.features import Feature, find_features

if TYPE_CHECKING:
    from qnet_tui.spectra.rrdetails import PipelineFit
    from qnet_tui.spectral_lines.local_fit import LocalFit
    from qnet_tui.spectral_lines.templates import Template
    from storage.rounds import SelectionRecord

_PIPELINES = {"redrock": "redrock", "specobj": "SDSS"}
_DESI_ARMS = "brz"


def _no_data() -> SpectrumData:
    return SpectrumData.of_arrays([], [], [])


@dataclass(frozen=True, eq=False)
class Item:
    """One object in front of one person.

    ``data`` is its spectrum, arms and all. ``why``, ``fits`` and the ``pipeline_*`` fields are empty for somebody
    who is blind to the model. ``problem`` says in one line why there is no spectrum. ``draft`` is what the person
    left here before, ``starred`` whether they want to discuss it, and ``note`` what they must know beforehand: that
    a new answer replaces an old one.
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
    fits: tuple[PipelineFit, ...] = ()
    data: SpectrumData = field(default_factory=_no_data)
    features: tuple[Feature, ...] = ()
    problem: str = ""
    draft: dict[str, Any] | None = None
    starred: bool = False
    note: str = ""

    @property
    def wavelength(self) -> NDArray[np.float64]:
        """(n,) Å, all arms joined."""
        return self.data.wavelength

    @property
    def flux(self) -> NDArray[np.float64]:
        """(n,), in 1e-17 erg/s/cm2/Å."""
        return self.data.flux

    @property
    def ivar(self) -> NDArray[np.float64]:
        """(n,), 0 where there are no data."""
        return self.data.ivar

    @property
    def templates(self) -> tuple[Template, ...]:
        """The templates that can be drawn over it and fitted to it; made when first asked for, then kept."""
        return templates()

    @property
    def was_draft(self) -> bool:
        """Whether the person has been here without committing."""
        return self.draft is not None

    @property
    def active_seconds(self) -> float:
        """Time at work that the draft carries."""
        seconds = (self.draft or {}).get("active_seconds", 0.0)
        return float(seconds) if isinstance(seconds, int | float) else 0.0

    @property
    def facts(self) -> Facts:
        """Return what the state machine of the answer needs to know."""
        fits = tuple(PipelineAnswer(fit.spectype, fit.z) for fit in self.fits)
        return Facts(self.frac_masked, self.pipeline_class, self.pipeline_z, fits)

    @property
    def strongest(self) -> float | None:
        """Return the wavelength of the most significant peak, where the cursor starts; None without any."""
        best = max(self.features, key=lambda feature: feature.significance, default=None)
        return None if best is None else best.wavelength

    def started(self) -> ItemState:
        """Return the state of the answer to begin with: from this record and its draft alone."""
        state = ItemState.start(self.facts, self.strongest)
        body = (self.draft or {}).get("item")
        return state.restored(body) if isinstance(body, Mapping) else state


@cache
def templates() -> tuple[Template, ...]:
    """Return the templates there are here, our own and any that redrock has installed."""
    from qnet_tui.workflows.templates import templates_here

    return templates_here()


def item_of(
    spectrum: Spectrum,
    *,
    blind: bool,
    object_id: int = 0,
    round_number: int = 0,
    rank: int = 0,
    total: int = 0,
    why: str = "",
) -> Item:
    """Gather what a person may see of ``spectrum``; with ``blind`` nothing of the pipeline and no ``why``."""
    arms = ((arm.name, arm.wavelength, arm.flux[0], arm.ivar[0]) for arm in spectrum.arms)
    data = SpectrumData.of_arms(arms, DESI_COVERAGE if spectrum.survey == "desi" else ())
    item = Item(
        object_id=object_id,
        round=round_number,
        rank=rank,
        total=total,
        title=_title(spectrum),
        why=why,
        **_data_facts(spectrum),
        **_pipeline(spectrum),
        data=data,
        features=find_features(data.wavelength, data.flux, data.ivar),
        problem="" if np.any(data.ivar > 0) else "no pixel of it holds data",
    )
    return blinded(item) if blind else item


def blinded(item: Item) -> Item:
    """Return the item without what somebody who is blind to the model may not see."""
    return replace(item, why="", pipeline_name="", pipeline_class="", pipeline_z=None, pipeline_zwarn=0, fits=())


def pipeline_words(item: Item) -> str:
    """Return the pipeline's answer in a few words, "" where there is none or it is hidden."""
    if not item.pipeline_class:
        return ""
    warning = f" zwarn {item.pipeline_zwarn}" if item.pipeline_zwarn > 0 else ""
    return f"{item.pipeline_name} {item.pipeline_class} {z_text(item.pipeline_z)}{warning}"


def load_item(
    path: Path, record: SelectionRecord, *, total: int, blind: bool, draft: dict[str, Any] | None = None
) -> Item:
    """Read the spectrum of a selected object and gather what this person may see.

    A file that cannot be read gives an item with a ``problem``: the queue goes on without it.
    """
    place: dict[str, Any] = {"object_id": record.object_id, "rank": record.rank, "total": total}
    try:
        spectrum = load_spectrum(path)
    except (QnetError, OSError, ValueError, KeyError) as error:
        line = " ".join(str(error).split())
        item = Item(
            title=f"object {record.object_id}",
            problem=f"its spectrum cannot be read: {line}",
            round=record.round,
            why="" if blind else record.why,
            **place,
        )
    else:
        item = item_of(spectrum, blind=blind, round_number=record.round, why=record.why, **place)
    return replace(item, draft=draft)


def fitted(item: Item, state: ItemState) -> LocalFit:
    """Fit the redshift near the trial one, with the templates of the class that was answered (all without one).

    Raises:
        Refused: there is no trial redshift, or no fit.
    """
    from qnet_tui.spectral_lines.local_fit import NoFit, fit_redshift

    z = state.answer.z
    if z is None:
        raise Refused("a fit starts at a trial redshift: {type_z} types it, {candidate_next} names the line")
    try:
        found = fit_redshift(
            item.wavelength, item.flux, item.ivar, z, spectype=state.answer.spectype, templates=item.templates
        )
    except NoFit as why:
        raise Refused(f"no fit: {why}") from None
    if not Z_LOWEST <= found.z <= Z_HIGHEST:
        raise Refused(f"the fit goes to z {found.z:.4f}, which no answer can have")
    return found


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


def _pipeline(spectrum: Spectrum) -> dict[str, Any]:
    row = spectrum.row
    z = float(row["pipeline_z"])
    fits = _usable(spectrum.fits)
    if not str(row["pipeline_class"]) or not math.isfinite(z):
        return {"pipeline_name": "redrock", "fits": fits} if fits else {}
    return {
        "pipeline_name": _PIPELINES.get(str(row["pipeline"]), "pipeline"),
        "pipeline_class": str(row["pipeline_class"]),
        "pipeline_z": z,
        "pipeline_zwarn": int(row["pipeline_zwarn"]),
        "fits": fits,
    }


def _usable(fits: Sequence[PipelineFit]) -> tuple[PipelineFit, ...]:
    """Return the fits that could be an answer: of a known class, at a redshift that an answer may have."""
    return tuple(fit for fit in fits if fit.spectype in CLASSES and Z_LOWEST <= fit.z <= Z_HIGHEST)
