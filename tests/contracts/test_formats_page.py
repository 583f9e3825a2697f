"""docs/formats.md says which columns and keywords there are: the page and the code say the same."""

import re
from pathlib import Path

import pytest

from qnet_tui.handover.pipelines import PIPELINES
from qnet_tui.handover.qn_rr import column_dtypes as afterburner_columns
from qnet_tui.handover.scores import REQUIRED_HEADER, column_dtypes
from qnet_tui.inspection.merged_files import EDR_COLUMNS
from qnet_tui.inspection.merged_files import MERGED_COLUMNS as DESI_MERGED
from qnet_tui.inspection.own_votes import COLUMNS as OWN_VOTES
from qnet_tui.inspection.prospect_file import COLUMNS as PROSPECT
from qnet_tui.truth.dialects import DIALECTS
from qnet_tui.truth.write import TRUTH_COLUMNS as QUASARNET
from qnet_tui.workflows.export import SELECTION_COLUMNS
from qnet_tui.workflows.export_inspection import EVENT_COLUMNS, MERGED_COLUMNS, TRUTH_COLUMNS

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "formats.md").read_text(encoding="utf-8")
ONE_LINE = " ".join(PAGE.split())


@pytest.mark.parametrize(
    "columns",
    [OWN_VOTES, PROSPECT, MERGED_COLUMNS, DESI_MERGED, EDR_COLUMNS, QUASARNET, TRUTH_COLUMNS, EVENT_COLUMNS,
     SELECTION_COLUMNS],
)  # fmt: skip
def test_columns_of_text_files_are_those_that_are_written(columns):
    assert re.search(rf"[|:] {re.escape(', '.join(columns))}[ .]", ONE_LINE)


def test_every_truth_dialect_is_there():
    section = PAGE.split("## Truth in")[1].split("\n## ")[0]
    named = set(
        re.findall(r"`([a-z0-9-]+)`", " ".join(line.split("|")[1] for line in section.splitlines() if "|" in line))
    )
    assert named - {"--format"} == {dialect.name for dialect in DIALECTS}


def test_the_header_and_columns_of_scores():
    section = PAGE.split("`QN_SCORES`")[1].split("\n## ")[0]
    for name in (*REQUIRED_HEADER, *column_dtypes(sdss=True, several_files=True)):
        assert name in section or name in ("Z_CIV", "Z_CIII", "Z_MgII", "Z_Hbeta"), name


@pytest.mark.parametrize(("pipeline", "first"), [("current", 1), ("dr1", 3)])
def test_the_columns_of_the_afterburner(pipeline: str, first: int):
    section = PAGE.split("`QN_RR`")[1].split("¹ named")[0]
    cells = [line.split("|") for line in section.splitlines() if line.startswith("| ") and "pipeline" not in line]
    kinds = {"i8": "int64", "f8": "float64", "f4": "float32", "bool": "bool", "f4[10]": "('<f4', (10,))"}
    said = []
    for row in cells:
        names, kind = row[first].strip().replace("¹", ""), row[first + 1].strip()
        if " … " in names:
            names = ", ".join(f"{names[:2]}{line}" for line in ("LYA", "CIV", "CIII", "MgII", "Hbeta", "Halpha"))
        said += [(name, kinds.get(kind, f"|{kind}")) for name in names.split(", ") if name]
    assert said == [
        (name, str(dtype) if dtype.kind != "S" else dtype.str)
        for name, dtype in afterburner_columns(pipeline, "DESI_TARGET").items()
    ]


def test_the_thresholds_of_the_pipelines():
    assert {name: (p.c_threshold, p.n_lines, p.rule, p.constant_width) for name, p in PIPELINES.items()} == {
        "current": (0.5, 1, "desispec", None),
        "dr1": (0.5, 1, "desispec", 0.1),
    }
    assert "| a row is a quasar | c > 0.5 in one line | c > 0.5 in one line |" in PAGE


def test_every_table_of_the_database_is_named(tmp_path):
    from storage.connection import fetch
    from storage.workspace import Workspace

    with Workspace.create(tmp_path / "ws") as ws:
        rows = fetch(ws.db, "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    line = next(line for line in PAGE.splitlines() if line.startswith("| `qnet.db`"))
    assert {str(row[0]) for row in rows} - {"journal_mark"} <= set(re.findall(r"[a-z_]+", line))
