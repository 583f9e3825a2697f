"""The campaign's own file of votes: exact both ways, refused by line where it is damaged."""

from dataclasses import fields

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qnet_tui.inspection.own_votes import (
    COLUMNS,
    NotOwnVotes,
    OwnVote,
    campaign_of,
    is_own_votes,
    origin_of,
    own_votes_csv,
    read_own_votes,
)

VOTE = OwnVote(
    survey="desi", identity="39627640483350787", targetid=39627640483350787, campaign="guadalupe", round=2, rank=7,
    entropy=1.584962500721156, inspector="ABC", spectype="QSO", z=2.2691372, z_error=0.00031, z_source="fit",
    quality=4, issues="CR", comment='Lyα, "broad"', tags="masked", committed_at="2026-03-01T12:00:00.000000Z",
    active_seconds=41.5, blind_peers=True, blind_model=False, app_version="0.1", origin="", superseded=False,
    withdrawn=True, uid="0123456789abcdef0123456789abcdef",
)  # fmt: skip


def test_fixed_bytes():
    assert own_votes_csv([VOTE]).encode() == (
        b"SURVEY,ID,TARGETID,campaign,round,selection_rank,entropy,inspector,VI_SPECTYPE,VI_Z,z_error,z_source,"
        b"VI_QUALITY,VI_ISSUE,VI_COMMENT,tags,committed_at,active_seconds,blind_peers,blind_model,app_version,origin,"
        b"superseded,withdrawn,uid\n"
        b"desi,39627640483350787,39627640483350787,guadalupe,2,7,1.584962500721156,ABC,QSO,2.2691372,0.00031,fit,"
        b'4,CR,"Ly\xce\xb1, ""broad""",masked,2026-03-01T12:00:00.000000Z,41.5,1,0,0.1,,0,1,'
        b"0123456789abcdef0123456789abcdef\n"
    )
    assert len(COLUMNS) == len(fields(OwnVote))


WILD = st.text(st.characters(codec="utf-8"), max_size=40)


@st.composite
def own_votes(draw):
    z = draw(st.none() | st.floats(-0.01, 7.0))
    survey, identity, targetid = draw(
        st.sampled_from([("desi", "39", 39), ("sdss", "T12", None), ("sdss", "P3655-55240-184", None)])
    )
    return OwnVote(
        survey=survey,
        identity=identity,
        targetid=targetid,
        campaign=draw(WILD),
        round=draw(st.integers(1, 99)),
        rank=draw(st.none() | st.integers(1, 10**6)),
        entropy=draw(st.none() | st.floats(0, 1.6)),
        inspector=draw(st.from_regex(r"\A[A-Za-z][A-Za-z0-9]{1,9}\Z")),
        spectype=draw(st.sampled_from([None, "STAR", "GALAXY", "QSO"])),
        z=z,
        z_error=None if z is None else draw(st.none() | st.floats(0, 1)),
        z_source=draw(st.sampled_from(["", "typed", "line", "fit", "pipeline"])),
        quality=draw(st.integers(0, 4)),
        issues=draw(st.sampled_from(["", "C", "CR", "CRS", "S"])),
        comment=draw(WILD),
        tags=draw(WILD),
        committed_at=f"2026-03-01T12:00:{draw(st.integers(0, 59)):02d}.000000Z",
        active_seconds=draw(st.floats(0, 1e6)),
        blind_peers=draw(st.booleans()),
        blind_model=draw(st.booleans()),
        app_version=draw(WILD),
        origin=draw(WILD),
        superseded=draw(st.booleans()),
        withdrawn=draw(st.booleans()),
        uid=draw(st.uuids()).hex,
    )


@settings(max_examples=100, deadline=None)
@given(st.lists(own_votes(), max_size=4))
def test_what_is_written_is_what_is_read_and_written_again(votes):
    text = own_votes_csv(votes)
    good, bad = read_own_votes(text)
    assert bad == []
    assert [vote for _, vote in good] == sorted(votes, key=OwnVote.sort_key)
    assert own_votes_csv([vote for _, vote in reversed(good)]) == text


def changed(**cells):
    header, row = own_votes_csv([VOTE]).splitlines()
    names = header.split(",")
    fields = ["desi", "39627640483350787", "39627640483350787", *row.split(",")[3:]]
    plain = row.replace('"Lyα, ""broad"""', "").split(",")
    assert len(plain) == len(names), fields
    for name, value in cells.items():
        plain[names.index(name)] = value
    return f"{header}\n{','.join(plain)}\n"


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("SURVEY", "2df", "SURVEY '2df' is none of desi, sdss"),
        ("ID", "x", "ID 'x'"),
        ("ID", "", "ID ''"),
        ("inspector", "A_B", "inspector 'A_B'"),
        ("uid", "x y", "uid 'x y'"),
        ("VI_Z", "7.5", "outside -0.01 to 7"),
        ("VI_Z", "nan", "VI_Z nan is outside"),
        ("VI_Z", "two", "VI_Z 'two' is no number"),
        ("VI_QUALITY", "2.5", "VI_QUALITY '2.5' is no whole number"),
        ("VI_QUALITY", "5", "outside 0 to 4"),
        ("VI_QUALITY", "", "never empty"),
        ("round", "0", "round 0 is outside"),
        ("VI_ISSUE", "X", "letters of RCS"),
        ("VI_SPECTYPE", "BLAZAR", "none of STAR, GALAXY, QSO"),
        ("z_source", "guess", "none of typed, line, fit, pipeline"),
        ("committed_at", "yesterday", "no ISO 8601 time"),
        ("withdrawn", "yes", "withdrawn 'yes'"),
        ("TARGETID", "3.9e16", "no whole number"),
    ],
)
def test_a_row_that_cannot_be_is_refused_with_its_line(name, value, says):
    good, bad = read_own_votes(changed(**{name: value}))
    assert good == []
    ((line, reason),) = bad
    assert line == 2
    assert says in reason


def test_columns_may_be_missing_or_moved():
    text = (
        "uid,VI_QUALITY,round,committed_at,inspector,ID,SURVEY,mine\n"
        "12345678,3,1,2026-01-01T00:00:00Z,ABC,T12,sdss,what I added\n"
        "12345679,3,1,2026-01-01T00:00:00Z,ABC,T12\n"
    )
    ((line, vote),), bad = read_own_votes("\ufeff" + text.replace("\n", "\r\n"))
    assert (line, vote.identity, vote.z, vote.comment, vote.blind_peers) == (2, "T12", None, "", False)
    assert bad == [(3, "6 fields where the header has 8")]
    with pytest.raises(NotOwnVotes, match="lacks the column inspector, uid"):
        read_own_votes("VI_QUALITY,round,committed_at,ID,SURVEY\n1,1,x,y,z\n")
    with pytest.raises(NotOwnVotes, match="column uid twice"):
        read_own_votes(text.replace("mine", "uid"))
    with pytest.raises(NotOwnVotes, match="after line 2"):
        read_own_votes(text.replace("12345679", '"12345679'))


def test_what_it_is_known_by():
    assert is_own_votes(COLUMNS)
    assert not is_own_votes(["TARGETID", "VI_scanner", "VI_quality"])
    assert campaign_of(origin_of("my|campaign".replace("|", "-"), "prospect:a|b.csv")) == (
        "my-campaign",
        "prospect:a|b.csv",
    )
    assert campaign_of("prospect:a.csv") is None
