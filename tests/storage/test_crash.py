"""Writers killed at any moment: what was acknowledged is there, and nothing half done is.

Every crash is a SIGKILL of the process. A power cut is not tested here; that is what the fsyncs are for.
"""

import json
import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from storage.connection import fetch
from storage.events import events, verify_events
from storage.journal import journal_file, read_entries
from storage.shards import gather, shards, verify
from storage.spectra import counts, read_rows
from storage.votes import votes
from storage.workspace import Workspace

ROOT = Path(__file__).resolve().parents[2]


def killed(rng: random.Random, *arguments: str) -> list[str]:
    """Run a writer, kill it at a random moment among its first writes, and return what it acknowledged."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.storage.writers", *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        lines = [process.stdout.readline() for _ in range(rng.randrange(1, 8))]
        time.sleep(rng.uniform(0.0, 0.02))
        process.kill()
        lines += [line for line in process.stdout if line.endswith("\n")]
        return [line.strip() for line in lines]


def test_acknowledged_votes_survive_a_kill_in_both_places(queued: Workspace) -> None:
    rng = random.Random(20261122)
    acknowledged: set[str] = set()
    queued.close()
    for _ in range(8):
        uids = killed(rng, "vote_for_ever", str(queued.root), "ABC")
        acknowledged |= set(uids)
        with Workspace.open(queued.root) as ws:
            stored = {one.uid for one in votes(ws, current=False)}
            assert acknowledged <= stored
            assert fetch(ws.db, "PRAGMA integrity_check") == [("ok",)]
            assert verify_events(ws) == []
            # The twin: after the open the database has exactly what the journal has.
            lines = read_entries(journal_file(ws.journal_dir, "ABC")).entries
            assert {line["uid"] for line in lines if line["kind"] == "vote"} == stored
            log = {one.uid: one.body for one in events(ws)}
            assert all(json.loads(json.dumps(log[line["uid"]])) == line["body"] for line in lines)
            assert len(votes(ws)) <= 8
    assert len(acknowledged) >= 8


def test_a_kill_during_an_ingest_leaves_whole_files_and_whole_shards(ws: Workspace) -> None:
    rng = random.Random(7)
    acknowledged: set[str] = set()
    for number in range(6):
        lines = killed(rng, "ingest_for_ever", str(ws.root), str(1000 * (number + 1)))
        acknowledged |= {line.split()[0] for line in lines}
        assert verify(ws) == []
        paths = {path for (path,) in fetch(ws.db, "SELECT fingerprint FROM file")}
        assert acknowledged <= paths
        assert fetch(ws.db, "SELECT count(*) FROM row GROUP BY file_id HAVING count(*) <> 300") == []
        assert fetch(ws.db, "PRAGMA integrity_check") == [("ok",)]
    assert len(acknowledged) >= 6
    rows = read_rows(ws)
    assert rows.size == 300 * len(paths) == counts(ws)["rows"]
    expected = (rows["targetid"] - rows["targetid"].min()) // 300
    vectors = gather(ws, rows["shard_id"], rows["shard_row"])
    np.testing.assert_array_equal(vectors[:, 0] - vectors[:, 0].min(), expected)
    assert len(shards(ws)) >= len(paths)
