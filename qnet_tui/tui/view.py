"""How a person looks at a spectrum: what part of it, smoothed how much, with which lines. Never part of an answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, TypeVar

from qnet_tui.inspection.answer import Refused
from qnet_tui.plotting.ranges import Y_MODES, YMode, panned, zoomed
from qnet_tui.plotting.smoothing import SMOOTHING_LEVELS
from qnet_tui.spectral_lines.identification import BY_NAME
from qnet_tui.spectral_lines.line_list import KIND_CHOICES, LINE_CHOICES, KindChoice, LineChoice

Choice = TypeVar("Choice")

# The small pane can be halved this often: C IV from 660 Å at z 2.3 to 21 Å, where ten fine steps of z show.
DEEPEST_ZOOM = 5


@dataclass(frozen=True)
class View:
    """The window in observed Å (None: all of it), smoothing in pixels, and what is drawn.

    ``zoom_line`` is the line that was asked for in the small pane (None: it follows the cursor), ``depth`` how often
    its window is halved, ``zoom_big`` whether it has taken the place of the spectrum. ``arms`` draws the arms apart
    over the joined spectrum, ``model`` a template at the trial redshift; ``template`` is its name, "" the first one
    of the class that was answered.
    """

    window: tuple[float, float] | None = None
    smoothing: float = 3.0
    y_mode: YMode = "robust"
    lines: LineChoice = "major"
    kind: KindChoice = "both"
    noise: bool = True
    rest: bool = False
    zoom_line: str | None = None
    zoom_big: bool = False
    depth: int = 0
    locked: bool = False
    arms: bool = False
    model: bool = False
    template: str = ""

    def zoomed(self, full: tuple[float, float], centre: float | None, factor: float) -> View:
        """Narrow (factor < 1) or widen the window about ``centre``; in the big pane, about its line."""
        if self.zoom_big:
            return self.deeper(1 if factor < 1 else -1)
        current = self.window or full
        middle = 0.5 * (current[0] + current[1])
        window = zoomed(current, full, centre if centre is not None else middle, factor)
        if window == current:
            raise Refused("no closer" if factor < 1 else "this is the whole spectrum")
        return replace(self, window=None if window == full else window)

    def panned(self, full: tuple[float, float], share: float) -> View:
        """Move the window by ``share`` of its width."""
        if self.zoom_big:
            raise Refused("this pane follows its line: {swap_zoom} goes back to the spectrum")
        current = self.window or full
        window = panned(current, full, share)
        if window == current:
            raise Refused(
                "this is the end of the spectrum" if self.window else "this is the whole spectrum: {zoom_in} zooms in"
            )
        return replace(self, window=window)

    def deeper(self, step: int) -> View:
        """Halve (1) or double (-1) the window of the small pane."""
        depth = self.depth + step
        if not 0 <= depth <= DEEPEST_ZOOM:
            raise Refused("no closer" if step > 0 else "no wider")
        return replace(self, depth=depth)

    def smoothed(self, step: int) -> View:
        """Go to the next (1) or previous (-1) smoothing level."""
        at = min(range(len(SMOOTHING_LEVELS)), key=lambda i: abs(SMOOTHING_LEVELS[i] - self.smoothing)) + step
        if not 0 <= at < len(SMOOTHING_LEVELS):
            raise Refused(f"smoothing stops at {self.smoothing:g} px")
        return replace(self, smoothing=SMOOTHING_LEVELS[at])

    def words(self) -> str:
        """Say on one line what is not seen from the plot itself."""
        smooth = f"smooth {self.smoothing:g} px" if self.smoothing else "not smoothed"
        lines = "no lines" if self.lines == "off" else f"{self.lines} lines"
        parts = ["locked"] if self.locked else []
        parts += [smooth, lines if self.kind == "both" or self.lines == "off" else f"{lines}, {self.kind}"]
        parts += (
            []
            if self.y_mode == "robust"
            else [{"full": "full range", "zero": "from zero", "log": "log-like"}[self.y_mode]]
        )
        parts += [] if self.noise else ["no noise"]
        parts += ["arms apart"] if self.arms else []
        parts += [f"model {self.template}".rstrip()] if self.model else []
        return " · ".join(parts)

    def for_next_item(self) -> View:
        """Return the view of the next spectrum: a fresh one, or this one without its line when locked."""
        return replace(self, zoom_line=None) if self.locked else View()

    def to_json(self) -> dict[str, Any]:
        """Return the view as JSON values, for a draft."""
        return asdict(self)

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> View:
        """Read a view; values of another version or kind are left at their default."""
        fresh = cls()
        known = {field.name: body[field.name] for field in fields(cls) if field.name in body}
        good = {name: value for name, value in known.items() if _fits(name, value, getattr(fresh, name))}
        if good.get("window") is not None:
            good["window"] = (float(good["window"][0]), float(good["window"][1]))
        return replace(fresh, **good)


def next_choice(choices: Sequence[Choice], current: Choice) -> Choice:
    """Return the choice after ``current``, going round."""
    return choices[(choices.index(current) + 1) % len(choices)]


def _fits(name: str, value: Any, default: Any) -> bool:
    allowed: dict[str, Sequence[Any]] = {
        "y_mode": Y_MODES,
        "lines": LINE_CHOICES,
        "kind": KIND_CHOICES,
        "smoothing": SMOOTHING_LEVELS,
        "depth": range(DEEPEST_ZOOM + 1),
        "zoom_line": (None, *BY_NAME),
    }
    if name in allowed:
        return value in allowed[name]
    if name == "window":
        numbers = isinstance(value, list | tuple) and len(value) == 2
        return value is None or (
            numbers and all(isinstance(edge, int | float) for edge in value) and value[0] < value[1]
        )
    return isinstance(value, type(default))
