"""Reads the board of cases from the workspace, and again only what changed since."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import storage.looks as looks_store
import storage.merges as merges_store
import storage.rounds as rounds_store
import storage.settings as campaign
import storage.spectra as spectra_store
import storage.votes as votes_store
from qnet_tui.errors import BadInput
from qnet_tui.inspection.merge_rules import RULES, MergeRule, PipelineAnswer, Proposal, RuleName, propose
from qnet_tui.inspection.merge_sample import random_tenth
from qnet_tui.inspection.merge_state import proposed_answer
from qnet_tui.workflows.merge_board import Board, BoardCase, State
from storage.events import rounds_changed
from storage.rounds import SelectionRecord
from storage.votes import Vote
from storage.workspace import Workspace


@dataclass(frozen=True)
class MergeSettings:
    """The campaign's settings of merging."""

    rule: MergeRule
    votes_required: int
    quality_good: float
    merger_may_vote: bool

    @classmethod
    def of(cls, ws: Workspace, rule: str | None = None) -> MergeSettings:
        """Read them; ``rule`` takes the place of the campaign's. BadInput when it is none."""
        name = rule or str(campaign.get_setting(ws, "merge_rule"))
        known: RuleName | None = next((one for one in RULES if one == name), None)
        if known is None:
            raise BadInput(f"there is no merge rule {name!r}", mend=f"choose {' or '.join(RULES)}")
        numbers = MergeRule(
            dz_conflict=float(campaign.get_setting(ws, "dz_conflict")),
            quality_conflict=int(campaign.get_setting(ws, "quality_conflict")),
            name=known,
        )
        required = int(campaign.get_setting(ws, "votes_required"))
        return cls(
            rule=numbers,
            votes_required=required,
            quality_good=float(campaign.get_setting(ws, "quality_good")),
            merger_may_vote=required == 1 or bool(campaign.get_setting(ws, "merger_may_vote")),
        )


class BoardReader:
    """The board of some rounds. A thousand objects take a tenth of a second, so what did not change is kept."""

    def __init__(self, ws: Workspace, settings: MergeSettings, round_numbers: Sequence[int]) -> None:
        """Read nothing yet."""
        self._ws, self._settings, self._rounds = ws, settings, tuple(round_numbers)
        self._campaign = _campaign(ws) if round_numbers else ""
        self._seen = 0
        self._cases: dict[int, list[BoardCase]] = {}
        self._lacking: dict[int, int] = {}
        self._proposals: dict[frozenset[str], Proposal] = {}
        self._pipelines: dict[int, PipelineAnswer] = {}
        self._board = Board((), 0)

    def read(self) -> Board:
        """Return every object of the rounds that has all its votes, or is merged, in the order of a merger."""
        # Asked for first: what changes while the rounds are read is then read again the next time.
        self._seen, changed = rounds_changed(self._ws, self._seen)
        stale = [number for number in self._rounds if number in changed or number not in self._cases]
        for number in stale:
            self._cases[number], self._lacking[number] = self._round_cases(number)
        if stale:
            cases = [case for number in self._rounds for case in self._cases[number]]
            self._board = Board(tuple(sorted(cases, key=lambda case: case.place)), sum(self._lacking.values()))
        return self._board

    def _round_cases(self, number: int) -> tuple[list[BoardCase], int]:
        """Return the cases of one round by rank, and how many of its objects lack votes."""
        records = rounds_store.selection(self._ws, number)
        by_object: dict[int, list[Vote]] = defaultdict(list)
        for vote in votes_store.votes(self._ws, round=number):
            by_object[vote.object_id].append(vote)
        labels = merges_store.merges(self._ws, number, current=False)
        last = {label.object_id: label for label in labels}
        merged = {label.object_id: label for label in labels if not (label.superseded or label.reopened)}
        needed = self._settings.votes_required
        complete = [
            record
            for record in records
            if (cast := by_object[record.object_id]) and (len(cast) >= needed or record.object_id in merged)
        ]
        self._learn_pipelines(complete)
        votes = {
            record.object_id: tuple(
                sorted(by_object[record.object_id], key=lambda vote: (vote.inspector.lower(), vote.uid))
            )
            for record in complete
        }
        names = {int(one["id"]): one for one in spectra_store.objects(self._ws, votes)}
        proposals = {object_id: self._proposal(object_id, said) for object_id, said in votes.items()}
        agreeing = [object_id for object_id, proposal in proposals.items() if not proposal.conflicts]
        tenth = self._tenth(agreeing)
        looked = looks_store.looked_at(self._ws, number)
        cases = []
        for record in complete:
            object_id = record.object_id
            one, label, conflicts = names[object_id], merged.get(object_id), proposals[object_id].conflicts
            state: State = "merged" if label is not None else "conflict" if conflicts else "agreed"
            cases.append(
                BoardCase(
                    record=record,
                    survey=str(one["survey"]),
                    identity=str(one["identity"]),
                    targetid=int(one["targetid"]),
                    state=state,
                    conflicts=conflicts,
                    to_look=state == "agreed" and object_id in tenth - looked,
                    looked=object_id in tenth & looked,
                    votes=votes[object_id],
                    proposal=proposals[object_id],
                    merged=label,
                    before=last.get(object_id) if label is None else None,
                )
            )
        return cases, len(records) - len(complete)

    def _tenth(self, object_ids: list[int]) -> set[int]:
        """Return the random tenth of what agrees in a round, merged or not: settling some does not choose others."""
        if self._settings.votes_required == 1:
            return set()
        names = {
            f"{one['survey']}:{one['identity']}": int(one["id"]) for one in spectra_store.objects(self._ws, object_ids)
        }
        return {names[name] for name in random_tenth(self._campaign, names)}

    def _proposal(self, object_id: int, votes: tuple[Vote, ...]) -> Proposal:
        key = frozenset(vote.uid for vote in votes)
        if key not in self._proposals:
            proposal = propose(votes, self._settings.rule, self._pipelines.get(object_id))
            self._proposals[key] = replace(proposal, conflicts=proposal.conflicts or _unmergeable(proposal))
        return self._proposals[key]

    def _learn_pipelines(self, records: Sequence[SelectionRecord]) -> None:
        """Read the pipeline's answers: of the row that was selected, where it is known, else of any of the object."""
        wanted = {record.object_id: record.row_id for record in records if record.object_id not in self._pipelines}
        if self._settings.rule.name != "desi2021" or not wanted:
            return
        listed = ", ".join(map(str, wanted))
        rows = spectra_store.read_rows(self._ws, f"object_id IN ({listed}) AND pipeline_class <> ''")
        self._pipelines |= dict.fromkeys(wanted, PipelineAnswer())
        for row in sorted(rows, key=lambda row: int(row["id"]) == wanted[int(row["object_id"])]):
            z = float(row["pipeline_z"])
            answer = PipelineAnswer(str(row["pipeline_class"]), z if math.isfinite(z) else None)
            self._pipelines[int(row["object_id"])] = answer


def rounds_asked(ws: Workspace, round_number: int | None) -> list[int]:
    """Return the rounds to merge: one, or all. BadInput when there is no such round."""
    known = [summary.round for summary in rounds_store.rounds(ws) if summary.round > 0]
    if round_number is not None and round_number not in known:
        raise BadInput(f"there is no round {round_number}", mend="see qnet review rounds")
    return known if round_number is None else [round_number]


def _campaign(ws: Workspace) -> str:
    """Name the campaign by the first object it ever asked for: the same after a rebuild from the journals."""
    first = rounds_store.rounds(ws)[0].round
    record = rounds_store.selection(ws, first, include_withdrawn=True)[0]
    one = spectra_store.objects(ws, [record.object_id])[0]
    return f"{one['survey']}:{one['identity']}"


def _unmergeable(proposal: Proposal) -> tuple[str, ...]:
    """Say what the votes leave open though they do not contradict each other (others' files may hold such votes)."""
    answer = proposed_answer(proposal)
    if answer.missing():
        return answer.missing()
    return ("z",) if answer.refusal() else ()
