"""``qnet bench screen``: what a key press at the label screen costs, beside what plotting libraries cost.

The real program runs on a pseudo-terminal. A redshift step is timed from the key to the last byte of the answer;
bytes are what was written to the terminal. Peers (:mod:`qnet_tui.tui.bench`) draw the same smoothed spectrum with
noise and line markers, through plotext's redraw and through textual-plot's widget, and nothing else: no answer, no
small panes. First paint is compared with an application that loads the same modules and shows one line.
"""

from __future__ import annotations

import importlib.util
import math
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from qnet_tui.workflows.bench_campaign import quasars_of, sample_quasars
from qnet_tui.workflows.bench_measure import Measure
from qnet_tui.workflows.bench_programs import HELD_HZ, PEERS, Effort, LabelFigures, PeerFigures, Programs, Steps
from qnet_tui.workflows.progress import Progress, silent

FULL = Effort(steps=21, starts=7, items=8, held=60, sizes=((80, 24), (120, 35), (200, 50)), raw_peers=True)
QUICK = Effort(steps=3, starts=1, items=1, held=6, sizes=((80, 24),), raw_peers=False)

# What was promised: bytes of the dearest step (with one small pane, with three), of a step that moves no marker,
# milliseconds, MB, and the ratio of first paint.
STEP_BYTES, WIDE_STEP_BYTES, STILL_BYTES = 4096.0, 8192.0, 400.0
STEP_MS, NEXT_MS, LAG_MS, FIT_MS = 30.0, 100.0, 100.0, 100.0
MEMORY_MB, FIRST_PAINT_RATIO = 150.0, 1.6
_WIDE = 180
_PAINTED_AT = (120, 35)
_HEAVY = ("tensorflow", "keras", "dask", "distributed", "h5py", "minisom", "fitsio", "plotext")


def bench_screen(file: Path | None = None, *, quick: bool = False, progress: Progress = silent) -> list[Measure]:
    """Measure the label screen and its peers; ``file`` gives spectra of one's own instead of the sample's.

    ``quick`` measures one size, few keys and one start: does it run, not how fast. Errors: BadInput for a file that
    is no survey file; QnetError when a program does not answer in half a minute.
    """
    effort = QUICK if quick else FULL
    spectra = quasars_of(file) if file is not None else sample_quasars()
    peers = [name for name, (_, module) in PEERS.items() if importlib.util.find_spec(module) is not None]
    found: list[Measure] = []
    stages = len(effort.sizes) + 1
    with tempfile.TemporaryDirectory(prefix="qnet-bench-") as folder:
        programs = Programs(Path(folder), spectra)
        for done, (columns, rows) in enumerate(effort.sizes):
            progress(f"label screen {columns}x{rows}", done, stages)
            ours = programs.label(columns, rows, effort)
            drawn = {name: programs.peer(name, columns, rows, effort, raw=False) for name in peers}
            if effort.raw_peers and (columns, rows) == _PAINTED_AT:
                drawn |= {
                    f"{name}, every pixel": programs.peer(name, columns, rows, effort, raw=True) for name in peers
                }
            found += _at_size(f"{columns}x{rows}", ours, drawn, effort, programs.z, wide=columns >= _WIDE)
        progress("first paint", stages - 1, stages)
        size = _PAINTED_AT if _PAINTED_AT in effort.sizes else effort.sizes[0]
        found += _of_starts(*programs.starts(*size, effort), effort)
        progress("done", stages, stages)
    return found + [_left_out(name) for name in PEERS if name not in peers]


def _at_size(
    size: str, ours: LabelFigures, peers: Mapping[str, PeerFigures], effort: Effort, z: float, *, wide: bool
) -> list[Measure]:
    most = WIDE_STEP_BYTES if wide else STEP_BYTES
    keys = f"median of {effort.steps} keys from z {z:g} upwards"
    coarse = {name: peer.coarse for name, peer in peers.items()}
    fine = {name: peer.fine for name, peer in peers.items()}
    once = f"median of {len(ours.following.replies)}"
    held = f"{effort.held} keys at {HELD_HZ:g} Hz"
    lags = {name: peer.held_fine.lag for name, peer in peers.items()}
    return [
        *_steps(f"coarse step {size}", ours.coarse, coarse, keys, None),
        *_steps(f"fine step {size}", ours.fine, fine, f"{keys}; few of them move a marker", STILL_BYTES),
        _one(f"dearest coarse step {size}", ours.coarse.most, "bytes", "the most of all keys", most, exact=True),
        _one(f"dearest step with a template {size}", ours.with_model.most, "bytes", "the most of all keys", most,
             exact=True),
        _one(f"step with a template {size}", ours.with_model.milliseconds, "ms", keys, STEP_MS),
        _one(f"step with a template {size}", ours.with_model.processor_milliseconds, "ms of processor", f"{keys}; mean",
             None),
        _one(f"next spectrum {size}", ours.following.milliseconds, "ms", f"{once}, not saved", NEXT_MS),
        _one(f"save and next spectrum {size}", ours.saving.milliseconds, "ms",
             f"{once}; journal and database are on the disk before it moves on", NEXT_MS),
        _one(f"local fit {size}", ours.fit.milliseconds, "ms", "from the key to the offer", FIT_MS),
        *_beside(f"key held, lag {size}", ours.held_fine.lag, lags, "ms", f"{held}, fine steps; from release to the "
                 "last byte", LAG_MS),
        _one(f"key held, coarse, lag {size}", ours.held_coarse.lag, "ms", f"{effort.held // 2} keys", LAG_MS),
        _one(f"key held, dropped {size}", float(ours.held_fine.dropped + ours.held_coarse.dropped), "keys",
             "of both", 0.0, exact=True),
        _one(f"key held, traffic {size}", ours.held_fine.traffic, "kB/s", "fine steps", None),
        _one(f"memory {size}", ours.memory, "MB", "resident, after all of this", MEMORY_MB),
    ]  # fmt: skip


def _of_starts(ours: float, empty: float, loaded: set[str], effort: Effort) -> list[Measure]:
    heavy = [name for name in _HEAVY if name in loaded]
    ratio = ours / empty
    detail = f"median of {effort.starts} starts each in turn, process to spectrum; the target is of the ratio"
    return [
        Measure("first paint / empty application with the same imports", ours, empty, ratio, "ms", False, detail,
                FIRST_PAINT_RATIO, ratio <= FIRST_PAINT_RATIO),
        _one("heavy modules loaded", float(len(heavy)), "modules",
             f"of {', '.join(_HEAVY)}: {', '.join(heavy) or 'none'}; {len(loaded)} modules in all", 0.0, exact=True),
    ]  # fmt: skip


def _steps(name: str, ours: Steps, peers: Mapping[str, Steps], detail: str, most: float | None) -> list[Measure]:
    sizes = {peer: steps.size for peer, steps in peers.items()}
    times = {peer: steps.milliseconds for peer, steps in peers.items()}
    processor = {peer: steps.processor_milliseconds for peer, steps in peers.items()}
    return [
        *_beside(name, ours.size, sizes, "bytes", detail, most, exact=True),
        *_beside(name, ours.milliseconds, times, "ms", detail, STEP_MS),
        *_beside(name, ours.processor_milliseconds, processor, "ms of processor", f"{detail}; mean", None),
    ]


def _beside(
    name: str,
    ours: float,
    peers: Mapping[str, float],
    unit: str,
    detail: str,
    target: float | None,
    *,
    exact: bool = False,
) -> Sequence[Measure]:
    if not peers:
        return [_one(name, ours, unit, detail, target, exact=exact)]
    met = None if target is None else ours <= target
    return [
        Measure(f"{name} / {peer}", ours, theirs, ours / theirs if theirs else None, unit, exact, detail, target, met)
        for peer, theirs in peers.items()
    ]


def _one(name: str, ours: float, unit: str, detail: str, target: float | None, *, exact: bool = False) -> Measure:
    met = None if target is None or math.isnan(ours) else ours <= target
    return Measure(name, ours, None, None, unit, exact, detail, target, met)


def _left_out(name: str) -> Measure:
    detail = f"left out: {name} is not installed (pip install 'qnet-tui[bench]')"
    return Measure(f"peer {name}", math.nan, None, None, "", False, detail)
