"""``qnet bench ingest``: reading and rebinning survey files beside the field's reading of them.

The reference is :mod:`qnet_tui.spectra.reference_reading`. It makes no record of the signal to noise; ours does, as an
ingest does. Both read the same file, which the bench simulates.
"""

import gzip
import multiprocessing
import shutil
import tempfile
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np

from qnet_tui.spectra import reference_reading as reference
from qnet_tui.spectra.arms import Arm
from qnet_tui.spectra.grids import log_grid
from qnet_tui.spectra.read import read_spectra, read_vectors
from qnet_tui.spectra.vectors import make_vectors
from qnet_tui.workflows.bench_measure import (
    SLOWING,
    Measure,
    exact_count,
    faster,
    in_clean_process,
    note,
    rates_in_turn,
    slowing_here,
)
from qnet_tui.workflows.progress import Progress, silent

# What was promised: times the reference's rate, and the share of the time of zlib alone.
REBIN, LOAD, GZIPPED = 5.0, 2.0, 1.15
LARGEST_DIFFERENCE = 3.0  # 1e-6
_UNIT = "spectra per core second"
_CHUNK = 1 << 20


def bench_ingest(*, quick: bool = False, progress: Progress = silent) -> list[Measure]:
    """Measure reading and rebinning in a process of its own, on a simulated petal in a temporary folder.

    ``quick`` does little: does it run, not how fast.
    """
    with tempfile.TemporaryDirectory(prefix="qnet-bench-") as folder:
        # Simulated here: a process that has had and freed large arrays reads faster than one that only reads.
        plain, packed = _petal(Path(folder), 120 if quick else 500, progress)
        return in_clean_process(
            "qnet_tui.workflows.bench_ingest:measure",
            progress,
            plain=str(plain),
            packed=str(packed),
            quick=quick,
            dropped=slowing_here(),
        )


def measure(*, plain: str, packed: str, quick: bool, dropped: list[str], progress: Progress = silent) -> list[Measure]:
    """Do the measuring (in the clean process) on a coadd file, plain and gzipped: see :func:`bench_ingest`."""
    found = _speed(Path(plain), Path(packed), 2 if quick else 9, progress)
    found = [_traps(Path(plain), Path(packed), dropped), *_exact(Path(plain)), *found]
    return found + _at_once(Path(packed), 2 if quick else 8, progress)


def _traps(plain: Path, packed: Path, dropped: list[str]) -> Measure:
    variables = (
        f"dropped from the environment: {', '.join(dropped)}" if dropped else f"none of {', '.join(SLOWING)} set"
    )
    return note(
        "traps",
        f"{variables}; processor seconds of one thread, in turn; the file, {plain.stat().st_size / 1e6:.0f} MB "
        f"({packed.stat().st_size / 1e6:.0f} MB gzipped), is in the page cache for all; ours records signal to noise "
        "and reads the redrock file beside it, the reference does neither",
    )


def _petal(folder: Path, rows: int, progress: Progress) -> tuple[Path, Path]:
    """A simulated coadd file with its redrock file, plain and gzipped."""
    from qnet_tui.simulation.settings import SimulationSettings
    from qnet_tui.simulation.survey import simulate

    settings = SimulationSettings(rows=rows, seed=4, rows_per_file=rows)
    made = simulate(folder / "plain", settings, progress=lambda done, total: progress("simulating", done, total))
    plain = next(path for path in made.files if path.name.startswith("coadd-"))
    packed = folder / f"{plain.name}.gz"
    with plain.open("rb") as source, gzip.open(packed, "wb", compresslevel=6) as sink:
        shutil.copyfileobj(source, sink, _CHUNK)
    return plain, packed


def _exact(plain: Path) -> list[Measure]:
    """Our vectors against the reference's, with rows in which there is nothing."""
    file = read_spectra(plain, masks=False, quality=False)
    arms = [replace(arm, ivar=arm.ivar.copy()) for arm in file.arms]
    for arm in arms:
        arm.ivar[::50] = 0
    ours = make_vectors(replace(file, arms=tuple(arms)), log_grid())
    x, kept = reference.renormalised(*reference.rebinned(arms, log_grid()))
    same = np.array_equal(kept, ours.kept)
    largest = float(np.abs(x - ours.x).max()) if same else float("inf")
    return [
        exact_count("rows kept differently", float(len(set(kept) ^ set(ours.kept))), "rows", f"of {len(file.rows)}", 0),
        exact_count(
            "largest difference", largest * 1e6, "1e-6", "of a value of a vector, to float64", LARGEST_DIFFERENCE
        ),
    ]


def _speed(plain: Path, packed: Path, rounds: int, progress: Progress) -> list[Measure]:
    file = read_spectra(plain, masks=False, quality=False)
    n, grid, content = len(file.rows), log_grid(), packed.read_bytes()

    def times(work: Callable[[], object]) -> Callable[[], int]:
        def run() -> int:
            work()
            return n

        return run

    def refer(arms: "Sequence[Arm | reference.ArmAsRead]") -> object:
        return reference.renormalised(*reference.rebinned(arms, grid))

    rates = rates_in_turn(
        {
            "rebin": times(lambda: make_vectors(file, grid)),
            "reference rebin": times(lambda: refer(file.arms)),
            "load": times(lambda: read_vectors(plain, grid)),
            "reference load": times(
                lambda: reference.renormalised(*reference.rebinned(reference.read_arms(plain), grid))
            ),
            "bare read": times(lambda: reference.read_arms(plain)),
            "gzipped": times(lambda: read_vectors(packed, grid)),
            "zlib": times(lambda: _unpack(content, zlib.decompressobj(31))),
            **({"isal": times(lambda: _unpack(content, isal()))} if (isal := _isal()) else {}),
        },
        rounds,
        progress,
        "reading in turn",
    )
    found = [
        faster("rebin and renormalise", rates["rebin"], rates["reference rebin"], _UNIT, "in memory", REBIN),
        faster("load", rates["load"], rates["reference load"], _UNIT, "read, rebin, renormalise", LOAD),
        faster("load / bare read", rates["load"], rates["bare read"], _UNIT, "peer: fitsio reads flux and ivar"),
        faster(
            "load of a gzipped file / zlib alone", rates["gzipped"], rates["zlib"], _UNIT,
            "peer: the bytes unpacked and thrown away", 1 / GZIPPED,
        ),
    ]  # fmt: skip
    if "isal" in rates:
        what = "peer: unpacked by ISA-L, which we use, and thrown away"
        found.append(faster("load of a gzipped file / ISA-L alone", rates["gzipped"], rates["isal"], _UNIT, what))
    return found


def _at_once(packed: Path, files_per_core: int, progress: Progress) -> list[Measure]:
    """Wall time of the gzipped file read over and over by one process and by one on every core."""
    from qnet_tui.compute.where import available_cores

    cores = available_cores()
    speed: dict[int, float] = {}
    used: dict[int, float] = {}
    for n in sorted({1, cores}):
        progress(f"reading with {n} processes", 0, 0)
        with multiprocessing.get_context("spawn").Pool(n) as pool:
            pool.map(_read_packed, [str(packed)] * n, chunksize=1)  # They are there and have imported what they need.
            began = time.monotonic()
            seconds = pool.map(_read_packed, [str(packed)] * (n * files_per_core), chunksize=1)
            wall = time.monotonic() - began
        speed[n], used[n] = n * files_per_core / wall, sum(seconds) / wall
    detail = (
        f"wall time on {cores} cores, so what else runs here counts; processor seconds per second: "
        f"{used[cores]:.2f} with {cores} processes, {used[1]:.2f} with one"
    )
    one, many = speed[1], speed[cores]
    return [Measure(f"gzipped files, {cores} processes / 1", many, one, many / one, "files/s", False, detail)]


def _read_packed(path: str) -> float:
    """Read a file as an ingest does; processor seconds of it."""
    began = time.process_time()
    read_vectors(Path(path), log_grid())
    return time.process_time() - began


def _isal() -> "Callable[[], _Unpacker] | None":
    try:
        from isal import isal_zlib
    except ImportError:
        return None
    return lambda: isal_zlib.decompressobj(31)


class _Unpacker(Protocol):
    """What zlib and ISA-L have in common."""

    def decompress(self, data: bytes, /) -> bytes:
        """The bytes unpacked."""


def _unpack(content: bytes, unpacker: _Unpacker) -> None:
    for at in range(0, len(content), _CHUNK):
        unpacker.decompress(content[at : at + _CHUNK])
