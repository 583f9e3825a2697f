import shutil
import tarfile
import threading
from pathlib import Path

import pytest

from storage.backup import write_backup
from storage.errors import DamagedWorkspace, Refused
from storage.rounds import selection
from storage.settings import set_setting
from storage.votes import Vote, commit_vote, new_uid, votes
from storage.workspace import Workspace


def test_a_backup_opens_as_a_workspace(queued: Workspace, tmp_path: Path) -> None:
    for record in selection(queued, 1):
        commit_vote(queued, Vote(new_uid(), 1, record.object_id, "ABC", "QSO", 2.0, 4))
    set_setting(queued, "votes_required", 2, "me")
    backup = write_backup(queued, tmp_path / "b.tar")
    assert backup.size == (tmp_path / "b.tar").stat().st_size
    assert backup.members[0] == "qnet.db"
    assert {"journal/ABC.jsonl", "rounds/001/queue.jsonl", "rounds/settings.json"} <= set(backup.members)
    with tarfile.open(backup.path) as archive:
        archive.extractall(tmp_path / "again", filter="data")
    with Workspace.open(tmp_path / "again") as again:
        assert votes(again) == votes(queued)
        assert selection(again, 1) == selection(queued, 1)
        assert again.shards_dir.is_dir()
    assert sorted(one.name for one in tmp_path.iterdir()) == ["again", "b.tar", "ws"]


def test_a_backup_while_people_work_holds_what_was_saved_before(queued: Workspace, tmp_path: Path) -> None:
    done = threading.Event()
    object_ids = [one.object_id for one in selection(queued, 1)]

    def work() -> None:
        while not done.is_set():
            for object_id in object_ids:
                commit_vote(queued, Vote(new_uid(), 1, object_id, "ABC", "QSO", 2.0, 4))

    worker = threading.Thread(target=work)
    worker.start()
    try:
        for number in range(3):
            before = {one.uid for one in votes(queued, current=False)}
            write_backup(queued, tmp_path / f"{number}.tar")
            with tarfile.open(tmp_path / f"{number}.tar") as archive:
                archive.extractall(tmp_path / str(number), filter="data")
            with Workspace.open(tmp_path / str(number)) as again:
                assert before <= {one.uid for one in votes(again, current=False)}
    finally:
        done.set()
        worker.join()


def test_nothing_is_overwritten_and_nothing_damaged_is_passed_on(queued: Workspace, tmp_path: Path) -> None:
    (tmp_path / "b.tar").write_text("mine")
    with pytest.raises(Refused, match="exists already"):
        write_backup(queued, tmp_path / "b.tar")
    assert (tmp_path / "b.tar").read_text() == "mine"
    queued.close()
    data = bytearray(queued.database.read_bytes())
    data[4096 * 3 : 4096 * 8] = b"\xa5" * 4096 * 5
    broken = tmp_path / "broken"
    shutil.copytree(queued.root, broken)
    (broken / "qnet.db").write_bytes(data)
    ws = Workspace(broken)
    with pytest.raises(DamagedWorkspace):
        write_backup(ws, tmp_path / "c.tar")
    ws.close()
    assert not (tmp_path / "c.tar").exists()
