"""A small campaign to look at: a workspace with one round of made-up spectra, as ``run-al`` would leave it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import storage.settings as campaign
from qnet_tui.spectra.arms import Arm
from qnet_tui.spectra.rows import empty_rows
from qnet_tui.spectra.single import Spectrum, save_spectrum
from storage.rounds import SelectionRecord, add_selection
from storage.shards import write_shard
from storage.spectra import FileRecord, add_file, object_ids
from storage.workspace import Workspace

ARM_RANGES = {"b": (3600.0, 5800.0), "r": (5760.0, 7620.0), "z": (7520.0, 9824.0)}
BROAD = {1215.67: 60.0, 1240.81: 15.0, 1396.76: 8.0, 1549.48: 25.0, 1908.73: 8.0, 2799.1: 3.0}


def quasar_flux(wave: NDArray[np.float64], z: float) -> NDArray[np.float64]:
    """A power law with broad lines of 4000 km/s, and half the flux blueward of Lyman alpha."""
    flux = 2.0 * (wave / 6000.0) ** -1.0
    for rest, strength in BROAD.items():
        sigma = rest * (1 + z) * 4000 / 2.998e5 / 2.355
        flux = flux + strength * 0.25 * np.exp(-0.5 * ((wave - rest * (1 + z)) / sigma) ** 2)
    return np.where(wave < 1215.67 * (1 + z), 0.5 * flux, flux)


def desi_spectrum(
    targetid: int,
    z: float = 2.3042,
    *,
    seed: int = 1,
    noise: float = 0.4,
    masked: tuple[float, float] | None = None,
    arms: str = "brz",
) -> Spectrum:
    """One made-up quasar in DESI's arms; ``masked`` is a stretch of Å without data."""
    rng = np.random.default_rng(seed)
    made = []
    for name in arms:
        low, high = ARM_RANGES[name]
        wave = np.arange(low, high + 0.4, 0.8)
        flux = quasar_flux(wave, z) + rng.normal(0.0, noise, wave.size)
        ivar = np.full(wave.size, noise**-2)
        if masked is not None:
            ivar[(wave >= masked[0]) & (wave < masked[1])] = 0.0
        made.append(Arm(name, wave, flux[None].astype("f4"), ivar[None].astype("f4")))
    row = empty_rows(1)
    row["identity"], row["targetid"] = str(targetid), targetid
    row["arms"] = arms
    row["arms_missing"] = "".join(arm for arm in "brz" if arm not in arms)
    row["frac_masked"] = float(np.mean(np.concatenate([arm.ivar[0] == 0 for arm in made])))
    row["snr"], row["flux_r"] = 4.9, 6.0
    row["pipeline"], row["pipeline_class"], row["pipeline_z"], row["pipeline_zwarn"] = "redrock", "QSO", z, 0
    return Spectrum("desi", str(targetid), targetid, "coadd", "coadd.fits", 0, tuple(made), row[0])


def make_workspace(
    root: Path, spectra: Sequence[Spectrum], *, votes: int = 1, blind: bool = False, round_number: int = 1
) -> Workspace:
    """Make (or add to) a workspace whose round asks for ``spectra`` in this order."""
    ws = Workspace.create(root)
    rows = empty_rows(len(spectra))
    for position, spectrum in enumerate(spectra):
        rows[position] = spectrum.row
        rows[position]["hdu_row"] = position
    survey = spectra[0].survey
    record = FileRecord(
        f"/survey/coadd-{round_number}.fits", survey, "coadd", "dark", 1, 1, len(spectra), f"made-{round_number}"
    )
    shard = write_shard(ws, np.zeros((len(spectra), 4), np.float32), "log")
    add_file(ws, record, rows, shard, np.arange(len(spectra)), {})
    ids = object_ids(ws, survey, [spectrum.identity for spectrum in spectra])
    folder = ws.round_dir(round_number) / "spectra"
    folder.mkdir(parents=True, exist_ok=True)
    chosen = []
    for rank, spectrum in enumerate(spectra, start=1):
        object_id = ids[spectrum.identity]
        chosen.append(
            SelectionRecord(
                object_id=object_id, row_id=1, rank=rank, score=1.5, entropy=1.5, c_not=0.34, c_qso_lz=0.33,
                c_qso_hz=0.33, n_networks=200, bmu=12, cell_count=412, rejected=False, why="3-way split",
                strategy="entropy",
            )
        )  # fmt: skip
        save_spectrum(folder / f"{object_id}.npz", spectrum)
    add_selection(ws, round_number, chosen)
    campaign.set_setting(ws, "votes_required", votes, "ABC")
    campaign.set_setting(ws, "blind_model", blind, "ABC")
    return ws
