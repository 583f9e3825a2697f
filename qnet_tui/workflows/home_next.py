"""What to do next in a campaign: one line, with the command that does it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qnet_tui.inspection.pace import duration_words
from storage.runs import RunRecord

if TYPE_CHECKING:
    from qnet_tui.workflows.home import Home


@dataclass(frozen=True)
class NextStep:
    """``why`` it is next, the ``command`` that does it, and the ``place`` of the app where it is done.

    ``place`` is label, merge, review or watch; "" for a command that is typed in a shell. ``run`` is the run meant.
    """

    why: str
    command: str
    place: str
    run: str


def next_step(home: Home, runs: Sequence[RunRecord]) -> NextStep:
    """What to do next: people's work before the machine's, and of the machine's what was begun before what is new."""
    return (
        _people(home) or _beginning(home) or _machine(home) or _after_merging(home, runs)
        if home.standing.rows
        else NextStep("no spectra are here yet", "qnet ingest PATH...", "", "")
    )


def _people(home: Home) -> NextStep | None:
    """Objects wait for me, or for a merger."""
    broken = next((run for run in home.runs if run.verb == "run-al" and run.resume), None)
    if broken is not None:
        return _go_on(broken.run, broken.state, broken.resume)
    free = home.queue.left - home.queue.held
    if free > 0:
        pace = home.queue.seconds_left
        about = f" (about {duration_words(pace)} at your pace)" if pace is not None else ""
        code = "" if home.inspector else " --as CODE"
        return NextStep(f"{_few(home.queue.left, 'spectrum waits', 'spectra wait')} for you{about}",
                        f"qnet label{code}", "label", "")  # fmt: skip
    merging = home.merging
    if merging.conflicts or merging.agreed:
        parts = [f"{n:,} {word}" for n, word in ((merging.conflicts, "in conflict"), (merging.agreed, "agreed")) if n]
        wait = "waits" if merging.conflicts + merging.agreed == 1 else "wait"
        return NextStep(f"{' and '.join(parts)} {wait} for a merger", "qnet merge", "merge", "")
    return None


def _beginning(home: Home) -> NextStep | None:
    """What a campaign needs before its first round."""
    here = home.standing
    if any(one.round for one in home.rounds):
        return None
    if not here.train + here.validation:
        return NextStep("no truth yet: import a table, or look at some: qnet vi queue --random 100",
                        "qnet truth import FILE", "", "")  # fmt: skip
    if not here.validation:
        return NextStep("nothing is held out to measure with", "qnet truth split --fraction 0.3", "", "")
    return NextStep(f"{here.train:,} labels to learn from, no round yet", "qnet run-al --preset laptop", "", "")


def _machine(home: Home) -> NextStep | None:
    """A run is at work, or stopped before its end; or others still have to vote."""
    for run in home.runs:
        if run.state == "RUNNING":
            share = f" {run.percent:.0f} %" if run.percent is not None else ""
            return NextStep(f"{run.run} is at work ({run.step or run.stage or run.verb}{share})",
                            f"qnet runs watch {run.run}", "watch", run.run)  # fmt: skip
        if run.resume:
            return _go_on(run.run, run.state, run.resume)
    lacking = home.merging.lacking
    if lacking:
        wait = _few(lacking, "object waits", "objects wait")
        return NextStep(f"{wait} for votes of others: nothing for you now", "qnet vi status", "", "")
    return None


def _after_merging(home: Home, runs: Sequence[RunRecord]) -> NextStep:
    """All is merged: the next round, or a network for the pipeline, or a look at it."""
    trained = next((run for run in runs if run.verb == "train" and run.state == "DONE"), None)
    if trained is not None and trained.started_at >= home.standing.last_merge:
        return NextStep(f"{trained.id} trained on all labels: is it better than the file in use?",
                        f"qnet review weights runs/{trained.id}/weights.h5 --against OLD.h5", "review", "")  # fmt: skip
    if not any(one.run for one in home.rounds) and not home.standing.train:
        return NextStep("nothing to learn from yet", "qnet truth import FILE", "", "")
    return NextStep("all is merged: the next round (or qnet train: the file for the pipeline)", "qnet run-al", "", "")


def _go_on(run: str, state: str, command: str) -> NextStep:
    words = {"LOST": "was lost (its process is gone)", "STOPPED": "was stopped", "FAILED": "failed"}
    return NextStep(f"{run} {words.get(state, state.lower())}; what it finished is kept", command, "", run)


def _few(count: int, one: str, more: str) -> str:
    return f"{count:,} {one if count == 1 else more}"
