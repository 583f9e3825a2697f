"""Three inspectors and a merger in tmux at once, on sixty real spectra of one workspace.

Two inspect on the screen, one in the line dialogue; while they are at work the merger settles what has its votes.
"""

from __future__ import annotations

import csv
import re
import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

import storage.merges as merge_store
import storage.settings as campaign
import storage.votes as vote_store
from qnet_tui.spectra.single import load_spectrum
from qnet_tui.workflows.export import export
from qnet_tui.workflows.ingest import ingest
from qnet_tui.workflows.initialise import initialise
from qnet_tui.workflows.label_item import item_of
from qnet_tui.workflows.queue_list import queue_random
from qnet_tui.workflows.truth import import_truth
from storage.rounds import selection
from storage.workspace import Workspace
from tests.e2e.tmux import Tmux

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.shared,
    pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed"),
]

OBJECTS = 60
PEOPLE = ("AAA", "BBB", "CCC")
PATIENCE_S = 150.0
_TITLE = re.compile(r"SDSS \d{4,5}-\d{5}-\d{4}|\b\d{17}\b")
# What the pipeline or the network says; a blind inspector meets none of it before the answer is saved.
_SIGHTED = re.compile(r"redrock|zwarn|why:|entropy|SDSS:? +(QSO|GALAXY|STAR)", re.IGNORECASE)


@dataclass(frozen=True)
class Said:
    """What one person says of one object."""

    letter: str
    z: str
    quality: int
    comment: str


def said(person: str, number: int) -> Said:
    """Answers that agree but for some of CCC's and BBB's: each kind of conflict comes up."""
    letter, z, quality = "q", 0.5 + 0.03 * number, 3
    if number % 10 == 0 and person == "CCC":
        letter = "g"
    if number % 10 == 3 and person == "CCC":
        z += 0.05
    if number % 10 == 6 and person == "BBB":
        quality = 1
    return Said(letter, f"{z:.4f}", quality, f"note of {person}")


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> tuple[Path, Path]:
    """The campaign, and the same survey without any votes."""
    folder = tmp_path_factory.mktemp("three")
    fresh = folder / "fresh"
    initialise(fresh)
    ingest(fresh, [str(shared_data / "desi" / "picca"), str(shared_data / "sdss" / "spectra")], jobs=2)
    root = Path(shutil.copytree(fresh, folder / "ws"))
    with Workspace.open(root) as ws:
        campaign.set_setting(ws, "shared_account", True, by="test")
    queue_random(root, OBJECTS, seed=5)
    return root, fresh


@pytest.fixture
def windows(tmp_path: Path) -> Iterator[dict[str, Tmux]]:
    made = {person: Tmux(tmp_path, 100, 30) for person in (*PEOPLE, "MMM")}
    try:
        yield made
    finally:
        for window in made.values():
            window.close()


def command(root: Path, *words: str) -> str:
    repository = Path(__file__).resolve().parents[2]
    return f"clear; PYTHONPATH={repository} {sys.executable} -m qnet_tui {' '.join(words)} -w {root}"


class Inspector:
    """One person at one window, who answers what the screen shows until nothing is left."""

    def __init__(self, person: str, window: Tmux, numbers: dict[str, int]) -> None:
        self.person, self.window, self.numbers = person, window, numbers
        self.seen: list[str] = []
        self.peeped: list[str] = []

    def work(self) -> None:
        deadline = time.monotonic() + PATIENCE_S
        shown = ""
        while True:
            assert time.monotonic() < deadline, self.window.screen()
            screen = self.window.screen()
            if self.is_over(screen):
                return
            title = self.title(screen)
            if title is None or title == shown:
                time.sleep(0.03)
                continue
            self.look_for_what_is_hidden(screen)
            self.seen.append(title)
            self.answer(said(self.person, self.numbers[title]))
            shown = title

    def look_for_what_is_hidden(self, screen: str) -> None:
        others = [each for each in (*PEOPLE, "MMM") if each != self.person and each in screen]
        found = _SIGHTED.search(screen)
        if others or found:
            self.peeped.append(screen)

    def title(self, screen: str) -> str | None:
        rows = screen.splitlines()
        found = _TITLE.search(rows[1]) if len(rows) > 1 and "all keys" in screen else None
        return found.group() if found else None

    def is_over(self, screen: str) -> bool:
        if "nothing is left for you" in screen:
            if "looks again" not in screen:
                return True
            self.window.send("j")
            time.sleep(0.2)
        return False

    def answer(self, what: Said) -> None:
        assert re.search(r"\bz +-", self.window.screen()), "the trial redshift of a blind inspector starts unset"
        keys = [what.letter, "z", "C-u", what.z, "Enter", "c", what.comment, "Enter", str(what.quality), "Enter"]
        self.window.send(*keys)


class LineInspector(Inspector):
    """The same in the line dialogue."""

    def title(self, screen: str) -> str | None:
        found = [line for line in screen.splitlines() if line.startswith("round 1, ")]
        complete = screen.rstrip().endswith("A") and found
        last = _TITLE.search(found[-1]) if complete else None
        return last.group() if last else None

    def is_over(self, screen: str) -> bool:
        if not screen.rstrip().endswith("nothing is left in your queue"):
            return False
        if len(self.seen) < OBJECTS:
            self.window.send("n", "Enter")
            time.sleep(0.2)
            return False
        return True

    def answer(self, what: Said) -> None:
        line = f"{what.letter} {what.z} {what.quality} {what.comment}"
        self.window.run("send-keys", "-l", line)
        self.window.send("Enter")


class Merger:
    """The merger at a fourth window: settles conflicts as they come, and looks at the tenth that is asked for."""

    def __init__(self, window: Tmux) -> None:
        self.window = window
        self.settled: list[str] = []
        self.named: list[str] = []

    def work(self) -> None:
        deadline = time.monotonic() + PATIENCE_S
        shown = ""
        while True:
            assert time.monotonic() < deadline, self.window.screen()
            screen = self.window.screen()
            if "nothing is left to settle" in screen:
                if f"{OBJECTS} done" in screen:
                    return
                self.window.send("Space")
                time.sleep(0.3)
                continue
            rows = screen.splitlines()
            found = _TITLE.search(rows[1]) if len(rows) > 1 and "all keys" in screen else None
            if found is None or found.group() == shown:
                time.sleep(0.03)
                continue
            shown = found.group()
            if any(f" {person} " in screen for person in PEOPLE):
                self.named.append(screen)
            self.settle(screen)
            self.settled.append(shown)

    def settle(self, screen: str) -> None:
        # The proposal where there is one, else the vote that is lit with a quality of the merger's own.
        proposed = "2 of 3" in screen or "all agree" in screen or "⏎ settles" in screen
        self.window.send(*(["a"] if proposed else ["y"]), "Enter")


def test_three_inspectors_and_a_merger_at_once(roots, windows, tmp_path):
    root, fresh = roots
    with Workspace.open(root) as ws:
        numbers = titles(ws)
    assert len(numbers) == OBJECTS
    windows["CCC"].run("resize-window", "-x", "100", "-y", "60")
    for person in PEOPLE:
        plain = "--plain " if person == "CCC" else ""
        windows[person].send(command(root, f"label {plain}--as {person}"), "Enter")
    people = [(LineInspector if person == "CCC" else Inspector)(person, windows[person], numbers) for person in PEOPLE]
    merger = Merger(windows["MMM"])
    with ThreadPoolExecutor(4) as crew:
        work = [crew.submit(one.work) for one in people]
        wait_for_votes(root, work)
        windows["MMM"].send(command(root, "merge --as MMM"), "Enter")
        merging = crew.submit(merger.work)
        for one in work:
            one.result()
        merger.done = True
        merging.result()
    windows["MMM"].send("F10")
    windows["MMM"].shows("ready$")

    for one in people:
        assert Counter(one.seen) == Counter(list(numbers)), f"{one.person} saw every object once"
        assert one.peeped == [], one.peeped[0] if one.peeped else ""
    assert merger.named == [], "codes stay hidden until asked for"
    with Workspace.open(root) as ws:
        votes = vote_store.votes(ws)
        assert Counter(Counter(vote.object_id for vote in votes).values()) == {3: OBJECTS}
        assert all(vote.blind_model and vote.blind_peers for vote in votes)
        merged = merge_store.merges(ws)
        assert len(merged) == OBJECTS
        assert {label.by for label in merged} == {"MMM"}
    assert {title for title, number in numbers.items() if number % 10 in (0, 3, 6)} <= set(merger.settled)

    # What was settled is the same truth in a workspace that never saw a vote.
    table = tmp_path / "merged.csv"
    assert export(root, "merged", table, format="quasarnet").rows == OBJECTS
    assert import_truth(fresh, table).imported == OBJECTS
    assert labels(root, tmp_path / "here.csv") == labels(fresh, tmp_path / "there.csv")


def titles(ws: Workspace) -> dict[str, int]:
    """The objects of round 1 as the screens call them, each with a number of its own."""
    folder = ws.round_dir(1) / "spectra"
    names = [item_of(load_spectrum(folder / f"{one.object_id}.npz"), blind=True).title for one in selection(ws, 1)]
    return {name: number for number, name in enumerate(names)}


def wait_for_votes(root: Path, work: list[Future[None]]) -> None:
    """Wait until some objects have their three votes, or somebody could not go on."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        for one in work:
            if one.done():
                one.result()
        with Workspace.open(root) as ws:
            counts = Counter(vote.object_id for vote in vote_store.votes(ws))
        if sum(count == 3 for count in counts.values()) >= 8:
            return
        time.sleep(0.2)
    raise AssertionError("no object got its three votes")


def labels(root: Path, table: Path) -> dict[str, tuple[str, ...]]:
    """Class, redshift and quality of the truth, by object."""
    export(root, "truth", table)
    with table.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    return {f"{row['SURVEY']}:{row['ID']}": (row["VI_CLASS"], row["VI_Z"], row["VI_QUALITY"]) for row in rows}
