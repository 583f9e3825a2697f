"""``qnet simulate``: spectra with known truth as real DESI coadd files, with the table that people would write."""

import time
from dataclasses import dataclass
from pathlib import Path

from qnet_tui.simulation.settings import SignalToNoiseMix, SimulationSettings
from qnet_tui.simulation.survey import simulate
from qnet_tui.workflows.progress import Progress, silent


@dataclass(frozen=True)
class SimulateResult:
    """What ``qnet simulate`` says.

    ``rows`` counts rows of the coadds, ``objects`` those with an identity; ``truth_file`` can be imported as it
    is, ``known_file`` holds the true class and redshift of every row; ``snr_percentiles`` is the median S/N per
    0.8 Å of the quasars' rows.
    """

    folder: Path
    files: tuple[Path, ...]
    truth_file: Path
    known_file: Path
    rows: int
    objects: int
    by_class: dict[str, int]
    snr_percentiles: dict[int, float]
    seed: int
    seconds: float


def simulate_survey(
    out: Path,
    rows: int,
    seed: int,
    *,
    rows_per_file: int | None = None,
    exposures: int = 0,
    repeats: float = 0.05,
    snr_median: float | None = None,
    z_quasar: tuple[float, float] | None = None,
    compress: bool = False,
    progress: Progress = silent,
) -> SimulateResult:
    """Simulate ``rows`` coadd rows into the folder ``out``; the same arguments give the same bytes.

    Without ``rows_per_file`` there are at least four files, so that small surveys have repeats too.
    ``exposures`` > 0 also writes spectra- files of single exposures; ``repeats`` is the share of rows that see
    an object again; ``snr_median`` and ``z_quasar`` move the quasars' S/N and redshifts; ``compress`` writes
    ``.fits.gz``. Errors: ``BadInput`` for values that make no sense or a folder that holds other DESI files,
    ``QnetError`` when the disk refuses.
    """
    began = time.monotonic()
    plain = SimulationSettings()
    settings = SimulationSettings(
        rows=rows,
        seed=seed,
        rows_per_file=_a_quarter(rows) if rows_per_file is None else rows_per_file,
        exposures=exposures,
        repeats=repeats,
        snr=SignalToNoiseMix() if snr_median is None else SignalToNoiseMix(median=snr_median),
        z_quasar=plain.z_quasar if z_quasar is None else z_quasar,
        compress=compress,
    )
    found = simulate(out, settings, progress=lambda done, total: progress("simulate", done, total))
    return SimulateResult(
        folder=out,
        files=found.files,
        truth_file=found.truth_file,
        known_file=found.known_file,
        rows=found.rows,
        objects=found.objects,
        by_class=found.by_class,
        snr_percentiles=found.snr_percentiles,
        seed=seed,
        seconds=time.monotonic() - began,
    )


def _a_quarter(rows: int) -> int:
    """Rows per file when nobody says: a quarter of the survey, at most a petal's 500 fibres."""
    return min(500, max(1, -(-rows // 4)))
