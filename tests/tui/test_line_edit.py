"""The one line at the bottom: typing, moving, and a long text seen about its cursor."""

import pytest

from qnet_tui.tui.line_edit import LineEdit
from qnet_tui.tui.tones import Tone, plain, width


def begin(text="", length=100):
    return LineEdit.begin("comment", "comment", text, length)


def test_typing_and_moving():
    line = begin().typed("ac").edited("left").typed("b").edited("end").typed("d").edited("home").typed("_")
    assert (line.text, line.cursor) == ("_abcd", 1)


@pytest.mark.parametrize(
    ("key", "text", "cursor"),
    [
        ("backspace", "ad", 1), ("ctrl+h", "ad", 1), ("delete", "ab", 2), ("ctrl+d", "ab", 2), ("ctrl+u", "d", 0),
        ("ctrl+k", "ab", 2), ("left", "abd", 1), ("right", "abd", 3), ("home", "abd", 0), ("end", "abd", 3),
        ("f5", "abd", 2), ("up", "abd", 2),
    ],
)  # fmt: skip
def test_editing(key, text, cursor):
    line = begin("abd").edited("left").edited(key)
    assert (line.text, line.cursor) == (text, cursor)


def test_the_ends_are_safe():
    assert begin().edited("backspace").edited("left").edited("delete") == begin()
    assert begin("x" * 200).text == "x" * 100
    assert begin("abc", 5).typed("defgh").text == "abcde"


def test_only_what_takes_one_column_is_typed():
    assert begin().typed("a\x1b[31m\tb\u4e2dc").text == "a[31mbc"


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize("moves", [0, 60, 100])
def test_a_row_shows_the_cursor_and_is_as_wide_as_the_screen(columns, moves):
    line = begin("".join(chr(33 + n % 90) for n in range(100)))
    for _ in range(moves):
        line = line.edited("left")
    row = line.row(columns)
    assert width(row) == columns
    (under,) = [text for text, tone in row if tone is Tone.CHOSEN]
    assert under == (line.text + " ")[line.cursor]
    assert plain(row).startswith(" comment ")
    assert plain(row).endswith("Enter keeps it, Esc leaves ")


def test_a_redshift_is_typed_anew_and_a_comment_is_gone_on_with():
    z = LineEdit.begin("z", "z", "0.7482", 12)
    assert z.typed("2").typed(".3").text == "2.3"
    assert z.edited("backspace").typed("9").text == "0.7489"
    assert LineEdit.begin("comment", "comment", "weak", 100).typed(" line").text == "weak line"
