"""qnet spec: any spectrum file in the terminal, without a workspace."""

import os
import sys
from pathlib import Path

import typer

from qnet_tui.cli.output import JsonOption, emit


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command()(spec)


def spec(
    ctx: typer.Context,
    file: Path = typer.Argument(..., metavar="FILE", help="A DESI coadd- or spectra-, or an SDSS spec- file; .gz too."),
    identity: str | None = typer.Option(None, "--targetid", metavar="ID", help="TARGETID or PLATE-MJD-FIBERID."),
    row: int | None = typer.Option(None, "--row", help="Row of the file, from 0  [default: the first with data]"),
    z: float | None = typer.Option(None, "--z", help="Redshift of the lines  [default: the pipeline's]"),
    fit: bool = typer.Option(False, "--fit", help="Fit the redshift near --z or the pipeline's."),
    lines: str = typer.Option("major", "--lines", help="major, all, network or off."),
    smooth: float = typer.Option(3.0, "--smooth", help="Gaussian in pixels, 0 to 26, of the plot as text."),
    charset: str | None = typer.Option(None, help="braille, block or ascii  [default: what the locale can show]"),
    width: int | None = typer.Option(None, help="Columns of the plot as text  [default: 80]"),
    height: int | None = typer.Option(None, help="Rows of the plot as text  [default: 20]"),
    as_text: bool = typer.Option(False, "--plain", help="One plot as text, no screen; so it is in a pipe."),
    as_json: bool = JsonOption,
) -> None:
    """Look at any spectrum file, no workspace. Example: qnet spec coadd-0-80605-thru20210205.fits --row 3"""
    from qnet_tui.errors import BadInput
    from qnet_tui.workflows.spectrum_file import SpecOptions, line_choice

    if identity is not None and row is not None:
        raise BadInput("--targetid and --row are two ways to say the same", mend="give one of them")
    options = SpecOptions(identity=identity, row=row, z=z, fit=fit, lines=line_choice(lines), charset=charset)
    sized = width is not None or height is not None
    if not (as_json or as_text or sized) and _can_show_screens():
        raise typer.Exit(ctx.obj.spec(file, options))
    from qnet_tui.workflows.spectrum_report import report, report_lines

    made = report(file, options, width=width or 80, height=height or 20, smoothing=smooth)
    emit(made, as_json, report_lines(made, charset) if not as_json else ())


def _can_show_screens() -> bool:
    """Whether all three streams are a terminal that understands more than text."""
    streams = (sys.stdin, sys.stdout, sys.stderr)
    return all(stream.isatty() for stream in streams) and os.environ.get("TERM", "") not in ("", "dumb", "unknown")
