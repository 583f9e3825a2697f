"""In which arithmetic networks answer: what the processor reports, and what the self-test finds."""

import sys
from pathlib import Path

import pytest

from qnet_tui.errors import BadInput
from qnet_tui.quasarnet import precision
from qnet_tui.quasarnet.precision import SelfTest, choose, cpu_flag, describe, self_test


@pytest.fixture
def reports(monkeypatch: pytest.MonkeyPatch):
    """Make the processor report a flag, and the self-test find what is given; say how often it ran."""

    def set_up(flag: str | None, found: SelfTest) -> list[int]:
        ran: list[int] = []
        monkeypatch.setattr(precision, "cpu_flag", lambda: flag)
        monkeypatch.setattr(precision, "self_test", lambda: ran.append(1) or found)
        return ran

    return set_up


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("fpu avx512f avx512_bf16 avx512_vnni", "avx512_bf16"),
        ("fpu avx512_bf16 amx_bf16 amx_tile", "amx_bf16"),
        ("fpu avx2 avx512f avx512_bf16x", None),
    ],
)
def test_the_flags_of_the_processor_are_read(tmp_path: Path, flags: str, expected: str | None) -> None:
    (tmp_path / "cpuinfo").write_text(f"processor\t: 0\nmodel name\t: avx512_bf16 in its name\nflags\t\t: {flags}\n")
    assert cpu_flag(tmp_path / "cpuinfo") == expected


def test_without_cpuinfo_there_is_no_bfloat16(tmp_path: Path) -> None:
    assert cpu_flag(tmp_path / "none") is None
    (tmp_path / "other").write_text("Features : fp asimd bf16\n")
    assert cpu_flag(tmp_path / "other") is None


def test_what_is_asked_for_is_taken_and_another_word_refused(reports) -> None:
    ran = reports("avx512_bf16", SelfTest(2.0, 0.01, True))
    assert (choose("float32"), choose("bfloat16")) == ("float32", "bfloat16")
    assert not ran
    with pytest.raises(BadInput, match="'float16'"):
        choose("float16")


@pytest.mark.parametrize(
    ("flag", "found", "expected"),
    [
        ("avx512_bf16", SelfTest(1.9, 0.01, True), "bfloat16"),
        ("avx512_bf16", SelfTest(1.9, 0.5, False), "float32"),
        ("amx_bf16", SelfTest(0.7, 0.01, True), "float32"),
        (None, SelfTest(1.9, 0.01, True), "float32"),
    ],
    ids=["right and faster", "wrong", "slower", "not reported"],
)
def test_auto_takes_bfloat16_only_where_it_is_right_and_faster(reports, monkeypatch, flag, found, expected) -> None:
    monkeypatch.setenv("QNET_DEVICE", "cpu")
    ran = reports(flag, found)
    assert choose("auto") == choose() == expected
    assert len(ran) == (2 if flag else 0), "an unsuitable processor is not tested"


def test_the_self_test_finds_this_machine_right_and_runs_once() -> None:
    found = self_test()
    assert found.right
    assert 1e-4 < found.error < 0.2, "it was bfloat16"
    assert found.speedup > 0
    assert self_test() is found


def test_doctor_is_told_what_will_be_chosen_and_why(reports, monkeypatch) -> None:
    monkeypatch.setenv("QNET_DEVICE", "cpu")
    reports(None, SelfTest(1.9, 0.01, True))
    assert describe() == "float32 (the processor reports neither avx512_bf16 nor amx_bf16)"
    monkeypatch.setattr(precision, "cpu_flag", lambda: "avx512_bf16")
    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
    assert describe() == "bfloat16 (avx512_bf16), if the self-test at the first scoring finds it right and faster"
