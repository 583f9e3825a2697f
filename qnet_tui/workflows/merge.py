"""``qnet merge``: one merger's walk through what several people said, the same for the screen and for the lines.

An object comes to the merger when it has the votes that the campaign asks for. Conflicts come first, then a random
tenth of what agrees, then the rest of it, which may be merged in a batch once the tenth was looked at. What is settled
is truth at once: quality >= 2.5 trains; the rest is kept, closes the object and is never offered again.
"""

from __future__ import annotations

import getpass
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import storage.looks as looks_store
import storage.merges as merges_store
import storage.spectra as spectra_store
from qnet_tui.errors import BadInput
from qnet_tui.inspection.answer import Refused
from qnet_tui.inspection.merge_rules import MergeRule, merged_comment, merger_comment
from qnet_tui.inspection.merge_state import MergeAnswer, MergeState, proposed_answer
from qnet_tui.workflows.inspectors import inspector_of
from qnet_tui.workflows.label import Saved
from qnet_tui.workflows.label_item import load_item
from qnet_tui.workflows.merge_board import Board, BoardCase, VoteLine
from qnet_tui.workflows.merge_case import Case, MergeCounts, MergeOptions, MergeResult
from qnet_tui.workflows.merge_reading import BoardReader, MergeSettings, rounds_asked
from qnet_tui.workflows.merge_truth import catch_up, write_truth
from qnet_tui.workflows.truth import find_objects
from storage.merges import MergedLabel
from storage.rounds import rounds
from storage.workspace import Workspace

__all__ = [
    "Case", "MergeCounts", "MergeOptions", "MergeResult", "MergeSession", "Saved", "VoteLine", "accept_agreed",
]  # fmt: skip


class MergeSession:
    """One merger in one workspace.

    Every method may raise :class:`storage.errors.StorageError` (disk full, database busy, a vote that changed while
    one looked); nothing is then lost that was acknowledged, and the same call may be made again.
    """

    def __init__(self, ws: Workspace, inspector: str, options: MergeOptions, now: Callable[[], datetime]) -> None:
        """Use :meth:`open`."""
        self._ws = ws
        self._now = now
        self.inspector = inspector
        self.settings = MergeSettings.of(ws, options.rule)
        self._rounds = rounds_asked(ws, options.round)
        self._totals = {summary.round: summary.selected for summary in rounds(ws)}
        catch_up(ws, self._rounds)
        self._names: set[tuple[int, int]] = set()
        self._reader = BoardReader(ws, self.settings, self._rounds)
        self._board = Board((), 0)
        self._order: list[tuple[int, int]] = []
        self._read()
        self.current: Case | None = None

    @classmethod
    def open(
        cls,
        root: Path,
        options: MergeOptions,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        os_user: str | None = None,
    ) -> MergeSession:
        """Open the workspace for the merger that this account is bound to.

        ``--as CODE`` binds a new code to the account the first time. BadInput when nobody is bound, or there is no
        such round; storage's Refused when the code is another account's.
        """
        ws = Workspace.open(root)
        try:
            return cls(ws, inspector_of(ws, os_user or getpass.getuser(), options.inspector, "merge"), options, now)
        except BaseException:
            ws.close()
            raise

    def board(self) -> Board:
        """Return every object that a merger can see, in the order in which they come."""
        self._read()
        return self._board

    def counts(self) -> MergeCounts:
        """Count what is settled and what is left."""
        self._read()
        conflicts, agreed = self._board.with_state("conflict"), self._board.with_state("agreed")
        return MergeCounts(
            conflicts=len(conflicts),
            agreed=len(agreed),
            own=sum(self.is_own(case) for case in [*conflicts, *agreed]),
            to_look=sum(case.to_look for case in self._board.cases),
            looked=sum(case.looked for case in self._board.cases),
            done=len(self._board.with_state("merged")),
            open=self._board.open,
            stale=len(merges_store.stale_truth(self._ws)),
        )

    def stale(self) -> list[str]:
        """Name the objects whose label in the truth rests on a merged label that was opened again."""
        objects = spectra_store.objects(self._ws, merges_store.stale_truth(self._ws))
        return [str(one["identity"]) for one in objects]

    def start(self) -> Case | None:
        """Return the first to settle: conflicts (class, z, quality), the tenth to look at, agreed ones; None if none.

        What the merger voted on comes last, if the campaign leaves it to another.
        """
        self._order, self.current = [], None
        self._read()
        return self._walk(1, lambda case: case.state != "merged")

    def next(self) -> Case | None:
        """Return the next to settle, from the first again after the last; None when nothing is left to settle."""
        self._read()
        found = self._walk(1, lambda case: case.state != "merged")
        if found is None:
            here = self._here()
            found = self._show(here) if here is not None and here.state != "merged" else None
            self.current = found
        return found

    def previous(self) -> Case | None:
        """Return the one before in the order, merged or not; None at the first."""
        self._read()
        return self._walk(-1, lambda _: True, around=False)

    def next_conflict(self) -> Case | None:
        """Return the next conflict, from the first again after the last; None when there is no other."""
        self._read()
        return self._walk(1, lambda case: case.state == "conflict")

    def previous_conflict(self) -> Case | None:
        """Return the conflict before, from the last again before the first; None when there is no other."""
        self._read()
        return self._walk(-1, lambda case: case.state == "conflict")

    def go_to(self, identity: str) -> Case:
        """Return the case of an object, by TARGETID, T<THING_ID> or PLATE-MJD-FIBERID.

        Raises:
            Refused: it is not here, or has not all its votes yet.
        """
        self._read()
        return self._show(self._named(identity))

    def show_names(self) -> Case:
        """Say who gave which vote of the current object; the merged label will record that it was asked.

        Raises:
            Refused: there is no object.
        """
        case = self._current()
        self._names.add((case.round, case.object_id))
        return self._show(self._of((case.round, case.object_id)))

    def settle(self, state: MergeState) -> Saved:
        """Save the merged label of the current object durably, and its truth. :meth:`next` then moves on.

        Raises:
            Refused: the answer is not complete; the merger voted on the object; or a vote or the merged label of it
                changed since it was shown.
        """
        shown = self._current()
        answer = state.with_commit_asked().answer
        if shown.own:
            raise Refused("you voted on this one: another merges it, or 'qnet campaign set merger_may_vote true'")
        self._read()
        case = self._of((shown.round, shown.object_id))
        if {vote.uid for vote in case.votes} != {vote.uid for vote in shown.votes}:
            raise Refused("a vote on it changed meanwhile: look at it again")
        if (case.merged and case.merged.uid) != (shown.merged and shown.merged.uid):
            by = case.merged.by if case.merged else "somebody"
            raise Refused(f"{by} settled it meanwhile: look at it again")
        label = self._label(case, answer, unseen=False)
        merges_store.add_merges(self._ws, [label])
        write_truth(self._ws, [label], label.round)
        self._read()
        return Saved(label.uid, datetime.fromisoformat(label.at).astimezone())

    def accept_agreed(self, unseen: bool = False) -> MergeResult:
        """Merge every agreed object, all of a round or none of it.

        Raises:
            BadInput: some of the random tenth were not looked at; ``unseen`` overrides that, and is recorded.
        """
        self._read()
        agreed = self._board.with_state("agreed")
        left = [case for case in agreed if case.to_look and not self.is_own(case)]
        if left and not unseen:
            first = left[0]
            raise BadInput(
                f"{len(left)} of the random tenth of the {len(agreed)} agreed ones are still to be looked at",
                mend=f"qnet merge shows them, or qnet merge --show {first.identity}; --unseen accepts them without a"
                " look, and records it",
            )
        already = len(self._board.with_state("merged"))
        made: list[MergedLabel] = []
        for number in self._rounds:
            skipped = any(case.to_look for case in agreed if case.record.round == number)
            labels = [
                self._label(case, proposed_answer(case.proposal), unseen=skipped)
                for case in agreed
                if case.record.round == number and not self.is_own(case) and not case.taken_back
            ]
            if labels:
                merges_store.add_merges(self._ws, labels)
                write_truth(self._ws, labels, number)
                made += labels
        self._read()
        return MergeResult(
            rounds=self._rounds,
            merged=len(made),
            trainable=sum(label.quality >= self.settings.quality_good for label in made),
            conflicts=len(self._board.with_state("conflict")),
            open=self._board.open,
            already=already,
            left=len(agreed) - len(made),
            unseen=any(label.unseen for label in made),
            stale=len(merges_store.stale_truth(self._ws)),
        )

    def undo(self) -> Case:
        """Open my last merged label again, as an event, and return its object with that answer to begin with.

        Raises:
            Refused: I have merged nothing in these rounds that still holds.
        """
        self._read()
        mine = [case.merged for case in self._board.cases if case.merged and case.merged.by == self.inspector]
        if not mine:
            raise Refused("there is no merged label of yours to open again")
        last = max(mine, key=lambda label: (label.at, label.uid))
        merges_store.reopen_merge(self._ws, last.uid, self.inspector)
        self._read()
        return self._show(self._of((last.round, last.object_id)))

    def is_own(self, case: BoardCase) -> bool:
        """Whether the merger voted on it, in a campaign that then leaves it to another."""
        return not self.settings.merger_may_vote and case.voted(self.inspector)

    def close(self) -> None:
        """Close the database."""
        self._ws.close()

    def _read(self) -> None:
        """Look at the database again; what is new comes after what was there when the walk began."""
        self._board = self._reader.read()
        known = set(self._order)
        new = [case for case in self._board.cases if case.key not in known]
        self._order += [case.key for case in sorted(new, key=lambda case: (self.is_own(case), case.place))]

    def _walk(self, step: int, wanted: Callable[[BoardCase], bool], *, around: bool = True) -> Case | None:
        """Show the first wanted case from the current one on (``step`` -1: back); None, changing nothing, if none."""
        here, count = self._here(), len(self._order)
        at = self._order.index(here.key) if here is not None else -1 if step > 0 else count
        for offset in range(1, count + (here is None)):
            to = at + step * offset
            if not around and to < 0:
                return None
            case = self._board.by_key.get(self._order[to % count])
            if case is not None and wanted(case):
                return self._show(case)
        return None

    def _here(self) -> BoardCase | None:
        if self.current is None:
            return None
        return self._board.by_key.get((self.current.round, self.current.object_id))

    def _current(self) -> Case:
        if self.current is None:
            raise Refused("there is nothing to settle")
        return self.current

    def _of(self, key: tuple[int, int]) -> BoardCase:
        found = self._board.by_key.get(key)
        if found is None:
            raise Refused("a vote on it was undone meanwhile: it waits for another one")
        return found

    def _named(self, identity: str) -> BoardCase:
        object_id = find_objects(self._ws, [identity])[identity]
        if object_id is None:
            raise Refused(f"no spectrum here has the id {identity}")
        found = next((case for case in self._board.cases if case.record.object_id == object_id), None)
        if found is None:
            raise Refused(f"{identity} is not asked for in these rounds, or has not all its votes yet")
        return found

    def _show(self, case: BoardCase) -> Case:
        """Make the case the current one, and write down the look at one of the random tenth."""
        record, own = case.record, self.is_own(case)
        names_shown = case.key in self._names
        path = self._ws.round_dir(record.round) / "spectra" / f"{record.object_id}.npz"
        item = load_item(path, record, total=self._totals.get(record.round, 0), blind=False)
        # Whoever voted on it is no second pair of eyes.
        if case.to_look and not own:
            looks_store.add_looks(self._ws, self.inspector, record.round, [record.object_id])
        votes = case.lines(names_shown=names_shown)
        proposal = case.shown_proposal(self.settings.rule, names_shown=names_shown)
        self.current = Case(
            object_id=record.object_id,
            round=record.round,
            rank=record.rank,
            total=item.total,
            title=item.title if not item.problem else case.identity,
            state=case.state,
            conflicts=case.conflicts,
            to_look=case.to_look,
            votes=votes,
            proposal=proposal,
            item=item,
            merged=case.merged,
            before=case.before,
            names_shown=names_shown,
            own=own,
            start=MergeState.start(votes, proposal, self._answer_before(case)),
        )
        return self.current

    def _answer_before(self, case: BoardCase) -> MergeAnswer | None:
        """Return what was merged, if it was merged of these very votes."""
        label = case.merged or case.before
        if label is None or set(label.vote_uids) != {vote.uid for vote in case.votes}:
            return None
        rule = MergeRule(name="desi2021" if label.rule == "desi2021" else "qnet1")
        own = merger_comment(label.comment, case.votes, rule, label.by)
        return MergeAnswer(label.spectype, label.z, label.quality, label.issues, own)

    def _label(self, case: BoardCase, answer: MergeAnswer, *, unseen: bool) -> MergedLabel:
        rule = self.settings.rule
        return MergedLabel(
            round=case.record.round,
            object_id=case.record.object_id,
            spectype=answer.spectype,
            z=answer.z,
            quality=answer.quality if answer.quality is not None else 0.0,
            issues=answer.issues,
            comment=merged_comment(case.votes, rule, self.inspector, answer.comment),
            n_votes=len(case.votes),
            rule=rule.name,
            by=self.inspector,
            unseen=unseen,
            vote_uids=tuple(vote.uid for vote in case.votes),
            at=self._now().isoformat(),
            names_shown=case.key in self._names,
        )


def accept_agreed(
    root: Path,
    os_user: str,
    *,
    code: str | None = None,
    round_number: int | None = None,
    unseen: bool = False,
    rule: str | None = None,
) -> MergeResult:
    """Merge every agreed object of a round (None: all rounds) and put the labels into the truth.

    Errors: :class:`BadInput` where the random tenth of the agreed ones was not looked at (``unseen`` overrides that,
    and is recorded with each label), for an unknown round or rule.
    """
    session = MergeSession.open(root, MergeOptions(code, round_number, rule=rule), os_user=os_user)
    try:
        return session.accept_agreed(unseen)
    finally:
        session.close()
