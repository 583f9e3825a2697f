"""What each key does to the answer and to the view; pure, so that the screen only draws what comes out.

Actions that need the queue, a prompt or another screen are the screen's own and are not here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from qnet_tui.inspection.answer import Z_COARSE, Z_FINE, Refused
from qnet_tui.inspection.item import ItemState
from qnet_tui.plotting.ranges import Y_MODES
from qnet_tui.spectral_lines.identification import BY_LETTER, BY_NAME, NAMEABLE, cycled, implied_redshift
from qnet_tui.spectral_lines.line_list import KIND_CHOICES, LINE_CHOICES
from qnet_tui.spectral_lines.local_fit import LocalFit
from qnet_tui.tui.answer_steps import answer_steps
from qnet_tui.tui.view import DEEPEST_ZOOM, View, next_choice


@dataclass(frozen=True)
class Scene:
    """What an action may look at beside the state.

    The data's range and peaks (observed Å), the column width, and the names of the templates.
    """

    full: tuple[float, float]
    features: Sequence[float] = ()
    column: float = 1.0
    templates: Sequence[str] = ()


@dataclass(frozen=True)
class Moment:
    """Answer and view together, as one key press finds them."""

    state: ItemState
    view: View

    @property
    def z(self) -> float | None:
        """The redshift whose lines are drawn."""
        return self.state.answer.z

    @property
    def seen(self) -> Moment:
        """The moment as the pictures take it."""
        return self


Step = Callable[[Moment, Scene], Moment]

_TRIAL = "{type_z} types it, {candidate_next} names the line at the cursor"


def apply(name: str, moment: Moment, scene: Scene) -> Moment:
    """Return the moment after action ``name``.

    Raises:
        Refused: the action cannot be done now; the text says why.
        KeyError: ``name`` is none of :data:`STEPS`.
    """
    return STEPS[name](moment, scene)


def name_line(letter: str, moment: Moment) -> Moment:
    """Name the line at the cursor by its letter; z follows.

    Raises:
        Refused: no line has that letter, there is no cursor, or the redshift would be impossible.
    """
    line = BY_LETTER.get(letter)
    if line is None:
        raise Refused(
            f"{{name_line}} {letter}: no such line; " + " ".join(f"{each.letter} {each.name}" for each in NAMEABLE)
        )
    cursor = _cursor(moment)
    return replace(moment, state=moment.state.with_line(line.name, implied_redshift(cursor, line.rest)))


def fit_offered(offer: LocalFit, moment: Moment) -> Moment:
    """Return the moment as it is drawn while ``offer`` waits for a yes: the lines stand where it would put them."""
    answer = moment.state.answer.with_z(offer.z, "fit", offer.z_error)
    return replace(moment, state=replace(moment.state, answer=answer))


def fit_taken(offer: LocalFit, moment: Moment) -> Moment:
    """Take the redshift of ``offer``.

    Raises:
        Refused: no answer can have it.
    """
    return replace(moment, state=moment.state.with_z_fitted(offer.z, offer.z_error))


def _cursor(moment: Moment) -> float:
    if moment.state.cursor is None:
        raise Refused("there is no cursor: {cursor_left} and {cursor_right} move it")
    return moment.state.cursor


def _answer(change: Callable[[ItemState], ItemState]) -> Step:
    return lambda moment, _scene: replace(moment, state=change(moment.state))


def _view(change: Callable[[View], View]) -> Step:
    return lambda moment, _scene: replace(moment, view=change(moment.view))


def _cycle(step: int) -> Step:
    def cycle(moment: Moment, _scene: Scene) -> Moment:
        cursor = _cursor(moment)
        found = cycled(cursor, moment.state.named, step)
        if found is None:
            raise Refused(f"no line of the list can lie at {cursor:.0f} Å")
        line, z = found
        return replace(moment, state=moment.state.with_line(line.name, z))

    return cycle


def _feature(step: int) -> Step:
    def jump(moment: Moment, scene: Scene) -> Moment:
        if not scene.features:
            raise Refused("nothing stands out here: {cursor_left} and {cursor_right} move the cursor by a column")
        cursor = moment.state.cursor
        if cursor is None:
            target: float | None = scene.features[0 if step > 0 else -1]
        else:
            # A tenth of an Ångström apart is the same place.
            beyond = [at for at in scene.features if (at - cursor) * step > 0.1]
            target = (beyond[0] if step > 0 else beyond[-1]) if beyond else None
        if target is None:
            raise Refused("that was the last peak" if step > 0 else "that was the first peak")
        return _with_cursor(moment, scene, target)

    return jump


def _move_cursor(columns: int) -> Step:
    def move(moment: Moment, scene: Scene) -> Moment:
        window = moment.view.window or scene.full
        cursor = moment.state.cursor
        target = 0.5 * (window[0] + window[1]) if cursor is None else cursor + columns * scene.column
        return _with_cursor(moment, scene, min(max(target, scene.full[0]), scene.full[1] - 1e-6))

    return move


def _with_cursor(moment: Moment, scene: Scene, wavelength: float) -> Moment:
    """Move the cursor, and the window after it when it would leave; the small pane follows the cursor again."""
    view = replace(moment.view, zoom_line=None)
    if view.window is not None and not view.window[0] <= wavelength < view.window[1]:
        width = view.window[1] - view.window[0]
        start = min(max(wavelength - 0.5 * width, scene.full[0]), scene.full[1] - width)
        view = replace(view, window=(start, start + width))
    return Moment(moment.state.with_cursor(wavelength), view)


def _zoom(factor: float) -> Step:
    return lambda moment, scene: replace(moment, view=moment.view.zoomed(scene.full, moment.state.cursor, factor))


def _pan(share: float) -> Step:
    return lambda moment, scene: replace(moment, view=moment.view.panned(scene.full, share))


def _show_line(name: str) -> Step:
    def show(moment: Moment, scene: Scene) -> Moment:
        z = moment.state.answer.z
        if z is None:
            raise Refused(f"where {name} lies needs a redshift: {_TRIAL}")
        at = BY_NAME[name].rest * (1.0 + z)
        if not scene.full[0] <= at < scene.full[1]:
            raise Refused(f"{name} would be at {at:.0f} Å, outside the data")
        return replace(moment, view=replace(moment.view, zoom_line=name))

    return show


def _other_pane(step: int) -> Step:
    """Move the small pane from line to line, in order of wavelength; past the last it follows the cursor again."""

    def move(moment: Moment, scene: Scene) -> Moment:
        z = moment.state.answer.z
        if z is None:
            raise Refused(f"the small pane follows the cursor; lines need a redshift: {_TRIAL}")
        inside = [line for line in NAMEABLE if scene.full[0] <= line.rest * (1.0 + z) < scene.full[1]]
        order = [None, *(line.name for line in sorted(inside, key=lambda line: line.rest))]
        at = order.index(moment.view.zoom_line) if moment.view.zoom_line in order else 0
        return replace(moment, view=replace(moment.view, zoom_line=order[(at + step) % len(order)]))

    return move


def _model(moment: Moment, scene: Scene) -> Moment:
    if not scene.templates:
        raise Refused("there is no template here")
    return replace(moment, view=replace(moment.view, model=not moment.view.model))


def _next_template(moment: Moment, scene: Scene) -> Moment:
    """Go through the templates; the first choice is "whichever belongs to the class"."""
    order = ["", *scene.templates]
    if len(order) == 1:
        raise Refused("there is no template here")
    if not moment.view.model:
        return replace(moment, view=replace(moment.view, model=True))
    at = order.index(moment.view.template) if moment.view.template in order else 0
    return replace(moment, view=replace(moment.view, template=order[(at + 1) % len(order)]))


def _narrower(view: View) -> View:
    return replace(view, depth=0) if view.depth == DEEPEST_ZOOM else view.deeper(1)


def _rest_frame(moment: Moment, _scene: Scene) -> Moment:
    if moment.state.answer.z is None:
        raise Refused(f"rest wavelengths need a redshift: {_TRIAL}")
    return replace(moment, view=replace(moment.view, rest=not moment.view.rest))


def _whole(view: View) -> View:
    return replace(view, window=None, y_mode="robust", zoom_line=None, zoom_big=False, depth=0)


STEPS: Mapping[str, Step] = MappingProxyType(
    {
        **{name: _answer(change) for name, change in answer_steps(ItemState).items()},
        "take_pipeline": _answer(ItemState.with_pipeline),
        "fit_next": _answer(lambda state: state.with_fit_stepped(1)),
        "fit_previous": _answer(lambda state: state.with_fit_stepped(-1)),
        "z_of_pipeline": _answer(ItemState.with_pipeline_z),
        "z_fine_up": _answer(lambda state: state.with_z_stepped(Z_FINE)),
        "z_fine_down": _answer(lambda state: state.with_z_stepped(-Z_FINE)),
        "z_coarse_up": _answer(lambda state: state.with_z_stepped(Z_COARSE)),
        "z_coarse_down": _answer(lambda state: state.with_z_stepped(-Z_COARSE)),
        "feature_next": _feature(1),
        "feature_previous": _feature(-1),
        "cursor_right": _move_cursor(1),
        "cursor_left": _move_cursor(-1),
        "candidate_next": _cycle(1),
        "candidate_previous": _cycle(-1),
        "line_choice": _view(lambda view: replace(view, lines=next_choice(LINE_CHOICES, view.lines))),
        "line_kind": _view(lambda view: replace(view, kind=next_choice(KIND_CHOICES, view.kind))),
        "zoom_in": _zoom(0.5),
        "zoom_out": _zoom(2.0),
        "pan_left": _pan(-0.5),
        "pan_right": _pan(0.5),
        "reset_view": _view(_whole),
        "lock_view": _view(lambda view: replace(view, locked=not view.locked)),
        "smooth_more": _view(lambda view: view.smoothed(1)),
        "smooth_less": _view(lambda view: view.smoothed(-1)),
        "flux_range": _view(lambda view: replace(view, y_mode=next_choice(Y_MODES, view.y_mode))),
        "noise": _view(lambda view: replace(view, noise=not view.noise)),
        "arms": _view(lambda view: replace(view, arms=not view.arms)),
        "model": _model,
        "template_next": _next_template,
        "rest_frame": _rest_frame,
        "swap_zoom": _view(lambda view: replace(view, zoom_big=not view.zoom_big)),
        "zoom_narrower": _view(_narrower),
        "pane_next": _other_pane(1),
        "pane_previous": _other_pane(-1),
        "zoom_lya": _show_line("Lyα"),
        "zoom_civ": _show_line("C IV"),
        "zoom_ciii": _show_line("C III]"),
        "zoom_mgii": _show_line("Mg II"),
        "zoom_hbeta": _show_line("Hβ"),
    }
)
