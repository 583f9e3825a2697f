"""The same values are the same bytes, and are read back as exactly these values."""

import csv
import math

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from qnet_tui.inspection.csv_text import csv_text, first_record, one_line, records

WILD = st.text(st.characters(codec="utf-8"), max_size=20)


def test_fixed_bytes():
    text = csv_text(
        ("a", "b"),
        [(1, None), (0.1, math.nan), (True, "x, y"), ('say "Lyα"', " lead"), ("cut\rhere", "two\nlines"), (1e-17, "")],
    )
    assert text.encode() == (
        b'a,b\n1,\n0.1,\n1,"x, y"\n"say ""Ly\xce\xb1"""," lead"\n"cut\rhere","two\nlines"\n1e-17,\n'
    )


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(WILD, min_size=2, max_size=2), min_size=1, max_size=4))
@example([["\ufeff", "\r"]])
@example([["", ""]])
def test_what_is_written_is_what_is_read(rows):
    text = csv_text(("a", "b"), rows)
    assert [fields for _, fields in records(text)][1:] == rows


def test_a_byte_order_mark_crlf_and_blank_lines_are_no_hindrance():
    assert list(records('\ufeffa,b\r\n\r\n1,"x\r\ny"\r\n2,z\r\n')) == [
        (1, ["a", "b"]),
        (3, ["1", "x\r\ny"]),
        (5, ["2", "z"]),
    ]
    assert first_record('\ufeffa ,"b"\r\n1,2\n') == ["a", "b"]
    assert first_record('"open') == []
    assert first_record("") == []


def test_an_open_quote_is_an_error_and_not_a_guess():
    with pytest.raises(csv.Error):
        list(records('a,b\n1,"never closed\n2,3\n'))


def test_one_line():
    assert one_line(" a\n b\x00c\u2028d ") == "a b c d"
