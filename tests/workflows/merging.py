"""A small campaign of three votes for the tests of merging: what each person says of each object in one line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import storage.votes as store
from storage.workspace import Workspace
from tests.tui.campaign import desi_spectrum, make_workspace

FIRST_ID = 39627000000000400
PEOPLE = ("ABC", "DEF", "GHI")


class Clock:
    """A time that goes on by a second at every look."""

    def __init__(self) -> None:
        self.time = datetime(2099, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.time += timedelta(seconds=1)
        return self.time


def identity(number: int) -> str:
    return str(FIRST_ID + number)


def campaign_of(root: Path, said: Sequence[Sequence[str]], *, votes: int = 3) -> Path:
    """Make a workspace with an object for each entry; of each, the words "Q 2.3 4 R comment" of ABC, DEF, GHI."""
    spectra = [desi_spectrum(FIRST_ID + number, arms="b") for number in range(len(said))]
    with make_workspace(root, spectra, votes=votes) as ws:
        for code in PEOPLE:
            store.add_inspector(ws, code, code.lower(), "")
        for number, answers in enumerate(said, start=1):
            for code, words in zip(PEOPLE, answers, strict=False):
                say(ws, code, number, words)
    return root


def say(ws: Workspace, code: str, object_id: int, words: str) -> str:
    """Commit a vote: class letter or -, z or -, quality, issues or -, comment."""
    spectype, z, quality, *rest = words.split(maxsplit=4)
    vote = store.Vote(
        uid=store.new_uid(),
        round=1,
        object_id=object_id,
        inspector=code,
        spectype={"S": "STAR", "G": "GALAXY", "Q": "QSO", "-": None}[spectype],
        z=None if z == "-" else float(z),
        quality=int(quality),
        issues="".join(rest[:1]).replace("-", ""),
        comment="".join(rest[1:]),
    )
    store.commit_vote(ws, vote)
    return vote.uid


AGREED = ("Q 2.3042 4", "Q 2.3051 3", "Q 2.3040 4")
BY_CLASS = ("Q 2.3042 4", "Q 2.3051 3 - weak C III]", "G 0.8420 2 R Mg II?")
BY_Z = ("Q 2.30 4", "Q 2.35 3", "Q 2.30 4")
BY_QUALITY = ("Q 2.30 4", "Q 2.30 3", "Q 2.30 2")
NO_SIGNAL = ("Q - 0", "G - 0", "S - 0")


def named(lines: Sequence[object]) -> Mapping[str, object]:
    return {line.name: line for line in lines}  # type: ignore[attr-defined]
