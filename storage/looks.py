"""Which agreed cases a merger looked at: the sample that a batch of merged labels rests on."""
# ruff: noqa: A002 - "round" is the word of the field for it.

import json
import uuid
from collections.abc import Iterable

from storage.connection import fetch, transaction
from storage.entries import CURRENT_VOTE, Entry
from storage.errors import Refused
from storage.inspectors import registered_code
from storage.ledger import write
from storage.times import utc_now
from storage.workspace import Workspace


def add_looks(ws: Workspace, by: str, round: int, object_ids: Iterable[int]) -> int:
    """Write down that a merger looked at the votes on objects; return how many looks were new.

    A look is at the votes that hold at that moment. The same votes again add nothing; after a vote changed it is
    another case, and a look at it is new.

    Raises:
        Refused: no such inspector, or an object that is not in the round; nothing was written.

    """
    code, round_ = registered_code(ws, by), int(round)
    with transaction(ws.db) as connection:
        entries = []
        for object_id in dict.fromkeys(int(one) for one in object_ids):
            named = connection.execute(
                "SELECT o.survey, o.identity, o.targetid FROM selection s JOIN object o ON o.id = s.object_id"
                " WHERE s.round = ? AND s.object_id = ?",
                (round_, object_id),
            ).fetchone()
            if named is None:
                raise Refused(f"object {object_id} is not in round {round_}", file=ws.root)
            uids = [
                uid
                for (uid,) in connection.execute(
                    f"SELECT uid FROM vote WHERE round = ? AND object_id = ? AND {CURRENT_VOTE} ORDER BY uid",
                    (round_, object_id),
                ).fetchall()
            ]
            before = connection.execute(
                "SELECT vote_uids FROM look WHERE round = ? AND object_id = ? AND inspector = ?",
                (round_, object_id, code),
            ).fetchone()
            if before is not None and json.loads(before[0]) == uids:
                continue
            survey, identity, targetid = named
            entries.append(
                Entry(
                    uid=uuid.uuid4().hex,
                    at=utc_now(),
                    kind="look",
                    by=code,
                    body={"vote_uids": uids},
                    survey=survey,
                    identity=identity,
                    targetid=targetid,
                    object_id=object_id,
                    round=round_,
                )
            )
        return write(connection, ws.journal_dir, entries)


def looked_at(ws: Workspace, round: int) -> set[int]:
    """Return the objects of a round whose present votes some merger looked at."""
    now: dict[int, set[str]] = {}
    for object_id, uid in fetch(
        ws.db, f"SELECT object_id, uid FROM vote WHERE round = ? AND {CURRENT_VOTE}", (int(round),)
    ):
        now.setdefault(object_id, set()).add(uid)
    looks = fetch(ws.db, "SELECT object_id, vote_uids FROM look WHERE round = ?", (int(round),))
    return {object_id for object_id, uids in looks if set(json.loads(uids)) == now.get(object_id, set())}
