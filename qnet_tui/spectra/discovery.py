"""Which files are spectra, of the paths that a user names; what every other one is.

A user names files, folders (taken with all that is below them), patterns such as
``tiles/*/coadd-*.fits.gz`` and lists: ``@FILE`` is a text file of such paths, one a line, ``#`` starting a
comment.
"""

import glob
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from qnet_tui.errors import BadInput, QnetError
from qnet_tui.spectra.recognise import recognise


@dataclass(frozen=True)
class Found:
    """The spectra files among the paths named, and every other file with what it is; sorted, none twice."""

    spectra: list[Path]
    left: list[tuple[Path, str]]


def _nobody(_n: int) -> None:
    """Hear how many files were looked at, and do nothing."""


def find_files(paths: Sequence[str | Path], looked_at: Callable[[int], None] = _nobody) -> Found:
    """Find the spectra files among files, folders, patterns and @lists; paths come back absolute.

    A file that is reached in two ways, also through a link, is listed once. BadInput when something named
    explicitly does not exist, when a pattern matches nothing, or when a file named explicitly is empty or
    damaged; damaged files met in folders, patterns and lists are left with the reason. ``looked_at`` is told how
    many files were looked at so far.
    """
    spectra: dict[Path, Path] = {}
    left: dict[Path, tuple[Path, str]] = {}
    for path, explicit in _candidates(paths):
        real = Path(os.path.realpath(path))
        if real in spectra or real in left:
            continue
        looked_at(len(spectra) + len(left))
        what = _unreadable(path)
        if not what:
            try:
                kind = recognise(path)
            except QnetError as error:
                what = error.what
            else:
                if kind.survey:
                    spectra[real] = path
                    continue
                if kind.damaged and explicit:
                    raise BadInput(kind.what, mend="copy or download the file again", file=path)
                what = kind.what
        left[real] = (path, what)
    looked_at(len(spectra) + len(left))
    return Found(sorted(spectra.values()), sorted(left.values()))


def _candidates(paths: Iterable[str | Path]) -> Iterator[tuple[Path, bool]]:
    """Every file meant, absolute, and whether it was named by its own name."""
    for named in paths:
        text = str(named)
        if text.startswith("@") and not os.path.lexists(text):
            for path in _listed(Path(text[1:]).expanduser()):
                yield path, False
        else:
            yield from _expand(text)


def _expand(text: str) -> Iterator[tuple[Path, bool]]:
    """The files meant by one path or pattern."""
    path = Path(text).expanduser()
    if path.is_dir():
        for below in _walk(path):
            yield below, False
    elif os.path.lexists(path):
        yield path.absolute(), True
    elif glob.has_magic(text):
        matches = sorted(glob.glob(str(path), recursive=True))  # noqa: PTH207 (Path.glob takes no absolute one)
        if not matches:
            raise BadInput("no file matches this pattern", mend="check the pattern", file=text)
        for match in matches:
            if Path(match).is_dir():
                for below in _walk(Path(match)):
                    yield below, False
            else:
                yield Path(match).absolute(), False
    else:
        raise BadInput("no such file or folder", mend="check the path", file=text)


def _listed(list_file: Path) -> Iterator[Path]:
    """The files meant by a list; relative paths start at the current folder, else at that of the list."""
    try:
        lines = list_file.read_text(encoding="utf-8").splitlines()
    except (FileNotFoundError, IsADirectoryError) as error:
        raise BadInput("no such list of files", mend="name a text file after @", file=list_file) from error
    except UnicodeDecodeError as error:
        raise BadInput("is not a text file", mend="name a list of paths after @", file=list_file) from error
    except OSError as error:
        raise QnetError(f"cannot be read ({error.strerror or error})", file=list_file) from error
    for number, line in enumerate(lines, start=1):
        entry = line.split("#")[0].strip()
        if not entry:
            continue
        beside = list_file.parent / entry
        text = str(beside) if not os.path.lexists(entry) and os.path.lexists(beside) else entry
        try:
            for path, _ in _expand(text):
                yield path
        except BadInput as error:
            what = f"{entry}: {error.what}"
            raise BadInput(what, mend="correct the list", file=list_file, row=number) from error


def _walk(folder: Path) -> Iterator[Path]:
    """Every file below a folder, links to folders followed, each folder once; then folders closed to us."""
    seen: set[tuple[int, int]] = set()
    closed: list[OSError] = []
    for directory, folders, files in os.walk(folder.absolute(), onerror=closed.append, followlinks=True):
        status = Path(directory).stat()
        if (status.st_dev, status.st_ino) in seen:
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        folders.sort()
        for name in sorted(files):
            yield Path(directory, name)
    yield from (Path(error.filename) for error in closed)


def _unreadable(path: Path) -> str:
    """Why a path must not even be opened, "" for a regular file: opening a pipe would wait for ever."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return "a link to a file that is not there"
    except OSError as error:
        return f"cannot be read ({error.strerror or error})"
    if stat.S_ISDIR(mode):
        return "a folder that cannot be read"
    return "" if stat.S_ISREG(mode) else "not a regular file"
