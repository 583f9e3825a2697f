"""``qnet bench scale``: what a round costs against rows and networks: time, memory of driver and workers, disk.

One workspace grows in three steps; at each, every stage runs in a process of its own (:mod:`scale_stages`). Times are
of the wall, because a stage waits for the disk too; rates per core are processor seconds. An exponent of 1 is cost in
proportion; memory is flat where what a row adds is what it has to (bytes a row, stated).
"""

import math
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from qnet_tui.errors import BadInput, QnetError
from qnet_tui.workflows.bench_measure import Measure, in_clean_process
from qnet_tui.workflows.progress import Progress, silent

Figures = dict[str, float]

STAGES = "qnet_tui.workflows.scale_stages"
STEPS = (16, 4, 1)
FULL, SMALL = (6, 100), (6, 24)
"""Layers and filters of the networks that stream: the paper's, and those of ``smoke``."""

DRIVER_MEGABYTES = 1000.0
WORKER_GROWTH_MEGABYTES = 64.0
BYTES_A_ROW = 8000
"""Disk that a row needs while it is measured: vector, database, plan and answers, and as much again to spare."""

TASKS = 4000


def bench_scale(
    rows: int, *, folder: Path | None = None, quick: bool = False, progress: Progress = silent
) -> list[Measure]:
    """Measure every stage on workspaces of ``rows``/16, ``rows``/4 and ``rows`` rows, made in ``folder`` and removed.

    Errors: :class:`BadInput` when ``folder`` holds something; :class:`QnetError` when the disk has not the room.
    """
    if quick:
        rows = min(rows, 2000)
    if folder is not None and folder.exists() and any(folder.iterdir()):
        raise BadInput("is not empty", file=folder, mend="name a new folder: it is removed afterwards")
    place = Path(tempfile.mkdtemp(prefix="qnet-scale-")) if folder is None else folder
    place.mkdir(parents=True, exist_ok=True)
    try:
        free, needed = shutil.disk_usage(place).free, rows * BYTES_A_ROW
        if free < needed:
            raise QnetError(
                f"{rows:,} rows need {needed / 1e9:.1f} GB, {free / 1e9:.1f} GB are free", file=place,
                mend="give another --folder, or fewer --rows",
            )  # fmt: skip
        return _measured(place, rows, quick, progress)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _measured(place: Path, rows: int, quick: bool, progress: Progress) -> list[Measure]:
    root, simulated = str(place / "ws"), str(place / "simulated")
    changes = {"select": 20 if quick else 1000, "map_side": None if quick else 45}
    steps = STEPS[-1:] if quick else STEPS
    architectures = ((4, 6),) if quick else (SMALL, FULL)
    _stage("simulate", progress, file_folder=simulated, rows=60 if quick else 500)
    curve: dict[str, list[Figures]] = {}
    for number, part in enumerate(steps, start=1):
        size = rows // part

        def run(stage: str, name: str | None = None, **arguments: object) -> None:
            curve.setdefault(name or stage, []).append(_stage(stage, progress, root=root, **arguments))

        run("build", rows=size, file_folder=simulated)
        run("plan", round_number=number, changes=changes)
        for layers, filters in architectures:
            run("stream", f"stream {layers}x{filters}", round_number=number, layers=layers, filters=filters,
                networks=1, most=rows, precision="float32" if quick else "auto")  # fmt: skip
        run("choose_objects", round_number=number, changes=changes)
        run("database", round_number=number, tasks=40 if quick else TASKS)
    layers, filters = architectures[0]
    # One network for the smallest pool was measured with its step.
    curve["networks"] = [{**curve[f"stream {layers}x{filters}"][0], "networks": 1.0}]
    for networks in () if quick else (2, 4, 8):
        some = _stage("stream", progress, root=root, round_number=1, layers=layers, filters=filters,
                      networks=networks, most=rows, precision="auto")  # fmt: skip
        curve["networks"].append({**some, "networks": float(networks)})
    return [_note(curve, quick), *_lines(curve)]


def _stage(stage: str, progress: Progress, **arguments: object) -> Figures:
    return {one.name: one.ours for one in in_clean_process(f"{STAGES}:{stage}", progress, **arguments)}


def _note(curve: dict[str, list[Figures]], quick: bool) -> Measure:
    words = (
        "every stage in a process of its own; peak memory is of the process, libraries and mapped pages included; "
        "spectra: one simulated file with fresh noise; committee's calls in the selection made up; networks of initial "
        f"weights, in {'bfloat16' if any(f.get('bfloat16') for s in curve.values() for f in s) else 'float32'}"
    )
    return Measure("how", math.nan, None, None, "", False, f"{words}{'; quick: figures mean nothing' * quick}")


def _lines(curve: dict[str, list[Figures]]) -> list[Measure]:
    out: list[Measure] = []
    for step, made in enumerate(curve["build"]):
        out += _of_step(curve, step, made)
    out += _growth(curve)
    return out


def _of_step(curve: dict[str, list[Figures]], step: int, made: Figures) -> list[Measure]:
    n = f"{made['rows']:,.0f} rows"
    written = made["commit_seconds"] + made["shard_seconds"]
    plan, chosen, base = (curve[name][step] for name in ("plan", "choose_objects", "database"))
    placing = max(plan["cells_seconds"], 1e-9)
    out = [
        _rate(f"ingest tables and shards, to {n}", made["written_rows"], written, made,
              f"{made['files']:,.0f} files; shards {made['shard_bytes'] / 1e9 / max(made['shard_seconds'], 1e-9):.2f} "
              f"GB/s, a transaction {made['commit_median'] * 1e3:.0f} ms, the longest "
              f"{made['commit_max'] * 1e3:.0f} ms"),
        _at_most(f"longest transaction, {n}", made["commit_max"], "s", 1.0, "files of 500 rows"),
        _rate(f"metadata of all rows, {n}", plan["rows"], plan["read_seconds"], None,
              f"{plan['rows_bytes'] / plan['rows']:.0f} bytes a row in memory"),
        _rate(f"map units of all rows, {n}", plan["rows"], placing, None,
              f"{placing:.1f} s; training the map {plan['map_training_seconds']:.1f} s"),
        _rate(f"plan of a round, {n}", plan["rows"], plan["seconds"], plan,
              f"{plan['pool_rows']:,.0f} in the pool; files {plan['plan_bytes'] / 1e6:.0f} MB"),
    ]  # fmt: skip
    for name in [one for one in curve if one.startswith("stream ")]:
        s = curve[name][step]
        out.append(
            _rate(f"one network {name.split()[1]}, {n}", s["rows"], s["seconds"], s,
                  f"{s['rows'] / s['cpu']:,.0f} /s per core; reading {s['reading_seconds']:.1f} s; "
                  f"{s['rechecked']:,.0f} rows twice; answers {s['score_bytes'] / 1e6:.1f} MB")
        )  # fmt: skip
    out.append(
        _rate(f"selection among all, {n}", chosen["rows"], chosen["seconds"], chosen,
              f"{chosen['objects']:,.0f} objects, {chosen['selected']:.0f} chosen, entropy >= {chosen['cut']:.3f}; "
              f"queued in {chosen['queue_seconds']:.2f} s")
    )  # fmt: skip
    out += [
        Measure(f"database, {n}", base["bytes"] / 1e6, None, None, "MB", True,
                f"{base['bytes'] / made['rows']:.0f} bytes a row"),
        *(
            Measure(f"{words}, {n}", base[name] * 1e3, None, None, "ms", False, "median")
            for words, name in (
                ("open the workspace", "open_seconds"), ("qnet runs list", "list_seconds"),
                ("qnet export selection", "export_seconds"), ("a task's registration", "task_seconds"),
                ("rows of 1,000 objects", "objects_seconds"),
            )
        ),
        Measure(f"known files asked for, {n}", base["known_seconds"] * 1e3, None, None, "ms", False,
                f"{base['files']:,.0f} files, one query each"),
    ]  # fmt: skip
    return out


def _growth(curve: dict[str, list[Figures]]) -> list[Measure]:
    """The curve: exponents of cost, bytes that a row adds to the driver, growth of the workers."""
    out = []
    streams = [name for name in curve if name.startswith("stream ")]
    for name, words in (("plan", "plan"), ("choose_objects", "selection"), *((s, f"network {s[7:]}") for s in streams)):
        some = [(f["rows"], f["cpu"]) for f in curve[name]]
        out.append(_exponent(f"cost of {words} against rows", some, "processor seconds"))
    out.append(
        _exponent("cost of scoring against networks", [(f["networks"], f["cpu"]) for f in curve["networks"]],
                  f"{curve['networks'][0]['rows']:,.0f} rows, 1 to {curve['networks'][-1]['networks']:.0f} networks")
    )  # fmt: skip
    for name, words in (("plan", "plan"), ("choose_objects", "selection")):
        first, last = curve[name][0], curve[name][-1]
        more = max(last["rows"] - first["rows"], 1.0)
        out.append(
            _at_most(f"driver's peak, {words}", last["peak"] / 1e6, "MB", DRIVER_MEGABYTES,
                     f"{last['rows']:,.0f} rows; {(last['peak'] - first['peak']) / more:.0f} bytes a row more, "
                     f"{last['start'] / 1e6:.0f} MB before any")
        )  # fmt: skip
    for name in streams:
        first, last = curve[name][0], curve[name][-1]
        out.append(
            _at_most(f"worker's growth, {name.split()[1]}", (last["peak"] - first["peak"]) / 1e6, "MB",
                     WORKER_GROWTH_MEGABYTES, f"peak {first['peak'] / 1e6:.0f} MB at {first['rows']:,.0f} rows, "
                     f"{last['peak'] / 1e6:.0f} MB at {last['rows']:,.0f}")
        )  # fmt: skip
    return out


def _rate(name: str, rows: float, seconds: float, memory: Figures | None, detail: str) -> Measure:
    peak = "" if memory is None else f"; peak {memory['peak'] / 1e6:.0f} MB"
    return Measure(
        name, rows / max(seconds, 1e-9), None, None, "rows/s", False, f"{seconds:.2f} s for {rows:,.0f}; {detail}{peak}"
    )


def _at_most(name: str, value: float, unit: str, most: float, detail: str) -> Measure:
    return Measure(name, value, None, None, unit, False, detail, most, value <= most)


def _exponent(name: str, points: Sequence[tuple[float, float]], detail: str) -> Measure:
    return Measure(name, fitted_exponent(points), None, None, "exponent", False, detail)


def fitted_exponent(points: Sequence[tuple[float, float]]) -> float:
    """The b of cost = a·size**b, by least squares of the logarithms; NaN from fewer than two sizes."""
    xs, ys = ([math.log(max(v, 1e-12)) for v in column] for column in zip(*points, strict=True))
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    spread = sum((x - mean_x) ** 2 for x in xs)
    return sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True)) / spread if spread else math.nan
