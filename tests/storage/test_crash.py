"""An ingest killed at any moment: what was acknowledged is there, and nothing half done is (votes: test_durability).

Every crash is a SIGKILL of the process. A power cut is not tested here; that is what the fsyncs are for.
"""

import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from storage.connection import fetch
from storage.shards import gather, shards, verify
from storage.spectra import counts, read_rows
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
