"""What each key does to the merger's answer and to the view; pure, as :mod:`qnet_tui.tui.label_actions` is.

Looking at a spectrum is done by the very steps of the labelling screen: the case is put before them as a
:class:`~.label_actions.Moment` at the redshift whose lines are drawn, and what they change is taken back. Actions
that need the session, a prompt or another screen are the screen's own and are not here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from qnet_tui.inspection.answer import CLASSES, Z_COARSE, Z_FINE, Answer, Refused, SpecType
from qnet_tui.inspection.comments import with_standard_comment
from qnet_tui.inspection.item import ItemState
from qnet_tui.inspection.merge_keys import MERGE_ACTIONS
from qnet_tui.inspection.merge_rules import Proposal
from qnet_tui.inspection.merge_state import MergeState
from qnet_tui.tui.answer_steps import answer_steps
from qnet_tui.tui.label_actions import STEPS, Moment, Scene, name_line
from qnet_tui.tui.view import View


@dataclass(frozen=True)
class MergeMoment:
    """The merger's state and view, as one key press finds them.

    ``cursor`` (observed Å) and ``named`` are those of the labelling screen. ``at_answer``: the lines are drawn at
    the answer's redshift and not at that of the lit vote.
    """

    state: MergeState
    view: View
    cursor: float | None = None
    named: str | None = None
    at_answer: bool = False

    @classmethod
    def empty(cls, view: View | None = None) -> MergeMoment:
        """Return what there is before the first case, and when there is none."""
        nothing = Proposal((), None, None, None, "", "", 0.0, 0)
        return cls(MergeState((), nothing), view or View())

    @property
    def z(self) -> float | None:
        """The redshift whose lines are drawn: the answer's where the merger works on it, else the lit vote's."""
        return self.state.answer.z if self.is_at_answer else self.state.trial_z

    @property
    def is_at_answer(self) -> bool:
        """Whether the lines are drawn at the answer's redshift."""
        return self.at_answer and self.state.answer.z is not None

    @property
    def spectype(self) -> SpecType | None:
        """The class that goes with :attr:`z`: the template of a model is one of that class."""
        state = self.state
        lit = state.votes[state.lit].spectype if state.votes else None
        chosen = state.answer.spectype if self.is_at_answer or lit is None else lit
        return next((known for known in CLASSES if known == chosen), None)

    @property
    def seen(self) -> Moment:
        """The case as the pictures and the steps of the labelling screen take it."""
        answer = Answer(spectype=self.spectype, z=self.z)
        return Moment(ItemState(answer=answer, cursor=self.cursor, named=self.named), self.view)


Step = Callable[[MergeMoment, Scene], MergeMoment]


def apply(name: str, moment: MergeMoment, scene: Scene) -> MergeMoment:
    """Return the moment after action ``name``.

    Raises:
        Refused: the action cannot be done now; the text says why.
        KeyError: ``name`` is none of :data:`MERGE_STEPS`.
    """
    return MERGE_STEPS[name](moment, scene)


def name_line_of_case(letter: str, moment: MergeMoment) -> MergeMoment:
    """Name the line at the cursor by its letter; the answer's z follows.

    Raises:
        Refused: no line has that letter, there is no cursor, or the redshift would be impossible.
    """
    return _taken_back(moment, name_line(letter, moment.seen))


def with_z(z: float, moment: MergeMoment) -> MergeMoment:
    """Take ``z`` into the answer and draw the lines there.

    Raises:
        Refused: no answer can have it.
    """
    return replace(moment, state=moment.state.with_z_typed(repr(z)), at_answer=True)


def comment_standard(letter: str, moment: MergeMoment) -> MergeMoment:
    """Append the standard comment of ``letter`` to the merger's.

    Raises:
        Refused: no comment has that letter, it is said already, or there is no room.
    """
    comment = with_standard_comment(moment.state.answer.comment, letter)
    return replace(moment, state=moment.state.with_comment(comment))


def _taken_back(before: MergeMoment, after: Moment) -> MergeMoment:
    """Return ``before`` with what a step of the labelling screen changed."""
    item = after.state
    moment = replace(before, view=after.view, cursor=item.cursor, named=item.named)
    if item.answer.z == before.z or item.answer.z is None:
        return moment
    return with_z(item.answer.z, moment)


def _as_there(name: str) -> Step:
    return lambda moment, scene: _taken_back(moment, STEPS[name](moment.seen, scene))


def _answer(change: Callable[[MergeState], MergeState]) -> Step:
    """Change what the merger says; the lines stay where they are."""
    return lambda moment, _scene: replace(moment, state=change(moment.state))


def _step_z(step: float) -> Step:
    return lambda moment, _scene: replace(moment, state=moment.state.with_z_stepped(step), at_answer=True)


def _light(step: int) -> Step:
    return lambda moment, _scene: replace(moment, state=moment.state.with_lit(step), named=None, at_answer=False)


def _copy(moment: MergeMoment, _scene: Scene) -> MergeMoment:
    return replace(moment, state=moment.state.with_vote_copied(), at_answer=False)


def _propose(moment: MergeMoment, _scene: Scene) -> MergeMoment:
    return replace(moment, state=moment.state.with_proposal(), at_answer=True)


def _z_of_vote(moment: MergeMoment, _scene: Scene) -> MergeMoment:
    z = moment.state.votes[moment.state.lit].z
    if z is None:
        raise Refused("this vote gives no redshift")
    return replace(moment, state=moment.state.with_z_typed(repr(z)), named=None, at_answer=False)


_OWN: dict[str, Step] = {
    **{name: _answer(change) for name, change in answer_steps(MergeState).items()},
    "z_fine_up": _step_z(Z_FINE),
    "z_fine_down": _step_z(-Z_FINE),
    "z_coarse_up": _step_z(Z_COARSE),
    "z_coarse_down": _step_z(-Z_COARSE),
    "vote_next": _light(1),
    "vote_previous": _light(-1),
    "copy_vote": _copy,
    "take_proposal": _propose,
    "z_of_vote": _z_of_vote,
}

MERGE_STEPS: Mapping[str, Step] = MappingProxyType(
    {action.name: _as_there(action.name) for action in MERGE_ACTIONS if action.name in STEPS} | _OWN
)
