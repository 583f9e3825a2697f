"""Commands of the merger: merge, and how well the inspectors agree."""

import getpass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from qnet_tui.cli.campaign import find_workspace
from qnet_tui.cli.inspection import vi_app
from qnet_tui.cli.output import JsonOption, WorkspaceOption, emit, number, table

if TYPE_CHECKING:
    from qnet_tui.workflows.merge import MergeOptions, MergeSession

RoundOption = typer.Option(None, "--round", help="Only this round  [default: all]")


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command()(merge)
    vi_app.command("agreement")(agreement)


def merge(
    ctx: typer.Context,
    workspace: Path | None = WorkspaceOption,
    accept_agreed: bool = typer.Option(False, "--accept-agreed", help="Merge what the inspectors agree on."),
    unseen: bool = typer.Option(False, "--unseen", help="Without a look at a random tenth; recorded."),
    list_cases: bool = typer.Option(False, "--list", help="Every case with its state, votes and proposal."),
    show: str | None = typer.Option(None, "--show", metavar="ID", help="One case: its votes and its spectrum."),
    settle: str | None = typer.Option(
        None, "--settle", metavar="TEXT", help='"ID CLASS Z QUALITY [ISSUES] [COMMENT]", or ID with --take.'
    ),
    take: str | None = typer.Option(None, "--take", metavar="VOTE", help="With --settle ID: proposal, A, B or C."),
    comment: str = typer.Option("", "--comment", help="With --settle ID --take: your comment."),
    names: bool = typer.Option(False, "--names", help="With --show, --settle: say who voted; recorded."),
    undo: bool = typer.Option(False, "--undo", help="Open my last merged label again."),
    rule: str | None = typer.Option(None, "--rule", help="qnet1 or desi2021  [default: the campaign's]"),
    round_number: int | None = RoundOption,
    code: str | None = typer.Option(None, "--as", metavar="CODE", help="Merger; needed the first time."),
    charset: str | None = typer.Option(None, help="braille, block or ascii  [default: what fits; --show: ascii]"),
    as_json: bool = JsonOption,
) -> None:
    """Settle what the inspectors said; alone it opens the screen. Example: qnet merge --as XYZ"""
    from qnet_tui.errors import BadInput
    from qnet_tui.inspection.answer import Refused
    from qnet_tui.workflows.merge import MergeOptions, MergeSession

    root = find_workspace(workspace)
    options = MergeOptions(code, round_number, charset, rule)
    verbs = {
        "--accept-agreed": accept_agreed,
        "--list": list_cases,
        "--undo": undo,
        "--show": show is not None,
        "--settle": settle is not None,
    }
    asked = [name for name, wanted in verbs.items() if wanted]
    if len(asked) > 1:
        raise typer.BadParameter(f"{' and '.join(asked)} are two things: one at a time")
    for name, given, needs in (
        ("--unseen", unseen, ["--accept-agreed"]),
        ("--take", take is not None, ["--settle"]),
        ("--comment", bool(comment), ["--settle"]),
        ("--names", names, ["--show", "--settle"]),
    ):
        if given and not set(asked) & set(needs):
            raise typer.BadParameter(f"{name} goes with {' or '.join(needs)}")
    if not asked:
        _open_screen(ctx, root, options, as_json=as_json)
    session = MergeSession.open(root, options, os_user=getpass.getuser())
    try:
        if accept_agreed:
            _accept(session, unseen=unseen, as_json=as_json)
        elif list_cases:
            _list(session, as_json=as_json)
        elif show is not None:
            _show(session, show, charset, names=names, as_json=as_json)
        elif settle is not None:
            _settle(session, settle, take, comment, names=names, as_json=as_json)
        else:
            _undo(session, as_json=as_json)
    except Refused as refusal:
        raise BadInput(str(refusal)) from refusal
    finally:
        session.close()


def agreement(
    workspace: Path | None = WorkspaceOption, round_number: int | None = RoundOption, as_json: bool = JsonOption
) -> None:
    """Show how well the inspectors agree. Example: qnet vi agreement --round 1"""
    from qnet_tui.workflows.agreement import agreement as verb

    result = verb(find_workspace(workspace), round_number=round_number)
    if not result.objects:
        emit(result, as_json, ["no object has two votes yet"])
        return
    lines = table(
        ("measure", "value", "95 % interval", "n", "of what"),
        [(one.name, one.value, _interval(one.low, one.high), one.n, one.of) for one in result.overall],
    )
    if result.pairs:
        lines += ["", *table(
            ("pair", "n", "same class", "95 % interval", "Cohen's kappa", "95 % interval", "same z", "n"),
            [(f"{pair.first} {pair.second}", pair.same_class.n, pair.same_class.value,
              _interval(pair.same_class.low, pair.same_class.high), pair.kappa.value,
              _interval(pair.kappa.low, pair.kappa.high), pair.same_z.value, pair.same_z.n) for pair in result.pairs],
        )]  # fmt: skip
    if result.inspectors:
        lines += ["", *table(
            ("inspector", "departs from merged", "95 % interval", "n", "class", "z", "quality"),
            [(one.inspector, one.any.value, _interval(one.any.low, one.any.high), one.any.n, number(one.by_class.value),
              number(one.by_z.value), number(one.by_quality.value)) for one in result.inspectors],
        )]  # fmt: skip
    emit(result, as_json, [*lines, "", *result.notes])


def _open_screen(ctx: typer.Context, root: Path, options: "MergeOptions", *, as_json: bool) -> None:
    if as_json:
        raise typer.BadParameter("--json goes with --list, --show, --settle, --undo or --accept-agreed")
    raise typer.Exit(ctx.obj.merge(root, options))


def _accept(session: "MergeSession", *, unseen: bool, as_json: bool) -> None:
    result = session.accept_agreed(unseen)
    good = session.settings.quality_good
    lines = [
        f"{result.merged} objects merged into the truth; {result.trainable} of quality >= {good:g} will train",
        f"  {result.already} were merged before, {result.conflicts} in conflict, {result.open} wait for votes",
    ]
    lines += [f"  {result.left} agreed ones wait for a merger who did not vote on them"] if result.left else []
    lines += _stale(session)
    emit(result, as_json, lines)


def _list(session: "MergeSession", *, as_json: bool) -> None:
    from qnet_tui.workflows.merge_text import case_lines, proposal_words, vote_words

    found, counts = case_lines(session), session.counts()
    most: list[str] = max(([vote["name"] for vote in line.votes] for line in found), key=len, default=[])
    rows = []
    for line, case in zip(found, session.board().cases, strict=True):
        said = [vote_words(vote) for vote in line.votes] + [""] * (len(most) - len(line.votes))
        state = "agreed, look" if line.to_look else line.state
        rows.append((line.round, line.object, state, ", ".join(line.conflicts), *said, proposal_words(case.proposal)))
    below = [
        f"{counts.conflicts} conflicts, {counts.agreed} agreed ({counts.to_look} to be looked at), {counts.done} done,"
        f" {counts.open} wait for votes"
    ]
    below += _stale(session)
    emit(found, as_json, [*table(("round", "object", "state", "conflict of", *most, "proposal"), rows), *below])


def _show(session: "MergeSession", identity: str, charset: str | None, *, names: bool, as_json: bool) -> None:
    from qnet_tui.plotting.canvas import charset_named
    from qnet_tui.workflows.merge_text import case_json, case_text

    case = session.go_to(identity)
    case = session.show_names() if names else case
    if as_json:
        emit(case_json(session, case), True, [])
    else:
        emit(None, False, case_text(case, charset=charset_named(charset or "ascii")))


def _settle(session: "MergeSession", text: str, take: str | None, comment: str, *, names: bool, as_json: bool) -> None:
    from qnet_tui.inspection.merge_line import parse_merge, settled, taken
    from qnet_tui.workflows.merge_text import answer_words

    identity, _, rest = text.strip().partition(" ")
    if take is not None and rest.strip():
        raise typer.BadParameter("give --settle ID with --take, or --settle with the whole answer")
    typed = parse_merge(rest) if take is None else None
    case = session.go_to(identity)
    case = session.show_names() if names else case
    state = case.start
    if typed is not None:
        state = settled(state, typed)
    elif take is not None:
        state = taken(state, take, [vote.name for vote in case.votes])
    state = state.with_comment(comment) if comment else state
    saved = session.settle(state)
    words = answer_words(state.answer)
    emit(
        {"object": identity, "uid": saved.uid, "at": saved.at.isoformat(), "answer": state.answer},
        as_json,
        [f"merged {case.title} {words} at {saved.at:%H:%M:%S}"],
    )


def _undo(session: "MergeSession", *, as_json: bool) -> None:
    case = session.undo()
    emit({"object": case.title, "state": case.state}, as_json, [f"{case.title} is open again ({case.state})"])


def _interval(low: float | None, high: float | None) -> str:
    return "-" if low is None or high is None else f"{low:.3f}..{high:.3f}"


def _stale(session: "MergeSession") -> list[str]:
    names = session.stale()
    shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    return [f"  stale: {shown}: the truth has what was merged before a vote changed"] if names else []
