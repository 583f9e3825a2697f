"""The templates there are on this machine: our own, and those of an installed redrock."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from qnet_tui.errors import QnetError
from qnet_tui.spectra.redrock_templates import installed_folder, read_template, template_files
from qnet_tui.spectral_lines.templates import Template, own_templates


def templates_here() -> tuple[Template, ...]:
    """Return our own templates, then the installed ones; one that cannot be read is left out. Never raises.

    All can be drawn; a fit takes our own as long as there are any of the class.
    """
    folder = installed_folder()
    return own_templates() + (_installed(folder) if folder is not None else ())


@lru_cache(maxsize=2)
def _installed(folder: Path) -> tuple[Template, ...]:
    made: list[Template] = []
    try:
        files = template_files(folder)
    except OSError:
        return ()
    for path in files:
        try:
            read = read_template(path)
        except (QnetError, OSError, ValueError):
            continue
        # Eigenspectra bend to almost anything near a redshift: on DR12Q our own give the better local fit.
        made.append(Template(read.name, read.spectype, read.wavelength, read.basis, fitted=False))
    return tuple(made)
