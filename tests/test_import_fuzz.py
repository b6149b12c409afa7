"""Garbled files of a site: no error but `InventoryError`, every line counted, no secret repeated.

`pytest -m long tests/test_import_fuzz.py` reads 60,000 sites of one to three files.
"""

import tempfile
from datetime import date
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import planner
from planner.domain.errors import Fault, InventoryError
from planner.inventory.fleet_tables import build_tables
from planner.inventory.importing.evidence import Evidence
from planner.inventory.importing.merge import merge, tables_of
from planner.inventory.importing.option_words import OTHERS
from planner.inventory.importing.queries import COLUMNS
from planner.inventory.importing.sources import read_content
from planner.inventory.importing.text import decoded, lines_of
from tests.exports import PASSWORD

START: Final = date(2027, 1, 4)
SECRETS: Final = ("PASSWORD", "password", "pas", "KEYFILE", "KEYFILEPASSWORD", "vmcpw", "PASSW")
OPTIONS: Final = (
    *("SErvername", "se", "TCPServeraddress", "tcpp", "NODename", "SSL", "sslreq", "COMMMethod"),
    *("REPLSERVERNAME", "REPLTCPSERVERADDRESS", "REPLTCPPORT", "REPLSSLPORT"),
    *("MYREPLICATIONServer", "INCLEXCL", "VMCHOST", "SSLREQUIERD", "LANFREESSL", "X", "*"),
    *sorted(OTHERS)[:20],
)
VALUES: Final = (
    "A",
    "a.example",
    "1500",
    "Yes",
    "no",
    '"N 1"',
    "'\"q\"'",
    "",
    "99999",
    "ServerOnly",
)
KINDS: Final = ("node", "admin", "server", "Local", "LDAP", "Strict", "Transitional")
CELLS: Final = (*VALUES, *KINDS, "8", "1", "2026-07-01 10:00:00.0", "RECEIVE", '"1,543"', "(?)")
LABELS: Final = (
    *("Node Name", "Administrator Name", "Server Name", "SERVER_NAME", "High-level Address"),
    *("Client Version", "Session Security", "Authentication", "SSL Required", "SSL", "Locked?"),
)
MESSAGES: Final = (
    "ANR0406I Session 1 started for node A (AIX) (Tcp/Ip a(1)).",
    "ANR0407I Session 2 started for administrator A (AIX) (SSL 10.1.1.1:1) on a:1500.",
    "ANR0408I Session 3 started for server A (AIX) (Tcp/Ip) for storage agent.",
    "ANR8592I Session 1 connection is using protocol TLSV12, cipher specification X, "
    "certificate c.",
    "Session established with server B: AIX",
    "  Server Version 8, Release 1, Level 9.100",
    "  Client Version 8, Release 1, Level 9.1",
    "ANR2034E SELECT: No match found using this criteria.",
    "NODE_NAME,CLIENT_VERSION,CLIENT_RELEASE,CLIENT_LEVEL",
    f"dsmadmc -id=admin -password={PASSWORD}",
    "Certificates found",
    '*-\t"TSM Server SelfSigned SHA Key"',
    "!\tA",
    f"gsk8capicmd_64 -cert -list -db d.kdb -pw {PASSWORD}",
    "Label : A",
    "Subject : CN=x",
    "Issuer : CN=y",
    "Not Before : May 2, 2026 1:00:00 PM GMT+99:99",
    "Fingerprint : SHA256 :",
    "  00 11 22",
    "04/26/2020 11:12:52 ANS1579E GSKit function GSKKM_CreateNewKeyDbEx failed with 32",
    f"2027-01-04 01:02:03 ANS1592E Failed to initialize SSL protocol. {PASSWORD}",
)

plain_text = st.text(st.characters(codec="utf-8"), max_size=30).filter(lambda t: PASSWORD not in t)
secret_lines = st.builds(
    "{}{}{}{}{}".format,
    st.sampled_from(("", "  ", "\t")),
    st.sampled_from(SECRETS),
    st.sampled_from((" ", "\t", "   ")),
    st.sampled_from((PASSWORD, f'"{PASSWORD}"', f"'{PASSWORD}'")),
    st.sampled_from(("", " ", " * note")),
)
option_lines = st.builds(
    "{}{} {}".format,
    st.sampled_from(("", "   ", "\t")),
    st.sampled_from(OPTIONS) | plain_text,
    st.sampled_from(VALUES) | plain_text,
)
tagged_lines = st.builds(
    lambda tag, cells, sign: sign.join([f"PLANNER-{tag}", *cells]),
    st.sampled_from((*COLUMNS, "PLANET")),
    st.lists(st.sampled_from(CELLS) | plain_text, max_size=13),
    st.sampled_from((",", "\t")),
)
list_lines = st.builds(
    "{:>20}: {}".format, st.sampled_from(LABELS), st.sampled_from(CELLS) | plain_text
)
lines = (
    secret_lines
    | option_lines
    | tagged_lines
    | list_lines
    | st.sampled_from(MESSAGES)
    | st.just("PLANNER-STATUS,A,8,1,27,0,")
    | plain_text
)
texts = st.builds(
    lambda parts, end: end.join(parts),
    st.lists(lines, max_size=25),
    st.sampled_from(("\n", "\r\n", "\r")),
)
contents = (
    texts.map(str.encode)
    | texts.map(lambda text: text.encode("utf-16"))
    | st.binary(max_size=200)
    | st.builds(
        lambda text, place, junk: text.encode()[:place] + junk + text.encode()[place:],
        texts,
        st.integers(0, 400),
        st.binary(max_size=8).filter(lambda junk: PASSWORD.encode() not in junk),
    )
)
NAMES: Final = (
    *("db1/dsm.sys", "db1/dsm.opt", "STA/dsmsta.opt", "dsm.sys", "a.txt", "db1/version.txt"),
    *("db1/api/dsmcert.txt", "A/cert256.arm", "x.p7b", "db1/dsmerror.log", "dsierror.log"),
)


def check(name: str, owner: str, content: bytes) -> Evidence:
    """Read one file, and check what holds for any."""
    evidence = read_content(name, content, name=owner)
    assert PASSWORD not in repr(evidence)
    counted = [number for one in evidence.lines for number in range(one.first, one.last + 1)]
    if evidence.lines and not name.endswith((".arm", ".p7b")) and b"-----BEGIN" not in content:
        assert counted == list(range(1, len(lines_of(decoded(content))) + 1))
    return evidence


def check_site(files: list[tuple[str, str, bytes]]) -> None:
    """Read and merge files, and build the fleet of them, as far as they have no fault."""
    evidence = Evidence.joined(check(*file) for file in files)
    if evidence.faults:
        return
    draft = merge(evidence)
    assert PASSWORD not in repr(draft)
    faults: list[Fault] = []
    build_tables(tables_of(draft.rows), draft.certificate_files, faults)
    assert PASSWORD not in repr(faults)


files = st.lists(
    st.tuples(st.sampled_from(NAMES), st.sampled_from(("", "", "A", "db1")), contents),
    min_size=1,
    max_size=3,
)


@given(files)
def test_garbled_files_end_in_evidence_or_faults(garbled: list[tuple[str, str, bytes]]) -> None:
    check_site(garbled)


@pytest.mark.long
@pytest.mark.parametrize("part", range(24))
@settings(max_examples=2_500, deadline=None, suppress_health_check=list(HealthCheck))
@given(garbled=files)
def test_sixty_thousand_garbled_sites_end_in_evidence_or_faults(
    part: int, garbled: list[tuple[str, str, bytes]]
) -> None:
    del part  # each part draws examples of its own
    check_site(garbled)


@settings(max_examples=25, deadline=None)
@given(st.lists(tagged_lines | list_lines | st.sampled_from(MESSAGES), max_size=40))
def test_a_garbled_export_is_imported_or_refused(garbled: list[str]) -> None:
    text = "\n".join(["PLANNER-STATUS,A,8,1,27,0,", *garbled, f"PASSWORD {PASSWORD}"])
    with tempfile.TemporaryDirectory() as folder:
        file, out = Path(folder) / "a.txt", Path(folder) / "fleet"
        file.write_text(text, encoding="utf-8", newline="")
        try:
            made = planner.import_fleet(file, out=out, start=START)
        except InventoryError as error:
            message = str(error)
            is_clean = PASSWORD not in message and not out.exists()
            assert is_clean, message
            return
        assert made.fleet.origin.folder == str(out)
        again = planner.read_fleet(out)
        assert len(again.sessions) == len(made.fleet.sessions)
        written = b"".join(path.read_bytes() for path in out.rglob("*") if path.is_file())
        assert PASSWORD.encode() not in written
