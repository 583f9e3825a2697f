"""``simulate``: a small survey with known truth, file by file, the same bytes for the same settings."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from qnet_tui.errors import BadInput, QnetError
from qnet_tui.simulation.catalogue import Objects
from qnet_tui.simulation.files import file_name, write_petal, write_table
from qnet_tui.simulation.petal import observe_petal, returning
from qnet_tui.simulation.settings import SimulationSettings
from qnet_tui.simulation.truth_tables import (
    KNOWN_HEADER,
    KNOWN_NAME,
    TRUTH_HEADER,
    TRUTH_NAME,
    known_rows,
    truth_rows,
)

PERCENTILES = (1, 5, 16, 50, 84, 95, 99)


@dataclass(frozen=True)
class Simulated:
    """What was written: all FITS files, the two tables, and what is in them.

    ``rows`` counts rows of the coadds; ``by_class`` counts them as QSO, GALAXY, STAR, JUNK and SKY;
    ``snr_percentiles`` gives the median S/N per native pixel of 0.8 Å of the quasars' rows at the percentiles
    1, 5, 16, 50, 84, 95, 99 (empty without quasars).
    """

    files: tuple[Path, ...]
    truth_file: Path
    known_file: Path
    rows: int
    objects: int
    by_class: dict[str, int]
    snr_percentiles: dict[int, float]


def simulate(
    out_dir: Path,
    settings: SimulationSettings,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> Simulated:
    """Simulate a survey into ``out_dir`` (made if need be); ``progress`` is called with rows done and in all.

    Each file has its own child of the seed (``SeedSequence.spawn``). Raises ``BadInput`` for settings that make
    no sense and for a folder that holds DESI files of something else, ``QnetError`` when the disk refuses.
    """
    settings.checked()
    sizes = _file_sizes(settings)
    _prepare(out_dir, settings, len(sizes))
    files: list[Path] = []
    truth: list[tuple[object, ...]] = []
    known: list[tuple[object, ...]] = []
    by_class: Counter[str] = Counter()
    quasar_snr: list[float] = []
    objects: set[int] = set()
    earlier: Objects | None = None
    done = 0
    for number, (seed, n_rows) in enumerate(
        zip(np.random.SeedSequence(settings.seed).spawn(len(sizes)), sizes, strict=True)
    ):
        petal = observe_petal(seed, settings, number, n_rows, earlier)
        written = write_petal(out_dir, petal, settings)
        files.extend(written)
        truth.extend(truth_rows(petal, settings))
        known.extend(known_rows(petal, written[0].name))
        classes = petal.objects.table["spectral_class"]
        by_class.update(classes.tolist())
        objects.update(i for i in petal.objects.table["targetid"].tolist() if i > 0)
        quasar_snr.extend(petal.snr[classes == "QSO"].tolist())
        earlier = returning(petal)
        done += n_rows
        if progress is not None:
            progress(done, settings.rows)
    write_table(out_dir / TRUTH_NAME, TRUTH_HEADER, truth)
    write_table(out_dir / KNOWN_NAME, KNOWN_HEADER, known)
    percentiles = np.percentile(quasar_snr, PERCENTILES).tolist() if quasar_snr else []
    return Simulated(
        files=tuple(files),
        truth_file=out_dir / TRUTH_NAME,
        known_file=out_dir / KNOWN_NAME,
        rows=settings.rows,
        objects=len(objects),
        by_class={name: by_class[name] for name in ("QSO", "GALAXY", "STAR", "JUNK", "SKY")},
        snr_percentiles=dict(zip(PERCENTILES, percentiles, strict=False)),
    )


def _file_sizes(settings: SimulationSettings) -> list[int]:
    """Rows of each file: full petals, and what is left over."""
    full, rest = divmod(settings.rows, settings.rows_per_file)
    return [settings.rows_per_file] * full + ([rest] if rest else [])


def _prepare(out_dir: Path, settings: SimulationSettings, n_files: int) -> None:
    """Make the folder; refuse one with DESI files that this run would leave beside its own."""
    try:
        out_dir.mkdir(parents=True, exist_ok=True)
        present = {path.name for kind in ("coadd", "spectra", "redrock") for path in out_dir.glob(f"{kind}-*.fits*")}
    except OSError as error:
        raise QnetError(
            f"cannot be made: {error.strerror or error}",
            mend="choose a folder that you may write to",
            file=out_dir,
        ) from error
    ours = {
        file_name(kind, settings.first_tile + number, number % 10, settings)
        for number in range(n_files)
        for kind in ("coadd", "spectra", "redrock")
    }
    if present - ours:
        raise BadInput(
            f"holds {len(present - ours)} DESI files of something else, such as {min(present - ours)}",
            mend="choose an empty folder",
            file=out_dir,
        )
