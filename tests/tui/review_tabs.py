"""Review tabs made up by hand, one of each, and the screen open on them: what is drawn, not how it is computed."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, make_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from qnet_tui.plotting.charts import Curve, HeatMap, Histogram, LineChart
from qnet_tui.tui.screens.review import ReviewScreen
from qnet_tui.workflows.review.tab import Asked, Column, Tab
from qnet_tui.workflows.spectrum_file import RowShown, SpectrumFile
from tests.tui.open_screen import OpenScreen, at_desk


def rows_of(name: str, keys: str, *values: tuple[Any, ...]) -> list[Any]:
    """Frozen dataclasses with the fields ``keys``."""
    made = make_dataclass(name, keys.split(), frozen=True)
    return [made(*each) for each in values]


def _completeness(asked: Asked) -> Tab:
    epochs = np.arange(1.0, 41.0)
    curves = []
    rows: list[tuple[Any, ...]] = []
    for group, (name, end) in enumerate((("AL 1", 0.931), ("AL 2", 0.947))):
        if asked.dataset in ("", name):
            completeness = end - 0.4 * np.exp(-epochs / 6.0)
            impurity = 0.02 + 0.2 * np.exp(-epochs / 4.0)
            curves += [
                Curve(name, epochs, completeness, group=group),
                Curve("", epochs, impurity, "dashed", group=group),
            ]
            for epoch in (1, 10, 20, 30, 40):
                share = float(completeness[epoch - 1])
                tp, fp = round(1204 * share), round(24 + 200 * np.exp(-epoch / 4.0))
                rows.append((name, epoch, share, share - 0.013, share + 0.010, tp / (tp + fp), tp, fp, 1204 - tp))
    return Tab(
        "completeness",
        (
            Column("dataset", "dataset"), Column("epoch", "epoch"), Column("completeness", "compl."),
            Column("lo", "from", need=1), Column("hi", "to", need=1), Column("purity", "purity"),
            Column("tp", "tp", need=2), Column("fp", "fp", need=2), Column("fn", "fn", need=2),
        ),
        rows_of("Line", "dataset epoch completeness lo hi purity tp fp fn", *rows),
        replace(asked, round=asked.round if asked.round is not None else 2, by=asked.by or "epoch"),
        LineChart(tuple(curves), "epoch", "completeness, impurity", y_range=(0.0, 1.0)),
        "AL 2 finds 0.947 (0.934-0.957) of 1,204 quasars, AL 1 0.931 (0.916-0.943): 19 more, McNemar p = 0.003.",
        (
            "completeness TP/(TP+FN), purity TP/(TP+FP); from, to: 95 % Wilson intervals",
            "a quasar is called by two lines above the threshold; the BAL head never votes",
            "the 1,204 quasars and 2,380 others are the same for both",
        ),
        (0, 1, 2), ("AL 1", "AL 2"), (0.5, 0.9, 0.95), ("epoch", "z", "magnitude", "snr"),
    )  # fmt: skip


def _thresholds(asked: Asked) -> Tab:
    c = np.array([0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99])
    completeness, purity = 0.99 - 0.1 * c**6, 0.9 + 0.09 * c**0.5
    rows = [("committee 2", *map(float, of), 1140, 20, 64) for of in zip(c, completeness, purity, strict=True)]
    return Tab(
        "thresholds",
        (Column("dataset", "dataset", need=1), Column("c_threshold", "c >", 2), Column("completeness", "compl."),
         Column("purity", "purity"), Column("tp", "tp", need=2), Column("fp", "fp", need=2)),
        rows_of("Line", "dataset c_threshold completeness purity tp fp fn", *rows),
        replace(asked, round=2),
        LineChart(
            (Curve("round 2", completeness, purity, dot=(float(completeness[10]), float(purity[10]))),),
            "completeness", "purity",
        ),
        "At c > 0.95 the committee finds 0.947 of the quasars at a purity of 0.983.",
        rounds=(1, 2),
    )  # fmt: skip


def _datasets(asked: Asked) -> Tab:
    epochs = np.arange(1.0, 31.0)
    middle = 0.93 - 0.4 * np.exp(-epochs / 6.0)
    curves = tuple(Curve("AL 1", epochs, middle + 0.004 * n, faint=bool(n), group=0) for n in range(-2, 3))
    rows = [("AL 1", 5600, n, 0.93 + 0.004 * n) for n in range(10)] + [("random", 5600, 0, float("nan"))]
    return Tab(
        "datasets",
        (Column("dataset", "dataset"), Column("size", "size"), Column("bootstrap", "boot"), Column("c", "compl.")),
        rows_of("Line", "dataset size bootstrap c", *rows), asked, LineChart(curves, "epoch", "completeness"),
        "AL 1 beats the random draw of the same size in 10 of 10 bootstraps.",
    )  # fmt: skip


def _entropy(asked: Asked) -> Tab:
    edges = np.linspace(0.0, 1.585, 17)
    counts = (3_600_000 * np.exp(-np.arange(16.0) * 0.8)).astype(np.int64)
    rejected = counts // 40
    return Tab(
        "entropy",
        (Column("bin", "bit >=", 2), Column("count", "rows"), Column("rejected", "rejected"),
         Column("stopped", "not asked to the end", need=1)),
        rows_of("Bin", "bin count rejected stopped",
                *((float(e), int(n), int(r), int(n) // 2)
                  for e, n, r in zip(edges[:-1], counts, rejected, strict=True))),
        asked, Histogram(edges, (("pool", counts), ("rejected", rejected)), "entropy (bit)", True, ((1.21, "cut"),)),
        "1,000 of 3,600,000 rows lie above the cut of 1.21 bit.",
    )  # fmt: skip


def _map(asked: Asked) -> Tab:
    counts = np.add.outer(np.arange(12.0) ** 2, np.arange(12.0) ** 3)
    counts[3, 4] = np.nan
    marked = counts < 12
    rows = [
        (12 * r + c, r, c, int(np.nan_to_num(counts[r, c])), bool(marked[r, c]), {"QSO": r + c, "GALAXY": 3})
        for r in range(12)
        for c in range(12)
    ]
    return Tab(
        "map",
        (Column("cell", "cell"), Column("row", "row", need=1), Column("column", "col", need=1),
         Column("count", "count"), Column("rejected", "rejected"), Column("by_class", "labelled")),
        rows_of("Cell", "cell row column count rejected by_class", *rows),
        asked, HeatMap(counts, marked, "rows of a cell", "rejected"),
        f"{int(marked.sum())} of 144 cells are rejected.",
    )  # fmt: skip


def _repeats(asked: Asked) -> Tab:
    rows = [(0.5 + 0.25 * n, 0.0011 + 1e-4 * n, 40 + n) for n in range(12)]
    z = np.array([row[0] for row in rows])
    return Tab(
        "repeats",
        (Column("z_mean", "z", 2), Column("sigma_z", "σ_z", 4), Column("n", "objects")),
        rows_of("Bin", "z_mean sigma_z n", *rows), asked,
        LineChart((Curve("new", z, np.array([row[1] for row in rows])),), "z", "σ_z"),
        "The scatter of repeated redshifts is 0.0013 (0.0011-0.0015).",
        datasets=("cp-0007 new.h5 against old.h5", "cp-0003 other.h5 against old.h5"),
    )  # fmt: skip


def _weights(asked: Asked) -> Tab:
    rng = np.random.default_rng(3)
    z, dv = rng.uniform(0.5, 4.0, 400), rng.normal(0.0, 900.0, 400)
    rows = [(300, 0.71), (1000, 0.93), (3000, 0.981), (6000, None)]
    return Tab(
        "weights",
        (Column("within_kms", "within km/s"), Column("fraction", "share")),
        rows_of("Agreement", "within_kms fraction", *rows), asked,
        LineChart((Curve("", z, dv, "dots"),), "z", "Δv (km/s)", horizontals=((0.0, ""),)),
        "Both files agree to 1000 km/s for 0.93 of 400 objects.",
    )  # fmt: skip


def _outliers(asked: Asked) -> Tab:
    rows = [(1 + n, 39627000000000310 + n, 1.58 - 0.01 * n, 17, "sky residuals" if n else "not inspected", 2.3042)
            for n in range(4)]  # fmt: skip
    return Tab(
        "outliers",
        (Column("rank", "rank"), Column("TARGETID", "TARGETID"), Column("entropy", "entropy", need=2),
         Column("cell", "cell", need=2), Column("reason", "reason", need=1)),
        rows_of("Outlier", "rank TARGETID entropy cell reason z", *rows), asked,
        says="1 of 4 outliers was inspected.",
        spectra=(_REAL / "quasar.npz", _REAL / "star.npz", None, _REAL / "missing.npz"),
    )  # fmt: skip


def _rounds(asked: Asked) -> Tab:
    return Tab(
        "rounds", (Column("round", "round"), Column("state", "state")), [], asked,
        empty="no round was run yet: qnet run-al makes the first",
    )  # fmt: skip


_REAL = Path(__file__).parent / "real_spectra"
MADE: dict[str, Callable[[Asked], Tab]] = {
    "completeness": _completeness, "thresholds": _thresholds, "datasets": _datasets, "entropy": _entropy,
    "map": _map, "repeats": _repeats, "weights": _weights, "outliers": _outliers, "rounds": _rounds,
}  # fmt: skip


@dataclass
class MadeFigures:
    """Gives tabs out of :data:`MADE`; ``instead`` takes the place of some, ``asked`` is what was computed."""

    instead: dict[str, Callable[..., Tab]] = field(default_factory=dict)
    asked: list[tuple[str, Asked]] = field(default_factory=list)
    read: list[str] = field(default_factory=list)
    wait: threading.Event | None = None

    def tab(self, name: str, asked: Asked, progress: Callable[[str, int, int], None]) -> Tab:
        self.asked.append((name, asked))
        if name in self.instead:
            return self.instead[name](asked, progress)
        return MADE[name](asked)

    def spectrum(self, path: Path, *, settled: bool) -> RowShown:
        self.read.append(path.stem)
        return SpectrumFile.open(path).show(0)

    def close(self) -> None:
        pass


class Reviewing(OpenScreen[ReviewScreen]):
    """The review screen."""

    @property
    def made(self) -> MadeFigures:
        return self.screen.desk.session

    @property
    def cursor(self) -> int:
        return self.screen.listing.cursor

    def whole(self) -> str:
        """Every row of the screen, put together from its panes."""
        parts = [pane for pane in ("table", "chart", "spectrum") if self.screen.query_one(f"#{pane}").display]
        body = [" ".join(row) for row in zip(*(self.screen.query_one(f"#{pane}").text for pane in parts), strict=True)]
        says = self.screen.query_one("#says")
        rows = [*self.screen.query_one("#header").text, *body, *(says.text if says.display else [])]
        return "\n".join(row.rstrip() for row in [*rows, *self.screen.query_one("#hint").text]) + "\n"

    @property
    def said(self) -> str:
        return self.text("hint")

    async def go(self, *keys: str) -> None:
        """Press keys and wait for what they ask for."""
        await self.press(*keys)
        await self.settled()


@asynccontextmanager
async def reviewing(
    made: MadeFigures | None = None, size: tuple[int, int] = (80, 24), charset: str = "braille", **options: Any
) -> AsyncIterator[Reviewing]:
    """Open the screen and wait for its first tab."""
    figures = made or MadeFigures()
    async with at_desk(Reviewing, lambda: figures, lambda desk: ReviewScreen(desk, charset, **options), size) as found:
        await found.pilot.pause()
        if figures.wait is None:
            await found.settled()
        yield found
