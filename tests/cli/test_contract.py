"""The keys and exit codes that scripts rely on."""

import pytest

from qnet_tui.cli.main import app


def commands(group=None, prefix=()):
    import typer

    command = typer.main.get_command(app) if group is None else group
    for name, sub in getattr(command, "commands", {}).items():
        if hasattr(sub, "commands") and sub.commands:
            yield from commands(sub, (*prefix, name))
        if sub.callback is not None and not getattr(sub, "commands", None):
            yield (*prefix, name), sub


ALL = {" ".join(path): command for path, command in commands()}


@pytest.mark.parametrize("name", sorted(ALL))
def test_help_shows_one_example(name):
    assert f"Example: qnet {name.split()[0]}" in (ALL[name].help or "")


@pytest.mark.parametrize("name", sorted(set(ALL) - {"label"}))
def test_every_command_that_prints_a_result_has_json(name):
    assert "--json" in {option for p in ALL[name].params for option in p.opts}


def test_init_ingest_truth(qnet, tmp_path, survey):
    ws = tmp_path / "ws"
    assert qnet("init", ws, "--json").json.keys() >= {"workspace", "journal_mode", "filesystem"}
    got = qnet("ingest", survey, "-w", ws, "--jobs", 1, "--json").json
    assert got.keys() >= {"files", "rows_read", "rows_added", "rows_dropped", "seconds"}
    assert isinstance(got["rows_dropped"], dict)
    got = qnet("truth", "import", survey / "truth-labelled.csv", "-w", ws, "--json").json
    assert got.keys() >= {"rows", "imported", "unmatched", "rejected", "by_class"}
    assert qnet("truth", "split", "--fraction", 0.3, "-w", ws, "--json").json.keys() == {"train", "validation"}
    got = qnet("campaign", "set", "votes_required", "1", "-w", ws, "--json").json
    assert (got["name"], got["value"]) == ("votes_required", 1)
    names = {s["name"] for s in qnet("campaign", "show", "-w", ws, "--json").json}
    assert names >= {"votes_required", "blind_peers", "blind_model", "merge_rule", "quality_good", "grid"}


def test_run_al_train_and_tables(qnet, workspace, tmp_path):
    tiny = ["--preset", "smoke", "--networks", 2, "--epochs", 1, "--filters", 4, "--select", 5, "--jobs", 1]
    plan = qnet("run-al", "-w", workspace, *tiny, "--dry-run", "--json").json
    assert plan.keys() >= {"tasks", "core_hours", "disk_megabytes", "evaluations"}
    got = qnet("run-al", "-w", workspace, *tiny, "--json").json
    assert got.keys() >= {
        "run", "round", "networks", "rows", "rejected", "rejected_cells", "unique", "selected", "entropy_cut",
        "evaluations", "evaluations_full", "seconds", "stage_seconds",
    }  # fmt: skip
    rounds = qnet("review", "rounds", "-w", workspace, "--json").json
    assert [r["round"] for r in rounds] == [1, 0]
    keys = {
        "completeness": {"dataset", "epoch", "completeness", "purity", "tp", "fp", "fn", "lo", "hi"},
        "thresholds": {"dataset", "c_threshold", "completeness", "purity"},
        "entropy": {"bin", "count", "count_rejected"},
        "map": {"cell", "row", "column", "count", "rejected", "by_class"},
        "rounds": {"round", "labels", "strategy", "completeness", "purity"},
    }
    for name, wanted in keys.items():
        assert qnet("review", name, "-w", workspace, "--json").json[0].keys() >= wanted, name
        assert qnet("review", name, "-w", workspace).code == 0
        header = qnet("review", name, "-w", workspace, "--csv").out.splitlines()[0]
        assert wanted <= set(header.split(","))
    out = tmp_path / "selection.csv"
    assert qnet("export", "selection", "-o", out, "-w", workspace, "--json").json == {"rows": 5, "file": str(out)}
    header = "rank,TARGETID,ENTROPY,C_NOT,C_QSO_LZ,C_QSO_HZ,N_NETWORKS,BMU,CELL_COUNT,REJECTED"
    assert out.read_text().startswith(header)
    weights = tmp_path / "qn.h5"
    trained = qnet("train", "-w", workspace, "--filters", 4, "--epochs", 2, "-o", weights, "--json").json
    assert trained.keys() >= {"run", "epochs", "best_epoch", "val_loss", "weights"}
    assert qnet("weights", "info", weights, "--json").json["filters"] == 4
    again = tmp_path / "again.h5"
    assert qnet("weights", "export", trained["run"], "-o", again, "-w", workspace).code == 0
    assert qnet("weights", "export", "al-0001:1", "-o", tmp_path / "m.h5", "-w", workspace).code == 0
    evaluated = qnet("weights", "evaluate", weights, "-w", workspace, "--role", "validation", "--json").json
    assert evaluated.keys() >= {"completeness", "purity", "tp", "fp", "fn", "failures", "median_dv_kms"}
    listed = qnet("runs", "list", "-w", workspace, "--json").json
    assert [r["verb"] for r in listed] == ["train", "run-al"]
    assert qnet("runs", "show", "al", "-w", workspace, "--json").json["settings"]["networks"] == 2
    assert qnet("runs", "note", "al", "first try", "-w", workspace, "--json").json["note"] == "first try"
    assert qnet("doctor", "-w", workspace, "--json").out.startswith("[")
    assert qnet("backup", tmp_path / "b.tar", "-w", workspace, "--json").json["size"] > 0
    assert qnet("vi", "inspectors", "add", "ABC", "-w", workspace, "--json").json["code"] == "ABC"
    assert qnet("vi", "status", "-w", workspace, "--json").json[0]["asked"] == 5
    assert qnet("vi", "leases", "-w", workspace, "--json").json == []
    assert qnet("merge", "--accept-agreed", "-w", workspace, "--json").json["open"] == 5


def test_score_writes_every_row(qnet, survey, shared_data, tmp_path):
    import fitsio

    weights = shared_data / "desi" / "quasarnp" / "test_weights.h5"
    out = tmp_path / "out.fits"
    coadds = sorted(survey.glob("coadd-*.fits"))[:2]
    got = qnet("score", *coadds, "--weights", weights, "-o", out, "--json").json
    table = fitsio.read(out, ext="QN_SCORES")
    assert len(table) == got["rows"] == 120
    assert set(table.dtype.names) >= {"TARGETID", "IS_QSO", "ZBEST", "C_LYA", "C_Halpha", "Z_LYA", "Z_Halpha"}
    ids = [t for c in coadds for t in fitsio.read(c, ext="FIBERMAP")["TARGETID"]]
    assert table["TARGETID"].tolist() == ids
    assert int(table["IS_QSO"].sum()) == got["quasars"] > 20


def test_stdout_is_one_document_and_nothing_else(qnet, workspace):
    answer = qnet("runs", "list", "-w", workspace, "--json")
    assert answer.json == []
    assert answer.err == ""


def test_without_a_command_it_shows_the_help(qnet):
    answer = qnet()
    assert answer.code == 0
    assert "run-al" in answer.out
    assert "qnet demo" in answer.out
