"""A file is there whole or not at all."""

import gzip

import pytest

from qnet_tui.errors import QnetError
from qnet_tui.whole_files import whole_file, write_whole


def test_it_appears_when_the_block_ends(tmp_path):
    path = tmp_path / "a.txt"
    with whole_file(path) as temporary:
        temporary.write_text("new")
        assert not path.exists()
    assert path.read_text() == "new"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError, OSError])
def test_what_was_there_stays_when_the_block_fails(tmp_path, error):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def write():
        with whole_file(path) as temporary:
            temporary.write_text("half")
            raise error

    with pytest.raises(QnetError if error is OSError else error):
        write()
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(QnetError, match=r"nowhere/a\.txt: cannot be written: No such file or directory; check"):
        write_whole(tmp_path / "nowhere" / "a.txt", b"x")
    (tmp_path / "folder").mkdir()
    with pytest.raises(QnetError, match="folder: cannot be written"):
        write_whole(tmp_path / "folder", b"x")


def test_gzip_has_no_clock_in_it(tmp_path):
    write_whole(tmp_path / "a.gz", b"spectra")
    write_whole(tmp_path / "b.gz", b"spectra")
    assert (tmp_path / "a.gz").read_bytes() == (tmp_path / "b.gz").read_bytes()
    assert gzip.decompress((tmp_path / "a.gz").read_bytes()) == b"spectra"
