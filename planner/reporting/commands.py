"""The exact commands and option lines of actions (`domain.md` sections 4.3, 6.5 and 6.6).

Every name is quoted for the shell of its platform, and no command carries a password, nor deletes a
key database. Without a place a command is short, for somebody who knows where the tools lie.
"""

import re
from pathlib import PurePosixPath, PureWindowsPath
from shlex import quote
from typing import Final

from planner.domain.fleet import AccountKind
from planner.domain.options import Option
from planner.domain.platforms import Place, Platform

CLIENT_DATABASE: Final = "dsmcert.kdb"
SERVER_DATABASE: Final = "cert.kdb"
TRUSTSTORE: Final = "gui-truststore.jks"
"""The Operations Center's, in `ui/Liberty/usr/servers/guiServer` of its installation (documented
for 8.1.10 and 8.2.2; the file's name inferred)."""
SELF_SIGNED_LABEL: Final = "TSM Server SelfSigned SHA Key"
"""Label of the certificate that a server makes for itself (RENEW8124)."""

_COMMAND_OF_KIND: Final = {
    AccountKind.NODE: "NODE",
    AccountKind.ADMIN: "ADMIN",
    AccountKind.SERVER: "SERVER",
}


def quoted_for(platform: Platform, word: str) -> str:
    """Quote one word for the shell of a platform: the POSIX shell, or the prompt of Windows.

    Examples
    --------
    >>> print(quoted_for(Platform.LINUX, "a b"), quoted_for(Platform.WINDOWS, "a b"))
    'a b' "a b"
    """
    if platform is not Platform.WINDOWS:
        return quote(word)
    if word and re.fullmatch(r"[\w.:\\/@+-]+", word, re.ASCII):
        return word
    # First for the program, as CommandLineToArgvW takes it apart: backslashes before a quotation
    # mark, or at the end, are doubled.
    escaped = re.sub(r'(\\*)"', r'\1\1\\"', word)
    escaped = re.sub(r"(\\+)$", r"\1\1", escaped)
    escaped = f'"{escaped}"'
    if not re.search(r'[%!^&|<>"\n]', word):
        return escaped
    # Then for the prompt, which reads some signs even inside quotation marks.
    return re.sub(r'([()%!^"<>&|])', r"^\1", escaped)


def import_by_dsmcert(name: str, file: str, *, place: Place | None = None) -> str:
    """Return the import of a trust anchor on a new client, kept under a name.

    Examples
    --------
    >>> import_by_dsmcert("keeper", "company-root.arm")
    'dsmcert -add -server keeper -file company-root.arm'
    """
    return _line(place, "dsmcert", "-add", "-server", name, "-file", file)


def import_by_gsk8capicmd(
    label: str, file: str, *, database: str, place: Place | None = None
) -> str:
    """Return the import of a trust anchor on an old client, a storage agent or a server."""
    words = ("-stashed", "-format", "ascii", "-label", label, "-file", file)
    return _line(place, "gsk8capicmd_64", "-cert", "-add", "-db", _path(place, database), *words)


def import_by_keytool(alias: str, file: str, *, place: Place | None = None) -> str:
    """Return the import of a trust anchor into the truststore of an Operations Center.

    Examples
    --------
    >>> import_by_keytool("keeper", "company-root.arm")
    'keytool -importcert -alias keeper -file company-root.arm -keystore gui-truststore.jks'
    """
    return _keytool(place, "-importcert", "-alias", alias, "-file", file)


def list_truststore(*, place: Place | None = None) -> str:
    """Return the listing of what the truststore of an Operations Center holds."""
    return _keytool(place, "-list")


def remove_by_keytool(alias: str, *, place: Place | None = None) -> str:
    """Return the removal of one certificate from the truststore of an Operations Center."""
    return _keytool(place, "-delete", "-alias", alias)


def _keytool(place: Place | None, *words: str) -> str:
    """Return a command of keytool, which asks for the truststore's password by itself."""
    platform = Platform.UNKNOWN if place is None else place.platform
    line = ("keytool", *words, "-keystore", _path(place, TRUSTSTORE))
    return " ".join(quoted_for(platform, word) for word in line)


def make_database(*, database: str, place: Place | None = None) -> str:
    """Return the making of a client's key database where there is none yet.

    GSKit makes up the password and keeps it beside the key database, so that nobody writes one.
    """
    words = ("-populate", "-db", _path(place, database), "-genpw", "-stash")
    return _line(place, "gsk8capicmd_64", "-keydb", "-create", *words)


def list_certificates(*, database: str, place: Place | None = None) -> str:
    """Return the listing of what a key database holds."""
    return _line(
        place, "gsk8capicmd_64", "-cert", "-list", "-db", _path(place, database), "-stashed"
    )


def _path(place: Place | None, database: str) -> str:
    if place is None or not place.folder:
        return database
    kind = PureWindowsPath if place.platform is Platform.WINDOWS else PurePosixPath
    return str(kind(place.folder) / database)


def _line(place: Place | None, program: str, *words: str) -> str:
    """Return a command, with the path of its program where the place is known."""
    if place is None or not place.folder:
        platform = Platform.UNKNOWN if place is None else place.platform
        return " ".join(quoted_for(platform, word) for word in (program, *words))
    folder = place.programs if program == "dsmcert" else place.gskit
    if place.platform is Platform.WINDOWS:
        command = [str(PureWindowsPath(folder) / f"{program}.exe"), *words]
    else:
        command = [str(PurePosixPath(folder) / program), *words]
        if place.user:
            command = ["sudo", "-H", "-u", place.user, *command]
    return " ".join(_word(place, word) for word in command)


def _word(place: Place, word: str) -> str:
    """Quote a word, but for a user's home folder at its start, which the shell must look up."""
    home = f"~{place.user}/"
    is_plain = re.fullmatch(r"[\w.-]+", place.user, re.ASCII)
    if place.platform is not Platform.WINDOWS and is_plain and word.startswith(home):
        return home + quote(word.removeprefix(home))
    return quoted_for(place.platform, word)


def remove(label: str, *, database: str, place: Place | None = None) -> str:
    """Return the removal of one certificate from a key database."""
    words = ("-db", _path(place, database), "-stashed", "-label", label)
    return _line(place, "gsk8capicmd_64", "-cert", "-delete", *words)


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
    words = ("-cert", "-setdefault", "-db", SERVER_DATABASE, "-stashed", "-label", label)
    return _line(None, "gsk8capicmd_64", *words)


def create(label: str) -> str:
    """Return the making of a certificate beside the present one, from 8.1.19 on (GALAXY)."""
    return f"CREATE CERTIFICATE {quote(label)}"


def renewal() -> tuple[str, ...]:
    """Return how a server below 8.1.19 gets a new certificate of its own, in order (RENEW8124)."""
    return (
        "HALT",
        "# Copy cert256.arm, cert.kdb, cert.sth, cert.rdb and cert.crl of the instance folder to a "
        "safe place.",
        "# Then remove cert256.arm there, and that file alone.",
        remove(SELF_SIGNED_LABEL, database=SERVER_DATABASE),
        "# Start the server: it makes a new certificate, and a new cert256.arm.",
        f"gsk8capicmd_64 -cert -details -db {SERVER_DATABASE} -stashed -label "
        f"{quote(SELF_SIGNED_LABEL)}",
    )


def request(label: str, host: str, file: str) -> str:
    """Return the request for a CA's signature, made on the server that presents the certificate.

    References
    ----------
    ANSIBLE: playbooks/config_certs_playbook.yml.
    """
    words: tuple[str, ...] = ("-label", label, "-sigalg", "sha256", "-size", "2048")
    usage = "digitalSignature,keyEncipherment,keyAgreement"
    words += ("-ku", usage, "-eku", "clientAuth,serverAuth")
    words += ("-dn", f"CN={host}", "-san_dnsname", host, "-file", file)
    command = ("-certreq", "-create", "-db", SERVER_DATABASE, "-stashed")
    return _line(None, "gsk8capicmd_64", *command, *words)


def receive(file: str) -> str:
    """Return the taking in of what the CA signed; the present certificate stays the default."""
    words = ("-db", SERVER_DATABASE, "-stashed", "-file", file, "-default_cert", "no")
    return _line(None, "gsk8capicmd_64", "-cert", "-receive", *words)


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
