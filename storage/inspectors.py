"""Who inspects: a short code for each person, tied to an account of the machine once."""

import re
import uuid
from dataclasses import dataclass

from storage.connection import fetch, transaction
from storage.entries import Entry
from storage.errors import Refused
from storage.ledger import write
from storage.settings import get_setting
from storage.times import utc_now
from storage.workspace import Workspace

_CODE = re.compile(r"[A-Za-z][A-Za-z0-9]{1,9}")


@dataclass(frozen=True)
class Inspector:
    """One person; ``os_user`` is the account that may vote under the code, "" for one known from files only."""

    code: str
    os_user: str
    name: str
    added_at: str


def add_inspector(ws: Workspace, code: str, os_user: str, name: str = "") -> Inspector:
    """Register a person; harmless when the same code and account are registered.

    Args:
        ws: the workspace.
        code: 2 to 10 letters or digits, a letter first; no underscore, because file names of inspections end
            in ``_CODE``. Upper and lower case do not make two codes.
        os_user: the account; "" for somebody whose votes come from a file. Such a code belongs to nobody until
            an account claims it by this same call.
        name: the person's name.

    Returns:
        The person as registered; for ``os_user`` "" whoever has the code.

    Raises:
        Refused: the code is badly formed or another account's, or the account has a code already and the
            campaign has no shared accounts.

    """
    if not _CODE.fullmatch(code):
        raise Refused(f"{code!r} is no inspector code", mend="use 2 to 10 letters or digits, a letter first")
    with transaction(ws.db) as connection:
        known = [Inspector(*row) for row in connection.execute(_SELECT).fetchall()]
        same = next((one for one in known if one.code.lower() == code.lower()), None)
        if same is not None:
            if os_user in ("", same.os_user):
                return same
            if same.os_user:
                raise Refused(f"the code {same.code} belongs to account {same.os_user}", mend="use another")
            code, name = same.code, name or same.name
        mine = [one.code for one in known if os_user and one.os_user == os_user]
        if mine and not get_setting(ws, "shared_account"):
            raise Refused(
                f"account {os_user} has the code {mine[0]}",
                mend=f"vote as {mine[0]}, or allow several with 'qnet campaign set shared_account true'",
            )
        entry = Entry(
            uid=uuid.uuid4().hex, at=utc_now(), kind="inspector", by=code, body={"os_user": os_user, "name": name}
        )
        write(connection, ws.journal_dir, [entry])
        return Inspector(code, os_user, name, same.added_at if same is not None else entry.at)


def inspectors(ws: Workspace) -> list[Inspector]:
    """Return everybody registered, by code."""
    return [Inspector(*row) for row in fetch(ws.db, _SELECT)]


def inspector_for(ws: Workspace, os_user: str, code: str | None = None) -> Inspector:
    """Return who votes: the one with ``code`` if that is this account's, else the account's only code.

    Raises:
        Refused: nobody, somebody else's code, or several codes to choose from; the line says what to do.

    """
    known = inspectors(ws)
    mine = [one for one in known if one.os_user == os_user]
    if code is not None:
        named = [one for one in known if one.code.lower() == code.lower()]
        if not named:
            raise Refused(f"there is no inspector {code}", mend=f"add one with 'qnet vi inspectors add {code}'")
        if not named[0].os_user:
            raise Refused(
                f"the code {named[0].code} is known from files only",
                mend=f"if it is yours, claim it with 'qnet vi inspectors add {named[0].code}'",
            )
        if named[0].os_user != os_user:
            raise Refused(f"the code {named[0].code} belongs to account {named[0].os_user}", mend="use your own")
        return named[0]
    if not mine:
        raise Refused(f"account {os_user} has no inspector code", mend="add one with 'qnet vi inspectors add CODE'")
    if len(mine) > 1:
        raise Refused(
            f"account {os_user} has the codes {', '.join(one.code for one in mine)}",
            mend="choose with '--as CODE'",
        )
    return mine[0]


def registered_code(ws: Workspace, code: str) -> str:
    """Return a code as it is registered.

    Raises:
        Refused: it is not.

    """
    rows = fetch(ws.db, "SELECT code FROM inspector WHERE code = ?", (code,))
    if not rows:
        raise Refused(f"there is no inspector {code}", mend=f"add one with 'qnet vi inspectors add {code}'")
    return str(rows[0][0])


_SELECT = "SELECT code, os_user, name, added_at FROM inspector ORDER BY code"
