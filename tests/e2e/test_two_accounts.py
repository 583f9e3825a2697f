"""Two accounts of one machine label in one workspace that their group may write.

The accounts and their group are made for the test and removed after it. Everything is done with a umask that gives the
group nothing. One is killed in the middle of a write: the system ends it when it has written the first pages of a
transaction and not the others, so that the other account has to roll back what it left.
"""

from __future__ import annotations

import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import storage.votes as store
from storage.connection import fetch
from storage.events import events, verify_events
from storage.journal import journal_files, read_entries
from storage.workspace import DATABASE, Workspace

REPOSITORY = Path(__file__).resolve().parents[2]
HOT = bytes.fromhex("d9d505f920a163d7")
"""The first bytes of a rollback journal that has to be played back (sqlite.org/fileformat.html, section 3)."""
PAGE = 4096
LIMIT = 65536
"""More than the rollback journal of one answer, less than the database."""
TOOLS = ("groupadd", "useradd", "userdel", "groupdel")

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(os.getuid() != 0, reason="only root can make the two accounts"),
    pytest.mark.skipif(any(shutil.which(one) is None for one in TOOLS), reason="there are no tools to make accounts"),
]

# The accounts need not be able to read this installation: all modules are loaded, by a rehearsal, before the rights of
# root are given up for good. Then the entry point of the command runs, or the making of the workspace.
BECOME = """
import contextlib, grp, io, os, pwd, resource, signal, sys, tempfile
from pathlib import Path
import storage.workspace
from qnet_tui.__main__ import main
from storage.files import make_directory
from storage.workspace import Workspace
from tests.tui.campaign import desi_spectrum, make_workspace

def make(root, first):
    with Workspace.create(root) as ws:
        make_directory(ws.round_dir(1) / "spectra")
    make_workspace(root, [desi_spectrum(first + n, seed=n) for n in range(5)], votes=2, blind=True).close()

name, group, limit, *words = sys.argv[1:]
LIMIT = int(limit)
with tempfile.TemporaryDirectory() as place, contextlib.redirect_stdout(io.StringIO()):
    make(Path(place) / "ws", 1)
    for lines in ("q 2.3 4\\nu\\n:q\\n", "q\\n"):
        sys.argv, sys.stdin = ["qnet", "label", "--plain", "--as", "XYZ", "-w", place + "/ws"], io.StringIO(lines)
        with contextlib.suppress(SystemExit):
            main()
sys.stdin = sys.__stdin__
account = pwd.getpwnam(name)
os.setgroups([])
os.setgid(grp.getgrnam(group).gr_gid)
os.setuid(account.pw_uid)
os.umask(0o077)
# As for any program but Python: who writes beyond the limit on file sizes ends there and then. A signal sets it.
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
signal.signal(signal.SIGUSR1, lambda *_: resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, LIMIT)))
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
assert os.getresuid() == (account.pw_uid,) * 3
if words[0] == "make":
    # The lock test starts another interpreter, which the account may not be able to.
    storage.workspace.locks_work = lambda directory: True
    make(Path(words[1]), 700)
else:
    sys.argv = words
    main()
"""


@dataclass(frozen=True)
class Accounts:
    """Two account names of one group, and a folder that the group may write."""

    first: str
    second: str
    group: str
    folder: Path
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    def runs(self, name: str, *words: str) -> subprocess.Popen[str]:
        """Start ``words`` as one of the accounts, with a umask that gives the group nothing."""
        environment = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "LC_ALL")}
        process = subprocess.Popen(
            [sys.executable, "-c", BECOME, name, self.group, str(LIMIT), *words],
            cwd=REPOSITORY, env=environment | {"HOME": str(self.folder)},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        self.processes.append(process)
        return process


@pytest.fixture
def accounts() -> Iterator[Accounts]:
    group = f"qnet{os.getpid()}"
    names = (f"{group}a", f"{group}b")
    folder = Path(tempfile.mkdtemp(prefix="qnet-accounts-"))
    made = Accounts(*names, group, folder)
    try:
        subprocess.run(["groupadd", group], check=True)
        for name in names:
            # A system account: no home, no mail box, no subordinate ids that would stay behind.
            words = ["--system", "--no-create-home", "--no-user-group", "--gid", group, "--shell", "/usr/sbin/nologin"]
            subprocess.run(["useradd", *words, name], check=True)
        shutil.chown(folder, names[0], group)
        folder.chmod(0o2770)
        yield made
    finally:
        # An account with a process cannot be removed.
        for process in made.processes:
            process.kill()
            process.wait()
        for name in names:
            subprocess.run(["userdel", name], check=False, capture_output=True)
        subprocess.run(["groupdel", group], check=False, capture_output=True)
        shutil.rmtree(folder)
        left = [line for file in ("/etc/passwd", "/etc/group") for line in Path(file).read_text().splitlines()]
        assert not [line for line in left if line.startswith(group)]


class Labeller:
    """``qnet label --plain`` of one account: lines go in, what is answered comes out."""

    def __init__(self, accounts: Accounts, name: str, root: Path, code: str) -> None:
        self.process = accounts.runs(name, "qnet", "label", "--plain", "--as", code, "-w", str(root))
        self._said: queue.Queue[str] = queue.Queue()
        self._all: list[str] = []
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._said.put(line)

    def says(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def answers(self, text: str, seconds: float = 60.0) -> str:
        """Wait for a line with ``text`` and return it."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                line = self._said.get(timeout=max(0.01, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"{text!r} was not said, but:\n{''.join(self._all)}") from None
            self._all.append(line)
            if text in line:
                return line

    def quit(self) -> int:
        self.says(":q")
        return self.process.wait(timeout=60)


def test_one_goes_on_where_the_other_is_killed_in_the_middle_of_a_write(accounts: Accounts) -> None:
    root = accounts.folder / "ws"
    with accounts.runs(accounts.first, "make", str(root)) as maker:
        said, _ = maker.communicate(timeout=120)
    assert maker.returncode == 0, said

    one = Labeller(accounts, accounts.first, root, "AAA")
    one.answers("round 1, 1 of 5")
    other = Labeller(accounts, accounts.second, root, "BBB")
    other.answers("round 1, 2 of 5")
    one.says("q 2.3042 4 by one")
    one.answers("saved 700")
    one.answers("round 1, 3 of 5")
    other.says("g 0.5 3 by other")
    other.answers("saved 701")
    other.answers("round 1, 1 of 5")

    # Of the next transaction only the pages at the beginning of the file can be written.
    before = (root / DATABASE).read_bytes()
    assert len(before) > 2 * LIMIT
    one.process.send_signal(signal.SIGUSR1)
    one.says("s 0 2 cut off")
    assert one.process.wait(timeout=60) == -signal.SIGXFSZ
    left_behind = root / (DATABASE + "-journal")
    assert left_behind.read_bytes()[:8] == HOT
    assert left_behind.owner() == accounts.first
    assert (root / DATABASE).read_bytes()[:PAGE] != before[:PAGE]
    assert (root / DATABASE).read_bytes()[LIMIT:] == before[LIMIT:]

    # The other one does not even notice.
    other.says("q 1.2 4 after the kill")
    other.answers("saved 700")
    assert other.quit() == 0
    assert not left_behind.exists()

    # The answer was in the first one's own journal: it is there when anybody opens the workspace again.
    again = Labeller(accounts, accounts.first, root, "AAA")
    again.answers("round 1, 2 of 5")
    again.says("q 2.2 4 went on")
    again.answers("saved 701")
    assert again.quit() == 0
    with accounts.runs(accounts.second, "qnet", "label", "--plain", "--as", "AAA", "-w", str(root)) as thief:
        answer, _ = thief.communicate(":q\n", timeout=120)
    assert thief.returncode == 2
    assert f"belongs to account {accounts.first}" in answer
    assert "Traceback" not in answer

    with Workspace.open(root) as ws:
        said = {(vote.inspector, vote.comment) for vote in store.votes(ws)}
        assert said == {
            ("AAA", "by one"), ("AAA", "cut off"), ("AAA", "went on"), ("BBB", "by other"), ("BBB", "after the kill"),
        }  # fmt: skip
        assert fetch(ws.db, "PRAGMA integrity_check") == [("ok",)]
        assert verify_events(ws) == []
        twin = {line["uid"] for path in journal_files(ws.journal_dir) for line in read_entries(path).entries}
        assert {event.uid for event in events(ws)} == twin
    owners = {path.name: path.owner() for path in (root / "journal").iterdir()}
    assert owners == {"AAA.jsonl": accounts.first, "BBB.jsonl": accounts.second}
    for path in (root, *root.rglob("*")):
        needed = 0o070 if path.is_dir() else 0o060
        assert path.group() == accounts.group
        assert path.stat().st_mode & needed == needed, f"{path} is closed to the group"
