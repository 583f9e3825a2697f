"""The programs that the bench of the label screen runs: the label screen itself, its peers, and an empty application.

Each runs on a pseudo-terminal and is driven by keys; what comes back are bytes and seconds.
"""

from __future__ import annotations

import math
import re
import statistics
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from qnet_tui.plotting.smoothing import join_arms
from qnet_tui.workflows.bench_campaign import INSPECTOR, BenchSpectrum, make_campaign
from qnet_tui.workflows.bench_terminal import Reply, Terminal

FINE, COARSE = 0.0001, 0.01
HELD_HZ = 30.0
_FINE_KEY, _COARSE_KEY = "\x1b[C", ">"
_Z = re.compile(rb"(\d\.\d{4})(?!\d)")

# The label screen and its peers draw by the same rules; how often is left to each.
_ENVIRONMENT = {"TEXTUAL_ANIMATIONS": "none", "TEXTUAL_SMOOTH_SCROLL": "0"}
# What the label screen sets for itself, so that nobody else pays for threads.
_PEER_ENVIRONMENT = {**_ENVIRONMENT, "OPENBLAS_NUM_THREADS": "1"}
# Run by name so that this room need not import the faces: it notes what was loaded when it ends.
_OURS = """
import atexit, sys
from pathlib import Path
out = Path(sys.argv.pop(1))
atexit.register(lambda: out.write_text("\\n".join(sorted(sys.modules)), encoding="utf-8"))
from qnet_tui.__main__ import main
main()
"""
# Name of a peer: the application below qnet_tui.tui.bench, and the module it cannot do without.
PEERS = {"plotext": ("plotext_app", "plotext"), "textual-plot": ("textual_plot_app", "textual_plot")}


@dataclass(frozen=True)
class Effort:
    """How often things are repeated, and on which terminals."""

    steps: int
    starts: int
    items: int
    held: int
    sizes: tuple[tuple[int, int], ...]
    raw_peers: bool


@dataclass(frozen=True)
class Steps:
    """What single keys cost; ``processor`` is the program's processor time for all of them, in seconds."""

    replies: tuple[Reply, ...]
    processor: float = math.nan

    @property
    def size(self) -> float:
        """Median bytes."""
        return float(statistics.median(reply.size for reply in self.replies))

    @property
    def most(self) -> float:
        """Most bytes."""
        return float(max(reply.size for reply in self.replies))

    @property
    def milliseconds(self) -> float:
        """Median milliseconds."""
        return 1e3 * statistics.median(reply.seconds for reply in self.replies)

    @property
    def processor_milliseconds(self) -> float:
        """Mean milliseconds of processor time of one key."""
        return 1e3 * self.processor / len(self.replies)


@dataclass(frozen=True)
class Held:
    """A key held: milliseconds from release to the last byte, kB a second, and keys that had no effect."""

    lag: float
    traffic: float
    dropped: int


@dataclass(frozen=True)
class LabelFigures:
    """The label screen at one size; ``fit``, ``following`` and ``saving`` cost what a person waits for."""

    coarse: Steps
    fine: Steps
    with_model: Steps
    held_fine: Held
    held_coarse: Held
    fit: Steps
    following: Steps
    saving: Steps
    memory: float


@dataclass(frozen=True)
class PeerFigures:
    """A peer at one size."""

    coarse: Steps
    fine: Steps
    held_fine: Held


class Programs:
    """The programs, on spectra that are kept in a scratch folder."""

    def __init__(self, folder: Path, spectra: list[BenchSpectrum]) -> None:
        """Write what the programs read below ``folder``; the first of ``spectra`` is the one that is stepped over."""
        self._folder, self._spectra = folder, spectra
        self._modules = folder / "modules.txt"
        self._npz = folder / "spectrum.npz"
        self._campaigns = 0
        arms = spectra[0].spectrum.arms
        wave, flux, ivar = join_arms([(arm.wavelength, arm.flux[0], arm.ivar[0]) for arm in arms])
        np.savez(self._npz, wavelength=wave, flux=flux, ivar=ivar)

    @property
    def z(self) -> float:
        """The redshift that every program starts at."""
        return self._spectra[0].z

    def label(self, columns: int, rows: int, effort: Effort) -> LabelFigures:
        """Step, hold, fit, go on and save at the label screen."""
        with self._label_screen(columns, rows) as terminal:
            coarse, z = _stepped(terminal, _COARSE_KEY, COARSE, self.z, effort.steps)
            fine, z = _stepped(terminal, _FINE_KEY, FINE, z, effort.steps)
            held_fine, z = _held(terminal, _FINE_KEY, FINE, z, effort.held)
            held_coarse, _ = _held(terminal, _COARSE_KEY, COARSE, z, effort.held // 2)
            # Far from the truth there is nothing to fit.
            terminal.press(f"z\x15{self.z:.4f}\r", f"{self.z:.4f}")
            fit = _fitted(terminal, self.z, min(effort.items, 3))
            # The name of the template is told with the view.
            terminal.press("t", "quasar")
            with_model, _ = _stepped(terminal, _COARSE_KEY, COARSE, self.z, effort.steps)
            following = self._followed(terminal, effort.items)
            saving = self._saved(terminal, effort.items)
            memory = terminal.memory()
            terminal.leave()
        return LabelFigures(coarse, fine, with_model, held_fine, held_coarse, fit, following, saving, memory)

    def peer(self, name: str, columns: int, rows: int, effort: Effort, *, raw: bool) -> PeerFigures:
        """Step and hold in a peer; ``raw`` gives it every pixel instead of an envelope of the columns."""
        application, _ = PEERS[name]
        command = [sys.executable, "-m", f"qnet_tui.tui.bench.{application}", str(self._npz), f"{self.z:.4f}"]
        with Terminal([*command, *(["raw"] if raw else [])], columns, rows, environment=_PEER_ENVIRONMENT) as terminal:
            terminal.wait_for(f"z {self.z:.4f}")
            terminal.settle(0.5)
            coarse, z = _stepped(terminal, _COARSE_KEY, COARSE, self.z, effort.steps)
            fine, z = _stepped(terminal, _FINE_KEY, FINE, z, effort.steps)
            held, _ = _held(terminal, _FINE_KEY, FINE, z, effort.held)
            terminal.leave()
        return PeerFigures(coarse, fine, held)

    def starts(self, columns: int, rows: int, effort: Effort) -> tuple[float, float, set[str]]:
        """Start the label screen and the empty application in turn.

        Returns median milliseconds to the spectrum and to the empty application's one line, and the names of the
        modules that the label screen had loaded when it was left, which are those that the empty one loads.
        """
        ours, empty = [], []
        command = [sys.executable, "-m", "qnet_tui.tui.bench.empty_app", str(self._modules)]
        for _ in range(effort.starts):
            with self._label_screen(columns, rows) as terminal:
                ours.append(self._painted)
                terminal.leave()
            with Terminal(command, columns, rows, environment=_PEER_ENVIRONMENT) as terminal:
                empty.append(terminal.wait_for("nothing here"))
        loaded = set(self._modules.read_text(encoding="utf-8").split())
        return 1e3 * statistics.median(ours), 1e3 * statistics.median(empty), loaded

    @contextmanager
    def _label_screen(self, columns: int, rows: int) -> Iterator[Terminal]:
        """Open the label screen on a fresh campaign and wait for the first spectrum."""
        self._campaigns += 1
        root = self._folder / f"ws{self._campaigns}"
        make_campaign(root, self._spectra)
        command = [sys.executable, "-c", _OURS, str(self._modules), "label", "--as", INSPECTOR, "-w", str(root)]
        with Terminal(command, columns, rows, environment=_ENVIRONMENT) as terminal:
            # The answer pane shows the redshift when the spectrum is there; both come in one frame.
            self._painted = terminal.wait_for(f" {self.z:.4f}")
            terminal.settle(0.5)
            yield terminal

    def _followed(self, terminal: Terminal, items: int) -> Steps:
        """Go on without saving."""
        total = len(self._spectra)
        return Steps(tuple(terminal.press("j", f"{at} of {total}") for at in range(2, 2 + min(items, total - 1))))

    def _saved(self, terminal: Terminal, items: int) -> Steps:
        """Answer and save; the reply ends with the next spectrum on the screen."""
        replies = []
        for _ in range(min(items, len(self._spectra) - 2)):
            terminal.press("q", "[QSO]")
            terminal.press("4", "[4]")
            replies.append(terminal.press("\r", "saved"))
        return Steps(tuple(replies))


def _stepped(terminal: Terminal, key: str, step: float, z: float, times: int) -> tuple[Steps, float]:
    replies, before = [], terminal.processor()
    for _ in range(times):
        z = round(z + step, 6)
        replies.append(terminal.press(key, f"{z:.4f}"))
    return Steps(tuple(replies), terminal.processor() - before), z


def _held(terminal: Terminal, key: str, step: float, z: float, times: int) -> tuple[Held, float]:
    """Hold a key that changes z by ``step``; the redshift that is shown in the end tells what was dropped."""
    end = round(z + times * step, 6)
    reply, shown = terminal.hold(key, times, HELD_HZ, f"{end:.4f}")
    seen = _Z.findall(shown)
    reached = float(seen[-1]) if seen else z
    return Held(1e3 * reply.seconds, reply.size / (times / HELD_HZ) / 1e3, round((end - reached) / step)), reached


def _fitted(terminal: Terminal, z: float, times: int) -> Steps:
    """Ask for the local fit and leave it, ``times`` over."""
    replies = []
    for _ in range(times):
        replies.append(terminal.press("f", "km/s"))
        terminal.press("\x1b", f"{z:.4f}")
    return Steps(tuple(replies))
