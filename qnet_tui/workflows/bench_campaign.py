"""A small campaign for the bench of the label screen: quasars of the sample (or of a file) as one round."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import storage.settings as campaign
from qnet_tui.errors import BadInput
from qnet_tui.spectra.read import read_spectra
from qnet_tui.spectra.rows import empty_rows
from qnet_tui.spectra.single import Spectrum, extract, save_spectrum
from qnet_tui.workflows.demo import sample_folder
from storage.rounds import SelectionRecord, add_selection
from storage.shards import write_shard
from storage.spectra import FileRecord, add_file, object_ids
from storage.workspace import Workspace

# All main lines of a quasar from Lyα to Mg II are in view here, so that three small panes have something to show.
_FROM_Z, _TO_Z = 2.1, 2.9
INSPECTOR = "BEN"


@dataclass(frozen=True, eq=False)
class BenchSpectrum:
    """One spectrum of the bench and the redshift that its steps start from (four decimals)."""

    spectrum: Spectrum
    z: float


def sample_quasars(most: int = 12) -> list[BenchSpectrum]:
    """Return quasars of the sample at z 2.1 to 2.9, those of the highest S/N first."""
    folder = sample_folder()
    with (folder / "known.csv").open(encoding="utf-8", newline="") as stream:
        known = [
            row
            for row in csv.DictReader(stream)
            if row["CLASS"] == "QSO" and _FROM_Z <= float(row["Z"]) < _TO_Z and not row["LOST_ARM"]
        ]
    known.sort(key=lambda row: float(row["SNR"]), reverse=True)
    chosen, seen = [], set()
    for row in known:
        if row["TARGETID"] not in seen:
            seen.add(row["TARGETID"])
            chosen.append(row)
    chosen = chosen[:most]
    files = {name: read_spectra(folder / name) for name in sorted({row["FILE"] for row in chosen})}
    return [_prepared(extract(files[row["FILE"]], int(row["ROW"])), float(row["Z"])) for row in chosen]


def quasars_of(path: Path, most: int = 12) -> list[BenchSpectrum]:
    """Return spectra of the survey file at ``path``, with the pipeline's redshift or 2.3 where there is none.

    BadInput when it has fewer than two spectra with data: the bench goes from one to the next.
    """
    file = read_spectra(path)
    found: list[BenchSpectrum] = []
    seen: set[str] = set()
    for position, row in enumerate(file.rows):
        identity = str(row["identity"])
        if identity and identity not in seen and str(row["arms"]) and len(found) < most:
            seen.add(identity)
            z = float(row["pipeline_z"])
            found.append(_prepared(extract(file, position), z if np.isfinite(z) and z > 0 else 2.3))
    if len(found) < 2:
        raise BadInput("the bench needs two spectra with data", mend="name another file", file=path)
    return found


def make_campaign(root: Path, spectra: list[BenchSpectrum]) -> None:
    """Make a workspace at ``root`` whose first round asks for ``spectra`` in this order, open to the pipeline."""
    rows = empty_rows(len(spectra))
    for position, one in enumerate(spectra):
        rows[position] = one.spectrum.row
        rows[position]["hdu_row"] = position
    survey = spectra[0].spectrum.survey
    with Workspace.create(root) as ws:
        record = FileRecord("/bench/coadd.fits", survey, "coadd", "dark", 1, 1, len(spectra), "bench")
        shard = write_shard(ws, np.zeros((len(spectra), 4), np.float32), "log")
        add_file(ws, record, rows, shard, np.arange(len(spectra)), {})
        ids = object_ids(ws, survey, [one.spectrum.identity for one in spectra])
        folder = ws.round_dir(1) / "spectra"
        folder.mkdir(parents=True)
        chosen = []
        for rank, one in enumerate(spectra, start=1):
            object_id = ids[one.spectrum.identity]
            save_spectrum(folder / f"{object_id}.npz", one.spectrum)
            chosen.append(
                SelectionRecord(
                    object_id=object_id, row_id=1, rank=rank, score=1.0, entropy=1.0, c_not=0.34, c_qso_lz=0.33,
                    c_qso_hz=0.33, n_networks=200, bmu=0, cell_count=400, rejected=False, why="bench",
                    strategy="entropy",
                )
            )  # fmt: skip
        add_selection(ws, 1, chosen)
        campaign.set_setting(ws, "votes_required", 1, INSPECTOR)
        campaign.set_setting(ws, "blind_model", False, INSPECTOR)


def _prepared(spectrum: Spectrum, z: float) -> BenchSpectrum:
    """Give the spectrum a pipeline redshift of four decimals, so that what a step must show is known."""
    rounded = round(z, 4)
    spectrum.row["pipeline"], spectrum.row["pipeline_class"] = "redrock", "QSO"
    spectrum.row["pipeline_z"], spectrum.row["pipeline_zwarn"] = rounded, 0
    return BenchSpectrum(spectrum, rounded)
