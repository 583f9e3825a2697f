"""Peer of the bench: the spectrum redrawn by plotext at every key: ``plotext_app FILE.npz Z [raw]``."""

from __future__ import annotations

import sys

import plotext
from rich.text import Text
from textual import events
from textual.app import App, ComposeResult
from textual.widgets import Static

from qnet_tui.tui.bench.peer_spectrum import KEYS, PeerSpectrum


class PlotextApp(App[int]):
    """A plot over the whole screen and one line with the redshift."""

    CSS = "#plot { height: 1fr; } #line { height: 1; }"

    def __init__(self, spectrum: PeerSpectrum) -> None:
        """Draw ``spectrum``."""
        super().__init__()
        self.theme = "ansi-dark"
        self.spectrum, self.z = spectrum, spectrum.z

    def compose(self) -> ComposeResult:
        """Lay out plot and line."""
        yield Static("", id="plot", markup=False)
        yield Static("", id="line", markup=False)

    def on_resize(self) -> None:
        """Draw for the new size."""
        self.draw()

    def on_key(self, event: events.Key) -> None:
        """Move the redshift, or end."""
        if event.key == "f10":
            self.exit(0)
        elif event.key in KEYS:
            self.z = round(self.z + KEYS[event.key], 6)
            self.draw()

    def draw(self) -> None:
        """Build the figure again, as plotext has to for every change."""
        columns, rows = self.size.width, self.size.height - 1
        if columns < 10 or rows < 5:
            return
        window = self.spectrum.window
        plotext.clear_figure()
        plotext.theme("clear")
        plotext.plot_size(columns, rows)
        plotext.xlim(window.x0, window.x1)
        plotext.ylim(window.y0, window.y1)
        for (x, y), color in zip(self.spectrum.curves(columns), ("white", "gray"), strict=True):
            plotext.plot(x.tolist(), y.tolist(), marker="braille", color=color)
        for marker in self.spectrum.markers(self.z):
            plotext.vline(marker.wavelength, "cyan")
            plotext.text(marker.name, marker.wavelength, window.y1, color="cyan")
        self.query_one("#plot", Static).update(Text.from_ansi(plotext.build()))
        self.query_one("#line", Static).update(f"z {self.z:.4f}")


if __name__ == "__main__":
    PlotextApp(PeerSpectrum.read(sys.argv[1:])).run(mouse=False)
