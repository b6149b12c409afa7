"""A site that exports a fleet: dsmadmc's layout with its noise, option files, listings, files.

Written from `domain.md` sections 6 and 7; it shares no code with the readers.
"""

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Final

Row = Mapping[str, str]

PASSWORD: Final = "Hunter2-Sekret"  # noqa: S105 - what must never come out again
DAY: Final = "2027-01-04"
ADDRESSES: Final = "10.20"

_BANNER: Final = """\
IBM Spectrum Protect
Command Line Administrative Interface - Version 8, Release 1, Level 17.0
"(c) Copyright by IBM Corporation and other(s) 1990","2022". All Rights Reserved.

Session established with server {server}: Linux/x86_64
  Server Version {version}, Release {release}, Level {level}.{sublevel}
  Server date/time: 01/04/2027 07:30:00  Last access: 01/04/2027 07:29:12

ANS8000I Server command: 'SELECT 'PLANNER-STATUS' AS RECORD, SERVER_NAME FROM STATUS'

"""
_FOOTER: Final = """\
ANR2034E SELECT: No match found using this criteria.
ANS8001I Return code 11.

ANS8002I Highest return code was 11.
"""
_NODE_DETAILS: Final = """\

                      Node Name: {name}
                       Platform: {platform}
                Client OS Level: 5.14
                 Authentication: {authentication}
                   SSL Required: {sslrequired}
             Policy Domain Name: STANDARD
"""
_OPTIONS: Final = ("ssl", "sslrequired", "sslfipsmode", "ssldisablelegacytls", "lanfreessl")
_NODE_KINDS: Final = ("backup", "vm", "api", "failover")
_PARTNER_KINDS: Final = ("server", "library", "storage-agent")
_ISSUER: Final = "CN=Nordkai Issuing CA 1,O=Nordkai Hafengesellschaft mbH,C=DE"
_SIGNED: Final = "CN={name},O=Nordkai,C=DE"


def rows_of(folder: Path, name: str) -> list[dict[str, str]]:
    """Read one file of a fleet folder with the standard library alone."""
    path = folder / name
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


class Site:
    """A fleet folder as the site that it describes; `write` exports everything of it."""

    def __init__(self, fleet: Path, *, delimiter: str = ",") -> None:
        self.fleet = fleet
        self.delimiter = delimiter
        self.servers = {row["server"]: row for row in rows_of(fleet, "servers.csv")}
        self.clients = {row["client"]: row for row in rows_of(fleet, "clients.csv")}
        self.accounts = rows_of(fleet, "accounts.csv")
        self.sessions = [
            row | {"account": row["account"] or row["client"], "kind": row["kind"] or "backup"}
            for row in rows_of(fleet, "sessions.csv")
        ]
        self.certificates = {row["certificate"]: row for row in rows_of(fleet, "certificates.csv")}
        self.trust = rows_of(fleet, "trust.csv")
        self.addresses = {
            name: f"{ADDRESSES}.{number // 200}.{number % 200 + 1}"
            for number, name in enumerate(self.clients)
        }
        self.users: dict[tuple[str, str], list[str]] = defaultdict(list)
        for session in self.sessions:
            self.users[session["server"], session["account"]].append(session["client"])

    def write(self, folder: Path) -> list[Path]:
        """Export the site into a folder; returns what to hand to `planner import`."""
        for server in self.servers:
            _write(folder / "servers" / server / "export.txt", self.export(server))
            listing = self.server_listing(server)
            if listing:
                _write(folder / "servers" / server / "cert.kdb.txt", listing)
        for client in self.clients:
            for name, text in self.client_files(client).items():
                _write(folder / "hosts" / client / name, text)
        for path in sorted((self.fleet / "certs").glob("*")):
            target = folder / "certs" / path.name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
        listings = sorted((folder / "servers").glob("*/cert.kdb.txt"))
        return [
            *sorted((folder / "servers").glob("*/export.txt")),
            *[Path(f"{path.parent.name}={path}") for path in listings],
            folder / "hosts",
            folder / "certs",
        ]

    # --- Servers ---

    def export(self, server: str) -> str:
        """Return what dsmadmc prints on one server, with banners, a wrapped row and noise."""
        row = self.servers[server]
        version, release, level, *rest = row["level"].split(".")
        sublevel = rest[0] if rest else "0"
        banner = _BANNER.format(
            server=server.upper(), version=version, release=release, level=level, sublevel=sublevel
        )
        lines = [
            self.row("PLANNER-STATUS", server, version, release, level, sublevel),
            self.row("PLANNER-OPTION", "TCPPort", row["tcpport"]),
            self.row("PLANNER-OPTION", "SSLTCPPort", row["ssltcpport"]),
            self.row("PLANNER-OPTION", "SSLTLS12", row["tls12"] or "No"),
            self.row("PLANNER-OPTION", "EXPInterval", "24"),
            "",
            "This line is noise that a login script has printed",
            *self.nodes(server),
            *self.others(server),
            *self.counts(server),
            *self.log(server),
        ]
        status = f"\n  Server Name: {server}\n  Default Authentication: " + (
            "LDAP" if row["authentication"] == "LDAP" else "Local"
        )
        address = f"\n  Server host name or IP address: {row['address']}\n"
        return banner + "\n".join(lines) + "\n" + _FOOTER + status + address + self.details(server)

    def row(self, *cells: str) -> str:
        """Return one delimited row, with the comma at its end that dsmadmc leaves."""
        text = io.StringIO()
        csv.writer(text, delimiter=self.delimiter, lineterminator="").writerow(cells)
        return text.getvalue() + self.delimiter

    def account(self, server: str, name: str) -> Row:
        return next(
            (row for row in self.accounts if (row["server"], row["account"]) == (server, name)), {}
        )

    def accounts_of(self, server: str, kinds: Sequence[str]) -> dict[str, str]:
        """Return the accounts of a server that sessions of some kinds use, and such a kind."""
        return {
            session["account"]: session["kind"]
            for session in reversed(self.sessions)
            if session["server"] == server and session["kind"] in kinds
        }

    def nodes(self, server: str) -> Iterable[str]:
        replicas = []
        for name, kind in self.accounts_of(server, _NODE_KINDS).items():
            host = self.users[server, name][-1]
            client = self.clients[host]
            level = [*client["level"].split("."), "0"][:4] if client["level"] else [""] * 4
            access = f"{DAY} 02:15:00.000000" if client["level"] else ""
            yield self.row(
                "PLANNER-NODE",
                name.upper(),
                client["platform"],
                client["platform"],
                *level,
                host,
                self.addresses[host],
                access,
                "CLIENT",
            )
            security = self.account(server, name).get("session_security", "")
            if security:
                yield self.row("PLANNER-SECURITY", "node", name.upper(), security)
            if kind == "failover":
                replicas.append(self.row("PLANNER-REPLICA", name.upper(), "RECEIVE"))
        yield from replicas

    def others(self, server: str) -> Iterable[str]:
        for row in self.accounts:
            if row["server"] != server or row["kind"] in ("", "node"):
                continue
            if row["kind"] == "admin":
                authentication = row["authentication"]
                yield self.row("PLANNER-ADMIN", row["account"].upper(), authentication)
            if row["session_security"]:
                yield self.row(
                    "PLANNER-SECURITY", row["kind"], row["account"], row["session_security"]
                )
        for session in self.sessions:
            partner = session["client"]
            if session["kind"] not in _PARTNER_KINDS:
                continue
            if session["server"] == server:
                own = self.servers.get(partner, {})
                access = f"{DAY} 05:00:00.000000"
                yield self.row(
                    "PLANNER-SERVER", partner.upper(), own.get("address", ""), "1500", access, "No"
                )
            elif partner == server:
                called = self.servers[session["server"]]
                yield self.row(
                    "PLANNER-SERVER",
                    called["server"].upper(),
                    called["address"],
                    session["tcpport"] or called["tcpport"],
                    "",
                    session["ssl"] or "No",
                )
                if session["kind"] == "library":
                    yield self.row("PLANNER-LIBRARY", "LIB1", called["server"].upper())

    def counts(self, server: str) -> Iterable[str]:
        nodes = self.accounts_of(server, _NODE_KINDS)
        kinds = [row["kind"] for row in self.accounts if row["server"] == server]
        for kind, number in (("node", len(nodes)), ("admin", kinds.count("admin"))):
            yield self.row("PLANNER-COUNT", kind, f"{number:,}")

    def details(self, server: str) -> str:
        """Return QUERY NODE FORMAT=DETAILED of the nodes, and QUERY STATUS, as lists."""
        text = []
        for name, kind in self.accounts_of(server, _NODE_KINDS).items():
            row = self.account(server, name)
            if row and kind:
                default = self.servers[server]["authentication"] or "Local"
                text.append(
                    _NODE_DETAILS.format(
                        name=name.upper(),
                        platform="Linux x86-64",
                        authentication=row["authentication"] or default,
                        sslrequired=row["sslrequired"] or "Default",
                    )
                )
        partners = [
            f"\n  Server Name: {row['account']}\n  High-level Address: \n"
            f"  Low-level Address: 1500\n  Authentication: {row['authentication']}\n"
            for row in self.accounts
            if row["server"] == server and row["kind"] == "server" and row["authentication"]
        ]
        return "".join([*text, *partners])

    def log(self, server: str) -> Iterable[str]:
        """Return the sessions of administrators as the activity log shows them."""
        for number, session in enumerate(self.sessions):
            if session["server"] != server or session["kind"] != "admin":
                continue
            name, host = session["account"].upper(), session["client"]
            levels = [self.clients[host]["level"], self.servers[server]["level"]]
            is_tls = session["ssl"] == "Yes" or all(map(_is_new, levels))
            if session["commmethod"]:
                place = "(ShMem)"
            elif is_tls:
                place = f"(SSL {host}.nordkai.example:35244)"
            else:
                place = f"(Tcp/Ip {host}(52811))"
            code = "ANR0839I" if is_tls else "ANR0407I"
            text = f"{code} Session {number:,} started for administrator {name} (Linux) {place}"
            if is_tls:
                text += f" on {server}:1543"
                protocol = "TLSV13" if min(map(_numbers, levels)) >= (8, 1, 11) else "TLSV12"
                presented = self.certificates.get(self.servers[server]["certificate"], {})
                certificate = "TSM Self-Signed Certificate"
                if presented.get("issuer"):
                    certificate = f"{server}.nordkai.example"
                yield self.logged(
                    f"ANR8592I Session {number:,} connection is using protocol {protocol}, cipher "
                    f"specification TLS_AES_256_GCM_SHA384, certificate {certificate}.",
                    number,
                )
            yield self.logged(f"{text}.", number)

    def logged(self, message: str, number: int) -> str:
        return self.row("PLANNER-LOG", f"{DAY} 06:00:00.000000", f"{message}  (SESSION: {number})")

    # --- Clients ---

    def client_files(self, client: str) -> dict[str, str]:
        """Return the files of one client by their paths below its folder."""
        row = self.clients[client]
        sessions = [one for one in self.sessions if one["client"] == client]
        if row["kind"] == "storage-agent":
            own = next(one for one in sessions if one["server"] != "keeper")
            files = {"dsmsta.opt": f"COMMMETHOD TCPIP\nTCPPORT 1502\nSERVERNAME {own['server']}\n"}
        else:
            files = {
                f"{folder}dsm.sys": self.dsm_sys(
                    [one for one in sessions if (one["kind"] == "api") == (folder == "api/")]
                )
                for folder in ("", "api/")
            }
        if row["level"]:
            version, release, level, *rest = row["level"].split(".")
            files["version.txt"] = (
                "IBM Spectrum Protect\nCommand Line Backup-Archive Client Interface\n"
                f"  Client Version {version}, Release {release}, Level {level}."
                f"{rest[0] if rest else '0'}\n  Client date/time: 01/04/2027 07:00:00\n"
            )
        for database in ("default", "api"):
            held = [
                one["certificate"]
                for one in self.trust
                if one["client"] == client and (one["key_database"] or "default") == database
            ]
            if held:
                folder = "api/" if database == "api" else ""
                files[f"{folder}dsmcert.txt"] = self.listing(held)
        return {name: text for name, text in files.items() if text}

    def dsm_sys(self, sessions: Sequence[Row]) -> str:
        """Return a dsm.sys with one stanza for each session of a client."""
        blocks, stanzas = [], []
        failover = {one["account"]: one for one in sessions if one["kind"] == "failover"}
        used: set[str] = set()
        for session in sessions:
            if session["kind"] == "failover":
                continue
            server = self.servers[session["server"]]
            alias = session["server"].upper()
            if alias in used:
                alias = f"{alias}_{len(used)}"
            used.add(alias)
            lines = [
                f"SErvername {alias}",
                f"   TCPServeraddress   {server['address'].upper()}",
                f"   TCPPort            {session['tcpport'] or server['tcpport']}",
                f"   PASSWORD           {PASSWORD}",
                "   PASSWORDAccess     generate",
                "   *** the options below were set by hand",
                '   ERRORLOGName       "/var/log/dsm error.log"',
            ]
            if session["kind"] != "admin" and session["account"] != session["client"]:
                lines.append(f'   NODename           "{session["account"]}"')
            if session["kind"] == "vm":
                lines.append("   VMCHost            vcenter.nordkai.example")
            lines.extend(
                f"   {option.upper()} {session[option].lower()}"
                for option in _OPTIONS
                if session[option]
            )
            if session["commmethod"]:
                lines.append(f"   COMMMethod {session['commmethod'].lower()}")
            if session["kind"] != "admin" and session["account"] in failover:
                target = failover.pop(session["account"])
                name = target["server"].upper()
                lines.append(f"   MYREPLICATIONServer {name}")
                blocks.append(self.replication_block(name, target))
            stanzas.append("\n".join(lines))
        if failover:
            raise AssertionError(f"failover without a stanza: {failover}")
        head = "* written by a tool\nDEFAULTServer BACKUP\n" if stanzas else ""
        return head + "\n\n".join([*dict.fromkeys(blocks), *stanzas]) + ("\n" if stanzas else "")

    def replication_block(self, name: str, session: Row) -> str:
        server = self.servers[session["server"]]
        lines = [
            "*** These options should not be changed manually",
            f"REPLSERVERNAME {name}",
            f"   REPLTCPSERVERADDRESS {server['address']}",
            f"   REPLTCPPORT {server['tcpport']}",
            "   REPLSERVERGUID 91.0f.ef.90.5c.cc.11.e1.ae.34.08.00.00.00.00.00",
        ]
        if session["replsslport"]:
            lines.append(f"   REPLSSLPORT {session['replsslport']}")
        return "\n".join([*lines, "*** end of automatically updated options", ""])

    # --- Key databases ---

    def listing(self, held: Iterable[str], *, default: str = "") -> str:
        marks = {True: "*-", False: "!"}
        lines = [f'{marks[name == default]}\t"{name}"' for name in held]
        head = [
            f"gsk8capicmd_64 -cert -list -db dsmcert.kdb -pw {PASSWORD}",
            "Certificates found",
            "* default, - personal, ! trusted, # secret key",
        ]
        return "\n".join([*head, *lines]) + "\n"

    def server_listing(self, server: str) -> str:
        """Return the listings of a server's key database: its certificate, and whom it trusts."""
        presented = self.servers[server]["certificate"]
        held = [one["certificate"] for one in self.trust if one["client"] == server]
        text = self.listing([presented, *held], default=presented)
        row = self.certificates.get(presented, {})
        return text + (self.certificate_details(row) if row and not row["file"] else "")

    def certificate_details(self, row: Row) -> str:
        issuer = self.certificates.get(row["issuer"])
        subject = _SIGNED.format(name=row["certificate"])
        named = _ISSUER if issuer else subject
        return (
            f"Label : {row['certificate']}\nKey Size : 2048\nVersion : X509 V3\n"
            f"Serial : 5a0bc1\nIssuer : {named}\nSubject : {subject}\n"
            f"Not Before : {_long(row['not_before'])}\nNot After : {_long(row['not_after'])}\n"
            "Public Key\n    30 82 01 22 30 0D 06 09\n"
            f"Signature Algorithm : {row['signature']} (1.2.840.113549.1.1.11)\n"
            "Trust Status : Enabled\n"
        )


def _numbers(level: str) -> tuple[int, ...]:
    return tuple(int(part) for part in (level or "0").split("."))[:3]


def _is_new(level: str) -> bool:
    numbers = _numbers(level)
    return numbers >= (8, 1, 2) or (7, 1, 8) <= numbers < (8, 0, 0)


def _long(day: str) -> str:
    return date.fromisoformat(day).strftime("%B %d, %Y 10:00:00 AM GMT+00:00")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
