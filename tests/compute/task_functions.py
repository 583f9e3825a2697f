"""What the tests have worker processes do; imported by them by name."""

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from qnet_tui.errors import BadInput

AN_OBJECT = "not a function"


def square(x: int) -> int:
    return x * x


def nap(seconds: float, value: Any = None) -> Any:
    time.sleep(seconds)
    return value


def environment(names: list[str]) -> dict[str, str | None]:
    return {n: os.environ.get(n) for n in names}


def draw(seed: int) -> list[float]:
    import numpy as np

    return np.random.default_rng(seed).random(3).tolist()


def chatter() -> None:
    print("said on stdout", flush=True)
    print("said on stderr", file=sys.stderr, flush=True)
    os.write(2, b"written to descriptor 2\n")


def bad_input() -> None:
    raise BadInput("column Z is\nmissing", file="truth.csv", row=3, mend="name it Z")


def crash() -> None:
    raise RuntimeError("a library\nis unhappy")


def leave() -> None:
    sys.exit(3)


def unpicklable() -> Any:
    return lambda: None


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_first_time(mark: str) -> str:
    """Killed while it runs for the first time, as by the kernel when memory is short."""
    if not Path(mark).exists():
        Path(mark).write_text("")
        die()
    return "second time"


def hoard(mebibytes: int) -> int:
    hold = bytearray(mebibytes * 2**20)
    hold[::4096] = b"x" * len(hold[::4096])
    time.sleep(30)
    return len(hold)


def leave_pid(folder: str, number: int, seconds: float) -> int:
    Path(folder, f"pid-{os.getpid()}").write_text("")
    time.sleep(seconds)
    return number


def refuse_to_be_read() -> None:
    raise ImportError("no such thing here")


class Unreadable:
    """An argument that the driver can send and no worker can read."""

    def __reduce__(self) -> tuple[Any, tuple[()]]:
        return refuse_to_be_read, ()


def die_when_performed(*_arguments: Any) -> None:
    die()


def crash_when_performed(*_arguments: Any) -> None:
    raise OSError(28, "No space left on device")
