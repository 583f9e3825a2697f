"""How a run at work is seen: stages, rate, time left, and curves that grow."""

import math
import threading
import time

import numpy as np
import pytest

import storage.runs as runs_store
from qnet_tui.errors import BadInput
from qnet_tui.workflows.heartbeat import beating
from qnet_tui.workflows.progress import silent
from qnet_tui.workflows.round_runner import Clock
from qnet_tui.workflows.run_curves import loss_chart, share_chart
from qnet_tui.workflows.run_watch import RunWatcher, snapshot
from storage.workspace import Workspace
from tests.workflows.made_runs import begin, end, lose


@pytest.fixture
def ws(tmp_path):
    with Workspace.create(tmp_path / "ws") as made:
        yield made


def step(ws, run, name, began_ago, done, total, heard_ago=0.0):
    now = time.time()
    ws.db.execute(
        "UPDATE run SET step = ?, step_at = ?, done = ?, total = ?, heartbeat = ? WHERE id = ?",
        (name, now - began_ago, done, total, now - heard_ago, run),
    )


def test_the_rate_and_what_is_left(ws):
    run = begin(ws)
    step(ws, run, "placing spectra on the map", 20.0, 200, 1000)
    now = snapshot(ws, run)
    assert now.rate == pytest.approx(10.0, rel=0.05)
    assert now.seconds_left == pytest.approx(80.0, rel=0.05)
    assert now.percent == 20.0
    assert now.state == "RUNNING"


def test_what_a_killed_run_had_done_before_does_not_make_it_faster(ws):
    run = begin(ws)
    for member in range(4):
        runs_store.register_task(ws, run, f"train {member}", "train", "DONE")
    ws.db.execute("UPDATE task SET at = '2026-01-01T00:00:00.000000Z'")
    step(ws, run, "training networks", 50.0, 5, 10)
    runs_store.register_task(ws, run, "train 4", "train", "DONE", detail={"loss": 0.25})
    now = snapshot(ws, run)
    assert now.rate == pytest.approx(1 / 50, rel=0.05)
    assert now.seconds_left == pytest.approx(250.0, rel=0.05)
    assert (now.networks_done, now.networks) == (5, 6)
    assert [(one.network, one.loss) for one in now.losses] == [("4", 0.25)]


def test_nothing_is_said_of_what_is_not_known(ws):
    run = begin(ws)
    now = snapshot(ws, run)
    assert (now.rate, now.seconds_left, now.percent, now.workers, now.headline) == (None, None, None, None, None)
    assert [(one.name, one.state) for one in now.stages] == [
        ("plan", ""), ("train", ""), ("score", ""), ("select", ""),
    ]  # fmt: skip


def test_the_stages_of_a_run_at_work_and_of_one_that_was_lost(ws):
    run = begin(ws)
    clock = Clock(ws, run, {"plan": 4.5}, silent, lambda: False, "", workers=3)
    with clock.stage("train"):
        now = snapshot(ws, run)
    assert [(one.name, one.state) for one in now.stages][:3] == [("plan", "done"), ("train", "now"), ("score", "")]
    assert now.stages[0].seconds == 4.5
    assert now.workers == 3
    lose(ws, run, ago=90)
    now = snapshot(ws, run)
    assert (now.state, now.resume) == ("LOST", "qnet runs resume al-0001")
    assert [one.state for one in now.stages][:2] == ["done", "stopped"]
    assert now.heartbeat_age == pytest.approx(90, abs=2)
    assert now.seconds_left is None


def test_failures_are_counted_and_the_last_one_told(ws):
    run = begin(ws)
    runs_store.register_task(ws, run, "train 1", "train", "FAILED", detail={"error": "no memory"})
    runs_store.register_task(ws, run, "train 2", "train", "FAILED", detail={"error": "a node was lost"})
    end(ws, run, "FAILED", error="2 of 6 networks failed")
    now = snapshot(ws, run)
    assert (now.failures, now.last_failure) == (2, "train 2: a node was lost")
    assert now.error == "2 of 6 networks failed"


def test_curves_grow_and_only_what_is_new_is_read(ws, monkeypatch):
    run = begin(ws, "train", None, epochs=20)
    watcher = RunWatcher.open(ws.root)
    try:
        assert loss_chart(watcher.look(run)) is None
        runs_store.add_metrics(
            ws, run, [("training", 1, "loss", 3.0, 10), ("validation", 1, "completeness", math.nan, 4)]
        )
        first = watcher.look(run)
        assert (first.step, first.done, first.total) == ("training", 1, 20)
        runs_store.add_metrics(ws, run, [("training", 2, "loss", 2.0, 10), ("validation", 2, "completeness", 0.5, 4)])
        asked = []
        read = runs_store.new_metrics
        monkeypatch.setattr(runs_store, "new_metrics", lambda *what: asked.append(what[2]) or read(*what))
        second = watcher.look(run)
        assert asked
        assert min(asked) > 0
        curves = {(one.dataset, one.name): one for one in second.measured}
        assert curves["training", "loss"].epochs == (1, 2)
        assert curves["training", "loss"].values == (3.0, 2.0)
        chart = loss_chart(second)
        np.testing.assert_array_equal(chart.curves[0].y, [3.0, 2.0])
        shares = share_chart(second)
        assert np.isnan(shares.curves[0].y[0])
        assert shares.curves[0].y[1] == 0.5
    finally:
        watcher.close()


def test_the_losses_of_a_committee_are_drawn_by_network(ws):
    run = begin(ws, networks=6)
    for member, loss in ((2, 0.5), (0, 0.25)):
        runs_store.register_task(ws, run, f"train {member}", "train", "DONE", detail={"loss": loss})
    chart = loss_chart(snapshot(ws, run))
    assert sorted(zip(chart.curves[0].x.tolist(), chart.curves[0].y.tolist(), strict=True)) == [(0, 0.25), (2, 0.5)]
    assert chart.x_range == (0.0, 5.0)
    assert share_chart(snapshot(ws, run)) is None


def test_which_run_is_watched_when_none_is_named(ws):
    watcher = RunWatcher.open(ws.root)
    try:
        with pytest.raises(BadInput, match="no run was ever begun"):
            watcher.run_id(None)
        end(ws, begin(ws))
        assert watcher.run_id(None) == "al-0001"
        begin(ws, "train", None)
        end(ws, begin(ws, number=2))
        assert watcher.run_id(None) == "tr-0002"
        assert watcher.run_id("al-0003") == "al-0003"
        assert [one.run for one in watcher.marks()] == ["al-0003", "tr-0002", "al-0001"]
    finally:
        watcher.close()


def test_a_silent_run_keeps_its_heartbeat_until_it_is_over(ws):
    run = begin(ws)
    lose(ws, run, ago=3600)
    before = threading.active_count()
    with beating(ws, run, every=0.05):
        deadline = time.monotonic() + 10
        while snapshot(ws, run).heartbeat_age > 60 and time.monotonic() < deadline:
            time.sleep(0.02)
        assert snapshot(ws, run).state == "RUNNING"
    assert threading.active_count() == before
    lose(ws, run, ago=3600)
    time.sleep(0.2)
    assert snapshot(ws, run).state == "LOST"
