"""Peer of the bench: the spectrum in textual-plot's widget: ``textual_plot_app FILE.npz Z [raw]``."""

from __future__ import annotations

import sys

from textual import events
from textual.app import App, ComposeResult
from textual.widgets import Static
from textual_plot import HiResMode, PlotWidget

from qnet_tui.tui.bench.peer_spectrum import KEYS, PeerSpectrum


class TextualPlotApp(App[int]):
    """A plot over the whole screen and one line with the redshift."""

    CSS = "#plot { height: 1fr; } #line { height: 1; }"

    def __init__(self, spectrum: PeerSpectrum) -> None:
        """Draw ``spectrum``."""
        super().__init__()
        self.theme = "ansi-dark"
        self.spectrum, self.z = spectrum, spectrum.z

    def compose(self) -> ComposeResult:
        """Lay out plot and line."""
        yield PlotWidget(id="plot")
        yield Static("", id="line", markup=False)

    def on_resize(self) -> None:
        """Draw for the new size."""
        self.draw()

    def on_key(self, event: events.Key) -> None:
        """Move the redshift, or end."""
        if event.key == "f10":
            self.exit(0)
        elif event.key in KEYS:
            event.stop()
            self.z = round(self.z + KEYS[event.key], 6)
            self.draw()

    def draw(self) -> None:
        """Give the widget its data again; it has no way to move a line alone."""
        plot, window = self.query_one("#plot", PlotWidget), self.spectrum.window
        plot.clear()
        plot.set_xlimits(window.x0, window.x1)
        plot.set_ylimits(window.y0, window.y1)
        for (x, y), style in zip(self.spectrum.curves(self.size.width), ("white", "bright_black"), strict=True):
            plot.plot(x, y, line_style=style, hires_mode=HiResMode.BRAILLE)
        for marker in self.spectrum.markers(self.z):
            plot.add_v_line(marker.wavelength, line_style="cyan")
        self.query_one("#line", Static).update(f"z {self.z:.4f}")


if __name__ == "__main__":
    TextualPlotApp(PeerSpectrum.read(sys.argv[1:])).run(mouse=False)
