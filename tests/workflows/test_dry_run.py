"""What a round would cost: the numbers by hand, and where the rates and the saving are from."""

import pytest

import storage.runs as runs_store
from qnet_tui.workflows.dry_run import (
    ASSUMED,
    Rates,
    Saving,
    Size,
    candidate_rows,
    costs,
    disk_bytes,
    estimate,
    expected_saving,
    last_rates,
    plan_lines,
    worker_bytes,
)
from qnet_tui.workflows.presets import round_settings
from storage.workspace import Workspace
from tests.small_campaign import tiny_round

SIZE = Size(rows=3_600_000, training=4_000, validation=1_000, pool_rows=3_000_000, pool_objects=2_400_000)
RATES = Rates(train=1000.0, score=4000.0, plan=10_000.0, select=10.0, source="by hand")


def test_a_race_of_the_paper_by_hand():
    settings = round_settings("paper")
    stages = {s.stage: s for s in costs(settings, SIZE, RATES, Saving("sound", 8.0, "by hand"))}
    assert list(stages) == ["plan and map", "training", "validation", "opening", "candidates", "race", "selection"]
    # 200 networks, 10 epochs, 4,000 spectra: 8 million samples at 1,000 a second.
    assert (stages["training"].tasks, stages["training"].units) == (200, 8_000_000)
    assert stages["training"].core_hours == pytest.approx(8000 / 3600)
    # 3 million rows in blocks of 20,000; 4 networks each.
    assert (stages["opening"].tasks, stages["opening"].units) == (150, 12_000_000)
    # 2 * 1,200 objects of 1.25 rows, 196 networks each.
    assert candidate_rows(settings, SIZE) == 3_000
    assert stages["candidates"].units == 196 * 3_000
    # All of it is an eighth of everything.
    racing = sum(stages[name].units for name in ("opening", "candidates", "race"))
    assert racing == 200 * 3_000_000 / 8
    assert stages["race"].tasks == 150
    assert stages["validation"].units == 200_000
    assert stages["plan and map"].core_hours == pytest.approx(0.1)
    assert (stages["plan and map"].tasks, stages["selection"].tasks) == (0, 0)


def test_a_bound_is_for_the_rows_that_are_no_candidates():
    saving = Saving("sound", 8.0, "by hand", bound=True)
    stages = {s.stage: s for s in costs(round_settings("paper"), SIZE, RATES, saving)}
    # An agreed row is asked 25 networks, 4 of them in the opening.
    assert stages["race"].units == 21 * (3_000_000 - 3_000)


def test_everything_for_everybody_by_hand():
    stages = {s.stage: s for s in costs(round_settings("paper", race="full"), SIZE, RATES, Saving("full", 1.0, ""))}
    assert list(stages) == ["plan and map", "training", "validation", "scoring", "selection"]
    # 25 handfuls of 8 networks for each of 150 blocks.
    assert (stages["scoring"].tasks, stages["scoring"].units) == (3750, 600_000_000)
    assert stages["scoring"].core_hours == pytest.approx(600e6 / 4000 / 3600)


def test_a_race_never_costs_less_than_its_opening_and_candidates():
    stages = {s.stage: s for s in costs(round_settings("paper"), SIZE, RATES, Saving("sound", 1000.0, ""))}
    assert stages["race"].units == 0
    assert stages["opening"].units == 12_000_000


def test_disk_and_memory_by_hand():
    settings = round_settings("paper", outliers=100)
    full = disk_bytes(settings, SIZE, Saving("full", 1.0, ""))
    race = disk_bytes(settings, SIZE, Saving("sound", 8.0, ""))
    assert full["answers"] == 8 * (200 * 3_000_000 + 200 * 1_000)
    assert race["answers"] == 8 * (5 * 3_000_000 + 2 * 200 * 3_000 + 200 * 1_000)
    assert full["spectra"] == 1_100 * 200_000
    # The weights file of the paper's network is 2.5 MB.
    assert full["networks"] / 200 == pytest.approx(2.5e6, rel=0.1)
    assert worker_bytes(settings) > worker_bytes(round_settings("smoke"))
    assert worker_bytes(settings) < 1.5e9


def test_the_saving_is_the_bound_until_a_race_was_run(workspace):
    small = Size(rows=10_000, training=100, validation=0, pool_rows=9_000, pool_objects=8_000)
    with Workspace.open(workspace) as ws:
        paper = round_settings("paper")
        bound = expected_saving(ws, paper, small)
        # performance.md 3: 6.5 to 8.3 times at about one bit for 200 networks.
        assert 6.5 <= bound.factor <= 8.4
        assert "at most" in bound.source
        exact = expected_saving(ws, round_settings("paper", race="exact"), small)
        # (154, 23, 23) of 200 calls are 1.008 bit, (155, 23, 22) 0.994.
        assert exact.factor == 200 / 155
        assert expected_saving(ws, round_settings("smoke"), small).rule == "full"
        assert expected_saving(ws, round_settings("paper", strategy="bald"), small).factor == 1.0
        assert (
            expected_saving(ws, round_settings("paper", select=7_000), small).source == "nearly every object is wanted"
        )
        run = runs_store.new_run(ws, "run-al", paper.as_dict(), {}, 1, 1, "")
        runs_store.finish(ws, run, "DONE", {"race": {"rule": "sound", "saving": 5.25}})
        assert expected_saving(ws, paper, small) == Saving("sound", 5.25, f"as in {run}")
        assert expected_saving(ws, round_settings("paper", networks=60), small).factor != 5.25


def test_rates_are_those_of_the_last_round_with_these_networks(workspace):
    settings = round_settings("paper")
    with Workspace.open(workspace) as ws:
        assert last_rates(ws, settings) == ASSUMED
        assert last_rates(ws, round_settings("smoke")).score > 5 * ASSUMED.score
        run = runs_store.new_run(ws, "run-al", settings.as_dict(), {}, 1, 1, "")
        for i in range(9):
            # The first task of a worker pays for TensorFlow.
            runs_store.register_task(ws, run, f"train {i}", "train", "DONE", "", 0, 90.0 if i == 0 else 20.0)
            detail = {"evaluations": 8000.0}
            runs_store.register_task(ws, run, f"race r {i}", "race", "DONE", "", 0, 9.0 if i == 0 else 2.0, detail)
        runs_store.finish(ws, run, "DONE", {
            "training": 1_000, "rows": 5_000, "selected": 90, "outliers": 10,
            "stage_seconds": {"plan": 2.0, "train": 9.0, "score": 9.0, "select": 4.0},
        })  # fmt: skip
        found = last_rates(ws, settings)
        assert found == Rates(train=500.0, score=4000.0, plan=2500.0, select=25.0, source=f"measured in {run}")
        assert last_rates(ws, round_settings("smoke")).source == ASSUMED.source


def test_the_plan_adds_up_and_is_readable(workspace):
    plan = estimate(workspace, tiny_round(), 4, place="slurm, 2 jobs")
    assert plan["core_hours"] == pytest.approx(sum(s["core_hours"] for s in plan["stages"]))
    assert plan["tasks"] == sum(s["tasks"] for s in plan["stages"])
    assert plan["evaluations"] == plan["evaluations_full"] == 3 * (plan["pool_rows"] + plan["validation_objects"])
    alone = sum(s["core_hours"] for s in plan["stages"] if not s["tasks"])
    assert plan["hours"] == pytest.approx(alone + (plan["core_hours"] - alone) / 4)
    assert plan["disk_megabytes"] == pytest.approx(sum(plan["disk"].values()))
    old = {"networks", "training_spectra", "training_samples", "pool_rows", "pool_objects", "validation_objects",
           "evaluations", "tasks", "core_hours", "jobs", "hours", "disk_megabytes", "rates_from"}  # fmt: skip
    assert old <= set(plan)
    text = "\n".join(plan_lines(plan))
    assert "4 workers of one thread (slurm, 2 jobs)" in text
    assert "fewer than 16 networks" in text
    assert "assumed" in text
    assert max(map(len, text.splitlines())) <= 130
