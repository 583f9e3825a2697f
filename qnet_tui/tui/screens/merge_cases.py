"""The merging screen at the session: cases fetched, labels settled, names asked for; all through the desk.

What a case looks like comes from its record alone, in one place (:meth:`MergeCases._show`); an answer that was begun
and left is kept beside it while the screen is open.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from qnet_tui.inspection.answer import Refused
from qnet_tui.inspection.keys import Action
from qnet_tui.inspection.pace import ActiveTime, usual_seconds
from qnet_tui.plotting.canvas import Charset
from qnet_tui.tui.desk import Desk
from qnet_tui.tui.merge_actions import MergeMoment
from qnet_tui.tui.merge_words import MergeStatus
from qnet_tui.tui.screens.merge_panes import MergeScreenPanes
from qnet_tui.tui.tones import Tone
from qnet_tui.workflows.label_item import fitted
from qnet_tui.workflows.merge import MergeSession
from qnet_tui.workflows.merge_case import Case, MergeCounts


class MergeCases(MergeScreenPanes):
    """One merger's cases behind the panes."""

    def __init__(
        self,
        desk: Desk[MergeSession],
        charset: Charset,
        round_number: int | None,
        actions: tuple[Action, ...],
        clock: Callable[[], float],
    ) -> None:
        """Begin empty; ``round_number`` is the round that was asked for, ``actions`` are those with live keys."""
        super().__init__(desk, charset, actions, MergeMoment.empty(), MergeStatus(desk.session.inspector), clock)
        self.round = round_number
        self._seconds = list[float]()
        # Answers of cases that were left.
        self._kept: dict[tuple[int, int], MergeMoment] = {}

    async def on_mount(self) -> None:
        """Fetch the first case."""
        await self._do(lambda: self._go(MergeSession.start))

    # ------------------------------------------------------------------ settling

    async def _commit(self) -> None:
        """Save, and only then go on; a busy database is asked again until it takes the label."""
        state = self.moment.state.with_commit_asked()
        saved = await self._saved(lambda session: session.settle(state))
        self._seconds.append(self._active.seconds)
        pace = usual_seconds(self._seconds)
        self.status = replace(self.status, trouble="", saved=f"{saved.at:%H:%M:%S}", seconds=pace)
        self.message = None
        if self.case is not None:
            self._kept.pop((self.case.round, self.case.object_id), None)
            self.case = self.picture = None
        await self._go(MergeSession.next)

    async def _accept(self) -> None:
        """Merge in one go what the inspectors agree on."""
        counts = self.status.counts
        if counts is not None and counts.to_look:
            raise Refused(f"first look at {counts.to_look} of the {counts.agreed} agreed: they follow the conflicts")
        result = await self.desk.ask(lambda session: session.accept_agreed())
        await self._go(MergeSession.start)
        left = f", {result.left} are left to a person" if result.left else ""
        self.message = (f"settled {result.merged} agreed, {result.trainable} of them train{left}", Tone.GOOD)

    async def _undo(self) -> None:
        await self._go(MergeSession.undo)
        self.message = ("what you settled last is open again", Tone.DIM)

    # ------------------------------------------------------------------ cases

    async def _case_next(self) -> None:
        await self._forward(MergeSession.next, "this is the only one left to settle")

    async def _case_previous(self) -> None:
        await self._forward(MergeSession.previous, "this is the first of them")

    async def _conflict_next(self) -> None:
        await self._forward(MergeSession.next_conflict, "there is no other conflict")

    async def _conflict_previous(self) -> None:
        await self._forward(MergeSession.previous_conflict, "there is no other conflict")

    async def _find(self, text: str) -> None:
        await self._go(lambda session: session.go_to(text))

    async def _forward(self, where: Callable[[MergeSession], Case | None], otherwise: str) -> None:
        """Go to another case; when there is none, stay and say so."""
        here = (self.case.round, self.case.object_id) if self.case is not None else None

        def go(session: MergeSession) -> Case | None:
            found = where(session)
            return found if found is None or (found.round, found.object_id) != here else None

        await self._go(go, stay=self.case is not None, otherwise=otherwise)

    async def _go(
        self, where: Callable[[MergeSession], Case | None], *, stay: bool = False, otherwise: str = ""
    ) -> None:
        """Show the case that the session goes to; with ``stay`` this one when there is none, and say ``otherwise``."""

        def go(session: MergeSession) -> tuple[Case | None, MergeCounts]:
            case = where(session)
            return case, session.counts()

        case, counts = await self.desk.ask(go)
        self.status = replace(self.status, counts=counts)
        if case is None and stay:
            self.message = (otherwise, Tone.DIM)
        else:
            self._keep()
            self._show(case)

    def _show(self, case: Case | None) -> None:
        """Build the screen of a case (None: nothing is left) from its record, and what was begun on it before."""
        view = self.moment.view.for_next_item()
        self.case, self.picture, self.offer, self.line, self.asked, self._typed = case, None, None, None, "", {}
        self._active = ActiveTime(0.0, self._clock())
        if case is None:
            self.moment = MergeMoment.empty(view)
            return
        self.moment = MergeMoment(case.start, view, case.item.strongest)
        kept = self._kept.get((case.round, case.object_id))
        if kept is not None and _uids(kept) == _uids(self.moment):
            state = replace(kept.state, votes=case.votes, proposal=case.start.proposal)
            self.moment = replace(self.moment, state=state, at_answer=kept.at_answer)
            self.message = ("what you said of it before is still here", Tone.DIM)
        if not case.item.problem:
            self.picture = self._picture_of(case.item)

    def _keep(self) -> None:
        """Remember an answer that was begun, for when its case comes again."""
        if self.case is None:
            return
        key = (self.case.round, self.case.object_id)
        if self.moment.state.answer != self.case.start.answer:
            self._kept[key] = self.moment
        else:
            self._kept.pop(key, None)

    async def _show_names(self) -> None:
        """Show who is who on this case, with the answer as it stands."""
        case = await self.desk.ask(MergeSession.show_names)
        self.case = case
        state = replace(self.moment.state, votes=case.votes, proposal=case.start.proposal)
        self.moment = replace(self.moment, state=state)
        self.message = ("these are the inspectors' codes; the label will say that you saw them", Tone.DIM)

    async def _fit(self) -> None:
        """Fit the redshift that is looked at, and offer what comes of it."""
        case, seen = self.case, self.moment.seen
        if case is None or case.item.problem:
            raise Refused("there is no spectrum to fit")
        self.offer = await self.desk.ask(lambda _: fitted(case.item, seen.state))

    async def leave(self) -> None:
        """End the program; what is settled is saved, and answers that were only begun are named."""
        if not self.is_busy:
            self._keep()
        begun = len(self._kept)
        words = "the answer to one case was" if begun == 1 else f"the answers to {begun} cases were"
        self.app.exit(0, message=f"{words} begun and not settled: nothing of that is kept" if begun else None)


def _uids(moment: MergeMoment) -> set[str]:
    return {getattr(vote, "uid", "") for vote in moment.state.votes}
