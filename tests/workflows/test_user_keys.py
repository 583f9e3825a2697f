"""A person's file of keys: read, refused by line, and printed by ``qnet keys``."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from qnet_tui.cli.main import app
from qnet_tui.errors import BadInput, QnetError
from qnet_tui.inspection.keys import ACTIONS
from qnet_tui.workflows.user_keys import TABLES, keys_file, live_keys, read_user_keys


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    path = tmp_path / "qnet" / "keys.toml"
    path.parent.mkdir()
    return path


def test_where_it_is(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert keys_file() == tmp_path / "qnet" / "keys.toml"
    monkeypatch.setenv("XDG_CONFIG_HOME", "")
    monkeypatch.setenv("HOME", "/home/ann")
    assert keys_file() == Path("/home/ann/.config/qnet/keys.toml")


def test_without_a_file_every_key_is_the_usual_one(file):
    user = read_user_keys()
    assert user.actions("label") == ACTIONS
    assert not user.fast_commit
    assert not [line for line in live_keys() if line.changed]


def test_keys_and_the_option_are_read(file):
    file.write_text('[label]\nfit = "F"\nstar = []\n[merge]\nundo = ["U", "f9"]\n[options]\nfast_commit = true\n')
    user = read_user_keys()
    assert user.fast_commit
    assert {action.name: action.keys for action in user.actions("label")}["fit"] == ("F",)
    changed = {(line.screen, line.action): line.keys for line in live_keys() if line.changed}
    assert changed == {("label", "fit"): ("F",), ("label", "star"): (), ("merge", "undo"): ("U", "f9")}


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("[label\n", "no TOML"),
        (
            "[lable]\nfit = ['F']\n",
            "[lable] means nothing here; sections are [label], [merge], [spec], [review], [home], [watch], [options]",
        ),
        ("[label]\nfit = 3\n", "[label] fit: keys are texts"),
        ("[label]\nfit = [3]\n", "[label] fit: keys are texts"),
        ("label = 3\n", "label is a section"),
        ("[options]\nfast = true\n", "[options] has fast_commit"),
        ("[options]\nfast_commit = 1\n", "[options] has fast_commit"),
        ("options = 3\n", "[options] has fast_commit"),
    ],
)
def test_what_cannot_be_read_is_refused_naming_the_file(file, text, what):
    file.write_text(text)
    with pytest.raises(BadInput) as error:
        read_user_keys()
    assert str(error.value).startswith(f"{file}: ")
    assert what in str(error.value)


def test_a_bad_key_names_file_and_section(file):
    file.write_text('[label]\nfit = ["ctrl+b"]\n')
    with pytest.raises(BadInput) as error:
        read_user_keys().actions("label")
    assert str(error.value) == f"{file} [label]: fit = 'ctrl+b': tmux and screen take it; choose another key"
    assert read_user_keys().actions("merge") == TABLES["merge"]


def test_a_file_that_the_system_keeps_is_an_error_and_no_traceback(file):
    file.mkdir()
    with pytest.raises(QnetError, match="cannot be read"):
        read_user_keys()


def test_the_live_map_is_printed(file):
    file.write_text('[label]\nfit = ["F"]\n')
    shown = CliRunner().invoke(app, ["keys", "--screen", "label"])
    assert shown.exit_code == 0
    (line,) = [line for line in shown.stdout.splitlines() if line.split()[2:3] == ["fit"]]
    assert line.split()[:2] == ["label", "F"]
    assert line.rstrip().endswith("changed")
    assert str(file) in shown.stdout
    found = json.loads(CliRunner().invoke(app, ["keys", "--json"]).stdout)
    assert {one["screen"] for one in found} == {"label", "merge", "spec", "review", "home", "watch"}
    assert set(found[0]) == {"screen", "action", "keys", "words", "group", "changed"}
    assert [one["keys"] for one in found if one["action"] == "redo"] == [["ctrl+r"]]
