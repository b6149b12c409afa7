"""The exact commands and option lines of actions (`domain.md` sections 4.3, 6.5 and 6.6).

Every name is quoted for a shell, and no command carries a password.
"""

from shlex import quote
from typing import Final

from planner.domain.fleet import AccountKind
from planner.domain.options import Option

CLIENT_DATABASE: Final = "dsmcert.kdb"
SERVER_DATABASE: Final = "cert.kdb"

_COMMAND_OF_KIND: Final = {
    AccountKind.NODE: "NODE",
    AccountKind.ADMIN: "ADMIN",
    AccountKind.SERVER: "SERVER",
}


def import_by_dsmcert(name: str, file: str) -> str:
    """Return the import of a trust anchor on a new client, kept under a name.

    Examples
    --------
    >>> import_by_dsmcert("keeper", "company-root.arm")
    'dsmcert -add -server keeper -file company-root.arm'
    """
    return f"dsmcert -add -server {quote(name)} -file {quote(file)}"


def import_by_gsk8capicmd(label: str, file: str, *, database: str) -> str:
    """Return the import of a trust anchor on an old client, a storage agent or a server."""
    return (
        f"gsk8capicmd_64 -cert -add -db {database} -stashed -format ascii "
        f"-label {quote(label)} -file {quote(file)}"
    )


def remove(label: str, *, database: str) -> str:
    """Return the removal of a certificate from a key database."""
    return f"gsk8capicmd_64 -cert -delete -db {database} -stashed -label {quote(label)}"


def option_line(option: Option, value: str) -> str:
    """Return the line of the client's options file; empty for the default of a port.

    Examples
    --------
    >>> from planner.domain.options import SSL
    >>> option_line(SSL, "y"), option_line(SSL, "")
    ('SSL Yes', 'SSL No')
    """
    if not option.choices:
        return f"{option.name} {quote(value)}" if value else ""
    code = option.code_of(value)
    return f"{option.name} {option.choices[code] if code is not None else quote(value)}"


def present(label: str, *, overlaps: bool) -> str:
    """Return the change of the certificate that a server presents.

    Parameters
    ----------
    overlaps
        Whether the server's level is at least 8.1.19, where a command of the server does it.
    """
    if overlaps:
        return f"SET DEFAULTTLSCERT {quote(label)}"
    return f"gsk8capicmd_64 -cert -setdefault -db {SERVER_DATABASE} -stashed -label {quote(label)}"


def set_session_security(kind: AccountKind, account: str, value: str) -> str:
    """Return the change of an account's session security."""
    return (
        f"UPDATE {_COMMAND_OF_KIND[kind]} {quote(account)} SESSIONSECURITY={quote(value.upper())}"
    )


def set_authentication(kind: AccountKind, account: str, value: str) -> str:
    """Return the change of where an account's password is kept; without account, the default.

    A server definition has no such setting, so there is no command for one.
    """
    method = quote(value.upper())
    if not account:
        return f"SET DEFAULTAUTHENTICATION {method}"
    if kind is AccountKind.SERVER:
        return ""
    return f"UPDATE {_COMMAND_OF_KIND[kind]} {quote(account)} AUTHENTICATION={method}"
