"""``qnet weights compare`` and the two tabs that show a comparison, as a person types them."""

import csv
import io

from qnet_tui.quasarnet.weights_file import write_weights
from tests.quasarnet.small import SMALL, random_weights


def test_two_files_as_text_json_and_csv(qnet, workspace, tmp_path):
    new, old = tmp_path / "new.h5", tmp_path / "old.h5"
    for k, path in enumerate((new, old)):
        write_weights(path, random_weights(SMALL, k))
    first = qnet("weights", "compare", new, old, "-w", workspace, "--c-threshold", 0.3, "--jobs", 1, "--json")
    assert first.code == 0
    got = first.json
    assert got.keys() >= {"agreement", "confusion", "box_pull", "repeats"}
    assert {"within_kms", "fraction"} <= got["agreement"][0].keys()
    assert {"pair", "count"} <= got["confusion"][0].keys()
    assert {"line", "amplitude_kms", "n"} <= got["box_pull"][0].keys()
    assert {"z_mean", "sigma_z", "n"} <= got["repeats"]["sigma_z"][0].keys()
    assert {"entropy", "count"} <= got["repeats"]["entropy"][0].keys()

    # The same comparison, looked at again.
    shown = qnet("review", "weights", "-w", workspace, "--json").json
    assert {name: shown[name] for name in ("agreement", "confusion", "box_pull")} == {
        name: got[name] for name in ("agreement", "confusion", "box_pull")
    }
    text = qnet("review", "weights", "-w", workspace, "--c-threshold", 0.3).out
    assert "within 6000 km/s" in text
    assert "objects that both call a quasar" in text
    rows = list(csv.DictReader(io.StringIO(qnet("review", "weights", "-w", workspace, "--csv").out)))
    assert rows[0]["figure"] == "within 1000 km/s"
    assert qnet("review", "repeats", "-w", workspace, "--json").json["entropy"] == got["repeats"]["entropy"]
    assert "seen more than once" in qnet("review", "repeats", "-w", workspace).out


def test_what_cannot_be_compared_is_one_line(qnet, workspace, tmp_path):
    nothing = qnet("weights", "compare", "-w", workspace)
    assert nothing.code == 2
    assert "no weights file is named" in nothing.err
    gone = qnet("weights", "compare", tmp_path / "none.h5", "-w", workspace)
    assert gone.code == 2
    assert "none.h5" in gone.err
    assert qnet("weights", "compare", "--resume", "cp-0009", "-w", workspace).code in (1, 2)
    empty = qnet("review", "repeats", "-w", workspace, "--json")
    assert empty.code == 0
    assert empty.json == {"sigma_z": [], "entropy": []}
