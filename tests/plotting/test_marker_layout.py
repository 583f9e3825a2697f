"""Names of lines on two lanes: none touches another."""

from hypothesis import given
from hypothesis import strategies as st

from qnet_tui.plotting.marker_layout import lay_out


@given(
    st.lists(
        st.tuples(st.sampled_from(["Lyα", "N V", "C IV", "[O III]", "H", ""]), st.integers(-3, 90), st.integers(0, 9))
    ),
    st.integers(1, 80),
    st.integers(1, 3),
)
def test_names_never_collide_and_never_leave_the_plot(lines, width, lanes):
    names, columns, ranks = ([line[part] for line in lines] for part in range(3))
    placed = lay_out(names, columns, ranks, width, lanes)
    rows = [[" "] * width for _ in range(lanes)]
    for one in placed:
        for offset, character in enumerate(one.text):
            assert rows[one.lane][one.start + offset] == " "
            rows[one.lane][one.start + offset] = character or "x"
        before, after = one.start - 1, one.start + len(one.text)
        for other in placed:
            if other is not one and other.lane == one.lane:
                assert not other.start <= before < other.start + len(other.text)
                assert not other.start <= after < other.start + len(other.text)
        assert names[one.marker] == one.text
        assert 0 <= columns[one.marker] < width


def test_the_more_important_name_gets_its_place():
    placed = lay_out(["N V", "Lyα", "Si II*"], [11, 10, 10], [5, 0, 9], 20, 1)
    assert [one.text for one in placed] == ["Lyα"]


def test_the_second_lane_takes_what_the_first_cannot():
    placed = lay_out(["Lyα", "N V"], [10, 11], [0, 1], 20)
    assert [(one.text, one.lane) for one in placed] == [("Lyα", 0), ("N V", 1)]


def test_the_two_lines_of_a_doublet_are_named_once():
    assert len(lay_out(["[O II]", "[O II]"], [30, 31], [0, 1], 60)) == 1
    assert len(lay_out(["He II", "He II"], [10, 50], [0, 1], 60)) == 2


def test_names_at_the_edge_are_shifted_inwards():
    placed = lay_out(["Mg II", "C IV"], [19, 0], [0, 1], 20)
    assert {(one.text, one.start) for one in placed} == {("Mg II", 15), ("C IV", 0)}
