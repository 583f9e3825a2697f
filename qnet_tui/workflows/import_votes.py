"""``qnet vi import``: inspection files of other people, or of another workspace, become votes here.

Prospect's files say class, redshift and quality of what a person saw beside the pipeline's answer; the campaign's own
file says everything, and gives the same votes again. Each row is taken or refused with its line; the same file twice
adds nothing. An object that no round asks about comes into a new round, with its spectrum, so that the others can
inspect it and the merger can look at it.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import storage.rounds as rounds_store
from qnet_tui.errors import BadInput
from qnet_tui.inspection.csv_text import first_record
from qnet_tui.inspection.own_votes import is_own_votes
from qnet_tui.truth.text_table import decode
from qnet_tui.truth.vote_rows import read_content
from qnet_tui.workflows.given_round import free_round, open_round, unscored
from qnet_tui.workflows.import_rows import (
    OWN,
    VoteRow,
    VotesImport,
    own_rows,
    prospect_rows,
    with_inspectors,
    with_objects,
    with_pipeline,
)
from qnet_tui.workflows.progress import Progress, silent
from storage.inspectors import add_inspector, inspectors
from storage.votes import Vote, commit_votes, votes, withdraw_vote
from storage.workspace import Workspace


def import_votes(
    root: Path, path: Path, *, code: str | None = None, round_number: int | None = None, progress: Progress = silent
) -> VotesImport:
    """Read one inspection file and enter its votes; what is cut off in the middle goes on when it is done again.

    ``code`` is whose the rows without a scanner are. ``round_number`` takes only objects that this round asks about.
    Errors: :class:`BadInput` when the file cannot be read, is no inspection file, or there is no such round;
    rows that cannot be used are listed in the result.
    """
    content = read_content(path)
    text, encoding = decode(content, path)
    said = VotesImport(str(path), "prospect", notes=list(encoding))
    if is_own_votes(first_record(text)):
        rows = own_rows(text, path, said)
    else:
        rows = prospect_rows(content, path, said)
    with Workspace.open(root) as ws:
        if round_number is not None and not rounds_store.selection(ws, round_number):
            raise BadInput(f"there is no round {round_number}", mend="see qnet review rounds")
        rows = with_inspectors(ws, rows, code, path, said)
        rows = with_objects(ws, rows, said)
        rows = with_pipeline(ws, rows, said)
        rows = _one_each(ws, rows, said)
        rows = _with_rounds(ws, rows, round_number, said, progress)
        _commit(ws, rows, said)
    said.rejected.sort(key=lambda bad: bad["line"])
    return said


def _one_each(ws: Workspace, rows: Sequence[VoteRow], said: VotesImport) -> list[VoteRow]:
    """Rows that may become votes: of a scanner's repeats of an object the last, and none against a vote given here."""
    given: dict[tuple[int, str], str] = {}
    known: set[str] = set()
    for vote in votes(ws, current=False):
        known.add(vote.uid)
        if not vote.origin and not vote.superseded and not vote.withdrawn:
            given[vote.object_id, vote.inspector.lower()] = vote.uid
    if said.dialect != OWN:
        last = {(row.vote.object_id, row.vote.inspector): row.line for row in rows}
        kept = [row for row in rows if last[row.vote.object_id, row.vote.inspector] == row.line]
        said.repeated = len(rows) - len(kept)
        if said.repeated:
            said.notes.append(f"{said.repeated} rows repeat an object for the same scanner: the last one counts")
        rows = kept
    good: list[VoteRow] = []
    for row in rows:
        key = (row.vote.object_id, row.vote.inspector.lower())
        if row.vote.uid not in known and key in given:
            said.refuse(row.line, f"{row.vote.inspector} has voted on {row.names[0][1]} here")
            continue
        good.append(row)
    return good


def _with_rounds(
    ws: Workspace, rows: Sequence[VoteRow], only: int | None, said: VotesImport, progress: Progress
) -> list[VoteRow]:
    """Rows with the round that asks about their object; objects that none asks about come into new ones."""
    asking: dict[int, int] = {}
    in_round: set[tuple[int, int]] = set()
    for summary in rounds_store.rounds(ws):
        for one in rounds_store.selection(ws, summary.round, include_withdrawn=True):
            in_round.add((summary.round, one.object_id))
        for one in rounds_store.selection(ws, summary.round):
            asking[one.object_id] = summary.round
    good: list[VoteRow] = []
    homeless: dict[int | None, list[VoteRow]] = {}
    number: int | None
    for row in rows:
        object_id = row.vote.object_id
        own = row.asked_round if row.asked_round and (row.asked_round, object_id) in in_round else None
        number = only if only is not None else own or asking.get(object_id)
        if only is not None and (only, object_id) not in in_round:
            said.refuse(row.line, f"round {only} does not ask for {row.names[0][1]}")
        elif number is not None:
            good.append(replace(row, vote=replace(row.vote, round=number)))
        else:
            homeless.setdefault(row.asked_round, []).append(row)
    for wished in sorted(homeless, key=lambda n: n or 0):
        made = _new_round(ws, homeless[wished], wished, said, progress)
        good += made
        # An object that the other campaign took out of a round and asked for again later waits in one round only.
        again = {
            row.vote.object_id for later, theirs in homeless.items() if (later or 0) > (wished or 0) for row in theirs
        }
        for number in {row.vote.round for row in made}:
            rounds_store.withdraw(ws, number, again, "asked for again in a later round", "import")
    return good


def _new_round(
    ws: Workspace, rows: Sequence[VoteRow], wished: int | None, said: VotesImport, progress: Progress
) -> list[VoteRow]:
    """Open a round for objects of imported votes: under the number it had where that is free here, else the next."""
    first = {row.vote.object_id: row for row in reversed(rows)}
    ranked = sorted(first.values(), key=lambda row: (row.rank or 10**9, row.line))
    why = f"inspected elsewhere ({Path(said.file).name})"
    candidates = [
        unscored(row.vote.object_id, why, "import", rank=row.rank or place, entropy=row.entropy)
        for place, row in enumerate(ranked, start=1)
    ]
    number = wished if wished is not None and wished >= free_round(ws) else None
    try:
        made = open_round(
            ws, candidates, len(candidates), progress, number=number, keep_ranks=any(row.rank for row in rows)
        )
    except BadInput as error:
        for row in rows:
            said.refuse(row.line, error.what)
        return []
    said.new_rounds.append(made.round)
    for row in rows:
        if row.vote.object_id in made.not_copied:
            said.refuse(row.line, made.not_copied[row.vote.object_id])
    return [
        replace(row, vote=replace(row.vote, round=made.round))
        for row in rows
        if row.vote.object_id not in made.not_copied
    ]


def _commit(ws: Workspace, rows: Sequence[VoteRow], said: VotesImport) -> None:
    """Register who is new, then enter the votes: the first of everybody on each object, then the second, and so on.

    A vote that was taken back is taken back again before the next one of the same person comes.
    """
    before = {one.code for one in inspectors(ws)}
    for inspector in dict.fromkeys(row.vote.inspector for row in rows):
        name = next((row.scanner for row in rows if row.vote.inspector == inspector), "")
        add_inspector(ws, inspector, "", "" if name == inspector else name)
        if inspector not in before:
            said.new_inspectors.append(inspector)
    waves: list[list[VoteRow]] = []
    place: Counter[tuple[int, str]] = Counter()
    # The one that holds comes last, whatever the clocks said.
    for row in sorted(rows, key=lambda row: (_holds(row.vote), row.vote.committed_at, row.line)):
        key = (row.vote.object_id, row.vote.inspector)
        if place[key] == len(waves):
            waves.append([])
        waves[place[key]].append(row)
        place[key] += 1
    for wave in waves:
        for origin in dict.fromkeys(row.origin for row in wave):
            said.added += commit_votes(ws, [row.vote for row in wave if row.origin == origin], origin)
        _withdraw(ws, (row.vote for row in wave if row.vote.withdrawn))
    said.known = len(rows) - said.added
    said.inspectors = dict(sorted(Counter(row.vote.inspector for row in rows).items()))
    said.rounds = dict(sorted(Counter(row.vote.round for row in rows).items()))


def _holds(vote: Vote) -> bool:
    return not (vote.superseded or vote.withdrawn)


def _withdraw(ws: Workspace, taken_back: Iterable[Vote]) -> None:
    wanted = {vote.uid: vote for vote in taken_back}
    if wanted:
        for vote in votes(ws, current=True):
            if vote.uid in wanted:
                withdraw_vote(ws, vote.uid, vote.inspector)
