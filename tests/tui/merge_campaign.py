"""A small campaign to merge: three inspectors have voted on every kind of case there is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from qnet_tui.inspection.merge_rules import MergeRule, propose
from qnet_tui.inspection.merge_state import MergeState
from qnet_tui.plotting.canvas import Charset
from qnet_tui.tui.screens.merge import MergeScreen
from qnet_tui.workflows.label_item import item_of
from qnet_tui.workflows.merge import MergeSession
from qnet_tui.workflows.merge_board import VoteLine, velocity
from qnet_tui.workflows.merge_case import Case, MergeOptions
from storage.rounds import selection
from storage.votes import Vote, add_inspector, commit_vote
from storage.workspace import Workspace
from tests.tui.campaign import desi_spectrum, make_workspace
from tests.tui.open_screen import OpenScreen, at_desk

FROZEN = datetime(2026, 11, 22, 14, 2, 31, tzinfo=UTC)

VOTERS = ("ABC", "DEF", "GHI")
FIRST = 39627000000000310

# (class, z, quality, issues, comment) of each voter; the redshift of the spectrum is the first one's.
Said = tuple[str | None, float | None, int, str, str]
CASES: tuple[tuple[Said, ...], ...] = (
    # Two of three in class and redshift, and the quality differs by two.
    (("QSO", 2.3042, 4, "", ""), ("QSO", 2.3051, 3, "", "weak C III]"), ("GALAXY", 0.842, 2, "R", "Mg II?")),
    # Nobody agrees on the redshift.
    (("QSO", 1.9042, 2, "", "one line"), ("QSO", 0.6123, 2, "", ""), ("QSO", 3.11, 1, "", "Lya?")),
    # Only the quality differs.
    (("QSO", 1.5042, 4, "", ""), ("QSO", 1.5043, 4, "", ""), ("QSO", 1.504, 2, "S", "noisy in the blue")),
    # Agreed; the second with a quality that does not train.
    (("QSO", 1.1042, 4, "", ""), ("QSO", 1.1042, 3, "", ""), ("QSO", 1.1044, 4, "", "")),
    (("STAR", 0.0002, 2, "", ""), ("STAR", 0.0, 2, "", ""), ("STAR", -0.0001, 3, "", "")),
    # Two votes of three: nothing to merge yet.
    (("QSO", 0.9, 3, "", ""), ("QSO", 0.9, 3, "", "")),
)


def make_merge_workspace(root: Path, cases: Sequence[Sequence[Said]] = CASES) -> None:
    """Make a workspace at ``root`` that requires three votes; XYZ is the merger and has none."""
    spectra = [desi_spectrum(FIRST + at, case[0][1] or 0.0, seed=at + 1) for at, case in enumerate(cases)]
    make_workspace(root, spectra, votes=3).close()
    with Workspace.open(root) as ws:
        for code in (*VOTERS, "XYZ"):
            add_inspector(ws, code, code, "")
        ids = {int(one): at for at, one in enumerate(_object_ids(ws))}
        for object_id, at in ids.items():
            for number, (code, said) in enumerate(zip(VOTERS, cases[at], strict=False)):
                spectype, z, quality, issues, comment = said
                commit_vote(ws, Vote(
                    uid=f"{object_id}-{code}", round=1, object_id=object_id, inspector=code, spectype=spectype, z=z,
                    quality=quality, issues=issues, comment=comment, z_source="line", active_seconds=40.0,
                    committed_at=f"2026-11-22T1{number}:00:{at % 60:02d}Z",
                ))  # fmt: skip


def _object_ids(ws: Workspace) -> list[int]:
    return [record.object_id for record in sorted(selection(ws, 1), key=lambda record: record.rank)]


def made_case(said: Sequence[Said] = CASES[0], *, named: bool = False, **others: Any) -> Case:
    """One case without a workspace: the votes in the order that is given, A, B and C."""
    uids = [f"uid-{at}" for at in range(len(said))]
    names = list(VOTERS) if named else ["A", "B", "C", "D", "E", "F"]
    votes = [Vote(uid, 1, 7, name, *one) for uid, name, one in zip(uids, names, said, strict=False)]
    proposal = propose(votes, MergeRule())
    origin = next((vote.z for vote in votes if vote.z is not None), None)
    lines = tuple(
        VoteLine(
            name=vote.inspector, uid=vote.uid, spectype=vote.spectype, z=vote.z, z_error=vote.z_error,
            quality=vote.quality, issues=vote.issues, comment=vote.comment, z_source="line",
            blind_model=vote.blind_model, velocity=velocity(vote.z, origin), differs=differs,
        )
        for vote, differs in zip(votes, proposal.outside, strict=True)
    )  # fmt: skip
    item = item_of(desi_spectrum(FIRST, said[0][1] or 0.0), blind=False, object_id=7, round_number=2, rank=14, total=50)
    known: dict[str, Any] = {
        "object_id": 7, "round": 2, "rank": 14, "total": 50, "title": item.title,
        "state": "conflict" if proposal.conflicts else "agreed", "conflicts": proposal.conflicts, "to_look": False,
        "votes": lines, "proposal": proposal, "item": item, "merged": None, "before": None, "names_shown": named,
        "own": False, "start": MergeState.start(lines, proposal),
    }  # fmt: skip
    return Case(**(known | others))


class OpenMerge(OpenScreen[MergeScreen]):
    """The merging screen."""

    @property
    def title(self) -> str:
        return self.screen.case.title if self.screen.case is not None else ""


@asynccontextmanager
async def merging(
    root: Path, size: tuple[int, int] = (80, 24), *, charset: Charset = "braille", code: str = "XYZ"
) -> AsyncIterator[OpenMerge]:
    """Open the merging screen for ``code``, wait for the first case, and close all at the end."""
    options = MergeOptions(inspector=code)
    async with at_desk(
        OpenMerge,
        lambda: MergeSession.open(root, options, now=lambda: FROZEN, os_user=code),
        lambda desk: MergeScreen(desk, charset),
        size,
    ) as found:
        await found.until(lambda: found.screen.status.counts is not None)
        yield found
