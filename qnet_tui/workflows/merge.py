"""``qnet merge --accept-agreed``: what the inspectors agree on becomes truth.

Agreed means that an object has the votes that the campaign requires and that they do not conflict under its merge
rule. Quality >= 2.5 trains; the rest is kept, closes the object and is never offered again.
"""

from dataclasses import dataclass
from pathlib import Path

import storage.merges as merges_store
import storage.rounds as rounds_store
import storage.settings as campaign
import storage.truth as truth_store
import storage.votes as votes_store
from qnet_tui.errors import BadInput
from qnet_tui.inspection.merge_rules import MergeRule, propose
from storage.inspectors import inspector_for
from storage.workspace import Workspace


@dataclass(frozen=True)
class MergeResult:
    """What ``qnet merge`` says of one or all rounds."""

    rounds: list[int]
    merged: int
    trainable: int
    conflicts: int
    open: int
    already: int


def accept_agreed(
    root: Path,
    os_user: str,
    *,
    code: str | None = None,
    round_number: int | None = None,
    unseen: bool = False,
) -> MergeResult:
    """Merge every agreed object of a round (None: all rounds) and put the labels into the truth.

    Errors: :class:`BadInput` where several votes are required and nobody looked at a sample of the agreed ones
    (``unseen`` overrides that, and is recorded with each label).
    """
    with Workspace.open(root) as ws:
        by = inspector_for(ws, os_user, code).code
        needed = int(campaign.get_setting(ws, "votes_required", 3))
        rule = MergeRule(
            dz_conflict=float(campaign.get_setting(ws, "dz_conflict", 0.0033)),
            quality_conflict=int(campaign.get_setting(ws, "quality_conflict", 2)),
        )
        if needed > 1 and not unseen:
            raise BadInput(
                f"this campaign asks for {needed} votes: a random tenth of the agreed ones is looked at first",
                mend="--unseen accepts them without a look, and records it",
            )
        known = [r.round for r in rounds_store.rounds(ws) if r.round > 0]
        if round_number is not None and round_number not in known:
            raise BadInput(f"there is no round {round_number}", mend="see qnet review rounds")
        merged = conflicts = waiting = already = trainable = 0
        numbers = known if round_number is None else [round_number]
        for number in numbers:
            done = {m.object_id for m in merges_store.merges(ws, number)}
            by_object: dict[int, list[votes_store.Vote]] = {}
            for vote in votes_store.votes(ws, round=number):
                by_object.setdefault(vote.object_id, []).append(vote)
            made: list[merges_store.MergedLabel] = []
            for record in rounds_store.selection(ws, number):
                votes = by_object.get(record.object_id, [])
                if record.object_id in done:
                    already += 1
                elif len(votes) < needed:
                    waiting += 1
                else:
                    proposal = propose(votes, rule)
                    if proposal.conflicts:
                        conflicts += 1
                        continue
                    made.append(merges_store.MergedLabel(
                        round=number, object_id=record.object_id, spectype=proposal.spectype, z=proposal.z,
                        quality=proposal.quality, issues=proposal.issues, comment=proposal.comment,
                        n_votes=len(votes), rule=rule.name, by=by, unseen=unseen and needed > 1,
                        vote_uids=tuple(v.uid for v in votes),
                    ))  # fmt: skip
            if made:
                merges_store.add_merges(ws, made)
            _into_truth(ws, number)
            merged += len(made)
            trainable += sum(1 for m in made if m.quality >= 2.5)
        return MergeResult(numbers, merged, trainable, conflicts, waiting, already)


def _into_truth(ws: Workspace, number: int) -> None:
    """Give the truth every settled label of a round that it lacks, also those a killed merge left behind."""
    origin = f"round:{number}"
    truth = truth_store.current_truth(ws, include_excluded=True)
    known = {
        int(t["object_id"]): (str(t["spectype"]), float(t["quality"]), float(t["z"]))
        for t in truth[truth["origin"] == origin]
    }
    lacking = []
    for merged in merges_store.merges(ws, number):
        z = float("nan") if merged.z is None else merged.z
        said = known.get(merged.object_id)
        same = said is not None and said[:2] == (merged.spectype or "", merged.quality)
        if not (same and said is not None and (said[2] == z or (said[2] != said[2] and z != z))):
            lacking.append(_label(merged))
    if lacking:
        truth_store.add_labels(ws, lacking, origin, "people", round=number)


def _label(merged: merges_store.MergedLabel) -> truth_store.TruthLabel:
    return truth_store.TruthLabel(
        object_id=merged.object_id,
        spectype=merged.spectype or "",
        z=merged.z,
        quality=merged.quality,
        bal=0,
        issues=merged.issues,
        comment=merged.comment,
        n_vi=merged.n_votes,
    )
