"""Time at work, idle gaps left out, and what it promises for the rest."""

from qnet_tui.inspection.pace import IDLE_CAP_S, ActiveTime, duration_words, usual_seconds


def test_a_telephone_call_counts_as_a_short_pause():
    time = ActiveTime().touched(100.0).touched(110.0).touched(5000.0)
    assert time.seconds == 10.0 + IDLE_CAP_S
    assert time.touched(4000.0).seconds == time.seconds


def test_a_draft_goes_on_counting():
    assert ActiveTime(12.0, 50.0).touched(53.0).seconds == 15.0


def test_the_usual_time_is_the_median_of_the_last_twenty():
    assert usual_seconds([30.0, 40.0]) is None
    assert usual_seconds([30.0, 40.0, 500.0]) == 40.0
    assert usual_seconds([1000.0] * 50 + [20.0] * 20) == 20.0


def test_durations_read_as_people_say_them():
    assert [duration_words(s) for s in (41, 59.6, 60, 27 * 60, 3 * 3600 + 600, 7200, 40 * 3600)] == [
        "41 s", "60 s", "1 min", "27 min", "3 h 10 min", "2 h", "40 h",
    ]  # fmt: skip
