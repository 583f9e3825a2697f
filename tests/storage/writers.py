"""What the other processes of the crash and concurrency tests do; run as ``python -m tests.storage.writers``."""

import os
import sys
from pathlib import Path

import numpy as np

from storage.errors import Refused
from storage.rounds import selection
from storage.shards import write_shard
from storage.spectra import add_file
from storage.votes import Vote, commit_vote, new_uid, next_object
from storage.workspace import Workspace
from tests.storage.conftest import desi_rows, file_record


def acknowledge(text: str) -> None:
    """Say that something is durable: the reader of the pipe relies on it from here on."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def ingest_for_ever(root: str, start: str) -> None:
    """Append shards and the files whose vectors they hold."""
    with Workspace.open(root) as ws:
        acknowledge("ready")
        number = int(start)
        while True:
            number += 1
            shard = write_shard(ws, np.full((300, 443), number, np.float32), "log")
            name = f"{start}-{number}"
            add_file(
                ws,
                file_record(f"/data/{name}.fits", name, n_rows=300),
                desi_rows(300, 300 * number),
                shard,
                np.arange(300),
            )
            acknowledge(f"{name} {shard}")


def empty_the_queue(root: str, code: str, required: str) -> None:
    """Do what an inspector does until nothing is left."""
    with Workspace.open(root) as ws:
        acknowledge("ready")
        sys.stdin.readline()
        while (record := next_object(ws, 1, code, int(required))) is not None:
            vote = Vote(new_uid(), record.round, record.object_id, code, "QSO", 2.0, 4)
            commit_vote(ws, vote)
            acknowledge(vote.uid)


def open_it(root: str) -> None:
    """Open, which migrates, and say which schema was found."""
    sys.stdin.readline()
    with Workspace.open(root) as ws:
        acknowledge(str(ws.db.execute("PRAGMA user_version").fetchone()[0]))


def write_until_full(root: str, code: str) -> None:
    """Vote until the disk, or the limit on file sizes, is reached; then say in which words."""
    with Workspace.open(root) as ws:
        records = selection(ws, 1)
        for _ in range(5000):
            for record in records:
                vote = Vote(new_uid(), 1, record.object_id, code, "QSO", 2.0, 4, comment="x" * 200)
                try:
                    commit_vote(ws, vote)
                except Exception as error:
                    acknowledge(f"{type(error).__name__}: {error}")
                    return
                acknowledge(vote.uid)


def read_only(root: str, account: str) -> None:
    """Become another account, if asked; open what it cannot write, read, and try to write."""
    if account:
        os.setgroups([])
        os.setgid(int(account))
        os.setuid(int(account))
    with Workspace.open(Path(root)) as ws:
        acknowledge(f"{ws.read_only} {len(selection(ws, 1))}")
        try:
            commit_vote(ws, Vote(new_uid(), 1, selection(ws, 1)[0].object_id, "ABC", "QSO", 2.0, 4))
        except Refused as error:
            acknowledge(f"refused {error}")
        except Exception as error:
            acknowledge(f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
