"""Every table of ``qnet review`` as scripts read it: its documented keys, figures or null, and nothing else."""

import json
import os
import re
import subprocess
import sys

import pytest

from qnet_tui.workflows.initialise import initialise
from qnet_tui.workflows.review.tabs import TABS

KEYS = {
    "completeness": {"dataset", "epoch", "completeness", "purity", "tp", "fp", "fn", "lo", "hi"},
    "thresholds": {"dataset", "c_threshold", "completeness", "purity"},
    "datasets": {"dataset", "size", "bootstrap", "epoch", "completeness"},
    "entropy": {"bin", "count", "count_rejected"},
    "map": {"cell", "row", "column", "count", "rejected", "by_class"},
    "outliers": {"rank", "TARGETID", "entropy", "cell", "reason"},
    "rounds": {"round", "labels", "strategy", "completeness", "purity"},
}
"""Tables whose document is a list of rows."""

PARTS = {
    "repeats": {"sigma_z": {"z_mean", "sigma_z", "n"}, "entropy": {"entropy", "count"}},
    "weights": {
        "agreement": {"within_kms", "fraction"},
        "confusion": {"pair", "count"},
        "box_pull": {"line", "amplitude_kms", "n"},
    },
}
"""Tables whose document has several lists."""


def strict(text):
    def refuse(word):
        raise AssertionError(f"{word} is no JSON")

    return json.loads(text, parse_constant=refuse)


def test_every_table_is_in_this_contract():
    assert KEYS.keys() | PARTS.keys() == TABS.keys()


@pytest.mark.parametrize("name", TABS)
def test_a_table_has_its_documented_keys(qnet, every_tab, name):
    document = strict(qnet("review", name, "-w", every_tab, "--json").out)
    lists = {"": document} if name in KEYS else {part: document[part] for part in PARTS[name]}
    for part, rows in lists.items():
        assert rows
        wanted = KEYS[name] if name in KEYS else PARTS[name][part]
        assert all(row.keys() >= wanted for row in rows)
        assert all(row.keys() == rows[0].keys() for row in rows)
    answer = qnet("review", name, "-w", every_tab, "--csv")
    header, *lines = answer.out.splitlines()
    assert answer.code == 0
    assert lines
    assert name in PARTS or set(header.split(",")) >= KEYS[name]
    assert len(qnet("review", name, "-w", every_tab).out.splitlines()) > 2


def test_an_empty_campaign_has_the_same_documents_without_rows(qnet, tmp_path):
    initialise(tmp_path / "ws")
    for name in TABS:
        document = strict(qnet("review", name, "-w", tmp_path / "ws", "--json").out)
        if name in PARTS:
            assert document == {part: [] for part in PARTS[name]}
        else:
            assert [row["round"] for row in document] == ([0] if name == "rounds" else [])
        if name != "rounds":
            assert len(qnet("review", name, "-w", tmp_path / "ws").out.splitlines()) == 1


def test_a_terminal_of_few_letters_gets_plain_ones(every_tab):
    for encoding in ("ascii", "latin-1"):
        done = subprocess.run(
            [sys.executable, "-m", "qnet_tui", "review", "completeness", "-w", str(every_tab)],
            capture_output=True, timeout=60, check=False, env={**os.environ, "PYTHONIOENCODING": encoding},
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, b"")
        assert re.search(r"finds 0\.\d{3} \(0\.\d{3}-0\.\d{3}\)", done.stdout.decode(encoding))
