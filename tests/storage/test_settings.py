from typing import Any

import numpy as np
import pytest

from storage.errors import Refused
from storage.settings import DEFAULTS, SETTINGS_FILE, all_settings, get_setting, set_setting
from storage.votes import recover
from storage.workspace import Workspace


def test_defaults_until_somebody_sets_them(ws: Workspace) -> None:
    assert get_setting(ws, "votes_required") == 3
    assert get_setting(ws, "grid") is None
    assert get_setting(ws, "grid", "log") == "log"
    set_setting(ws, "votes_required", 1, "me")
    set_setting(ws, "grid", "linear", "ingest")
    set_setting(ws, "grid", "log", "somebody")
    found = all_settings(ws)
    assert found["votes_required"][0] == 1
    assert found["votes_required"][2] == "me"
    assert found["votes_required"][1].endswith("Z")
    assert found["grid"][::2] == ("log", "somebody")
    assert found["dz_conflict"] == (0.0033, "", "default")
    assert list(found) == sorted({*DEFAULTS, "grid"})


def test_values_are_any_json(ws: Workspace) -> None:
    set_setting(ws, "mine", {"a": [1, np.float32(0.5), np.int64(3)], "b": None}, "me")
    assert get_setting(ws, "mine") == {"a": [1, 0.5, 3], "b": None}
    with pytest.raises(TypeError, match="cannot be written as JSON"):
        set_setting(ws, "mine", object(), "me")


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("votes_required", 0, "whole number from 1 to 20"),
        ("votes_required", 2.5, "whole number"),
        ("votes_required", True, "whole number"),
        ("blind_peers", 1, "true or false"),
        ("merge_rule", "mine", "qnet1, desi2021"),
        ("quality_good", "2.5", "a number from 0.0 to 4.0"),
        ("lease_minutes", 0, "from 1 to 1440"),
    ],
)
def test_what_a_campaign_cannot_be_set_to(ws: Workspace, name: str, value: Any, says: str) -> None:
    with pytest.raises(Refused, match=says):
        set_setting(ws, name, value, "me")
    assert get_setting(ws, name) == DEFAULTS[name]


def test_a_rebuilt_campaign_keeps_its_rules(queued: Workspace) -> None:
    set_setting(queued, "votes_required", 2, "me")
    set_setting(queued, "blind_model", False, "me")
    before = all_settings(queued)
    queued.close()
    queued.database.unlink()
    assert recover(queued.root).left == ()
    with Workspace.open(queued.root) as again:
        assert all_settings(again) == before
        set_setting(again, "votes_required", 1, "you")
    # What a sound database says is newer than the file.
    (queued.rounds_dir / SETTINGS_FILE).write_text('{"votes_required": {"value": 3, "at": "", "by": "x"}}')
    recover(queued.root)
    with Workspace.open(queued.root) as again:
        assert all_settings(again)["votes_required"][::2] == (1, "you")


@pytest.mark.parametrize("text", ["", "[]", '{"votes_required": 3}', '{"votes_required": {"value": 3}}'])
def test_a_settings_file_that_cannot_be_read_is_said(queued: Workspace, text: str) -> None:
    queued.close()
    queued.database.unlink()
    (queued.rounds_dir / SETTINGS_FILE).write_text(text)
    (said,) = recover(queued.root).left
    assert said.startswith("settings.json: cannot be read")
    assert said.endswith("check 'qnet campaign'")
