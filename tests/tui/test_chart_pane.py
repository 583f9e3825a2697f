"""The pane of a chart: drawn at its own size, again on a resize, and only once for a size."""

from __future__ import annotations

import inspect
from pathlib import Path

import numpy as np
from textual.app import App, ComposeResult

from qnet_tui.plotting.canvas import Ink
from qnet_tui.plotting.charts import Curve, LineChart
from qnet_tui.tui.qnet_app import QnetApp
from qnet_tui.tui.widgets import chart as chart_module
from qnet_tui.tui.widgets.chart import ChartPane

CHART = LineChart((Curve("AL 2", np.arange(50.0), np.linspace(0.5, 0.9, 50)),), "epoch", "completeness")


class OnePane(App[None]):
    """A pane over the whole screen, with the styles of the real application."""

    CSS_PATH = Path(inspect.getfile(QnetApp)).with_name(str(QnetApp.CSS_PATH))

    def compose(self) -> ComposeResult:
        yield ChartPane(id="chart", charset="braille")


async def test_a_chart_fills_the_pane_and_follows_its_size(monkeypatch):
    drawn = []
    real = chart_module.draw_chart
    monkeypatch.setattr(chart_module, "draw_chart", lambda *args: drawn.append(args[1:3]) or real(*args))
    app = OnePane()
    async with app.run_test(size=(60, 20)) as pilot:
        pane = app.query_one(ChartPane)
        assert pane.chart is None
        pane.show_chart(CHART)
        await pilot.pause()
        assert [len(row) for row in pane.text] == [60] * 20
        assert any("AL 2" in row for row in pane.text)
        await pilot.resize_terminal(44, 16)
        await pilot.pause()
        assert [len(row) for row in pane.text] == [44] * 16
        await pilot.resize_terminal(60, 20)
        await pilot.pause()
        pane.show_chart(None)
        assert not any(row.strip() for row in pane.text)
        pane.show_chart(CHART)
        assert drawn == [(60, 20), (44, 16)]


async def test_every_ink_of_a_chart_has_a_style():
    app = OnePane()
    async with app.run_test(size=(40, 12)):
        pane = app.query_one(ChartPane)
        inks = [ink for ink in Ink if ink.name.startswith(("CURVE", "FAINT", "BAND", "MARK", "SHADE"))]
        assert len(inks) == 19
        plain = pane.style(Ink.BLANK)
        assert all(pane.style(ink) != plain for ink in inks)
        assert len({pane.style(ink) for ink in inks if ink.name.startswith("CURVE")}) == 6
