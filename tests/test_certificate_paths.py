"""The inventory of certificates: where it reads from, and each of its findings."""

from __future__ import annotations

import datetime
import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

import planner
from planner.domain.calendar import iso
from planner.domain.errors import CertificateError, InventoryError
from planner.inventory import certificate_paths
from planner.inventory.chains import TrustRule
from planner.inventory.x509 import LARGEST_FILE
from tests.authorities import DEFAULT, Made, make, root
from tests.builders import case, certificate, client, server, session, write_case

ROOT = root()
ISSUING = make("Issuing", ROOT, is_ca=True)
LEAF = make("srv1", ISSUING, hosts=["srv1.example"])
OWN = make(DEFAULT, key_name="own")
START, END = datetime.date(2027, 1, 1), datetime.date(2028, 1, 1)


def folder_of(folder: Path, **files: Made | bytes) -> Path:
    """Write files named after their certificates."""
    folder.mkdir(exist_ok=True)
    for name, made in files.items():
        content = made if isinstance(made, bytes) else made.pem
        (folder / f"{name}.pem").write_bytes(content)
    return folder


def findings(
    folder: Path, *, start: datetime.date | None = None, end: datetime.date | None = None
) -> list[tuple[str, str, str, str]]:
    """Severity, rule, subject and day of each finding."""
    found = planner.certificates(folder, start=start, end=end).findings
    return [(str(row.severity), row.rule, row.subject, iso(row.day)) for row in found]


def fleet_folder(
    folder: Path, *, address: str = "", files: Sequence[tuple[str, Made]], presented: str
) -> Path:
    write_case(
        case(
            servers=[server("SRV1", "8.1.13", certificate=presented, address=address)],
            clients=[client("BA01", "8.1.13")],
            sessions=[session("BA01", "SRV1")],
            certificates=[],
        ),
        folder,
    )
    (folder / "certs").mkdir()
    for name, made in files:
        (folder / "certs" / f"{name}.pem").write_bytes(made.pem)
    return folder


# --- What is read --------------------------------------------------------------------------------


def test_files_folders_and_bundles_are_read_together(tmp_path: Path) -> None:
    folder_of(tmp_path / "a", root=ROOT)
    folder_of(tmp_path / "a" / "deeper", issuing=ISSUING)
    (tmp_path / "a" / ".hidden.pem").write_bytes(b"nothing")
    (tmp_path / "a" / "notes.txt").write_bytes(b"nothing")
    bundle = pkcs7.serialize_certificates([LEAF.certificate, OWN.certificate], Encoding.DER)
    (tmp_path / "chain.bundle").write_bytes(bundle)  # a file that is named is read, whatever it is
    found = planner.certificates(tmp_path / "a", tmp_path / "chain.bundle")
    assert [entry.name for entry in found] == ["issuing", "root", "chain", "chain-2"]
    assert len(found) == 4
    assert all(entry.trust for entry in found)


def test_a_file_of_a_fleet_is_found_whatever_sign_its_name_holds(tmp_path: Path) -> None:
    folder = fleet_folder(tmp_path / "fleet", files=[("own#a", OWN)], presented="own#a")
    (entry,) = planner.certificates(folder)
    assert entry.found is not None


def test_files_of_one_name_are_told_apart_by_their_paths(tmp_path: Path) -> None:
    folder_of(tmp_path / "a", x=ROOT)
    folder_of(tmp_path / "b", x=OWN)
    found = planner.certificates(tmp_path / "a", tmp_path / "b")
    assert [entry.name for entry in found] == ["x", str(tmp_path / "b" / "x.pem")]


def test_a_path_that_is_missing_or_holds_nothing_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InventoryError) as caught:
        planner.certificates(tmp_path / "nope", tmp_path / "empty")
    first, second = str(caught.value).splitlines()
    assert first.endswith("nope: the file or folder is missing; create it, or correct its name")
    assert "empty: the folder holds no certificate file (.pem .crt .cer .der .arm .p7b)" in second


def test_a_fleet_folder_and_a_fleet_give_the_same(tmp_path: Path) -> None:
    fleet = fleet_folder(
        tmp_path / "fleet", files=[("srv", LEAF), ("mid", ISSUING), ("top", ROOT)], presented="srv"
    )
    by_path = planner.certificates(fleet)
    by_value = planner.certificates(planner.read_fleet(fleet))
    assert by_path.to_frame().equals(by_value.to_frame())
    row = by_path.to_frame().set_index("certificate").loc["srv"]
    assert row["servers"] == "SRV1"
    assert row["chain"] == "srv < mid < top"
    assert row["anchor"] == "top"
    assert row["trust"] == "chain-to-root"
    assert row["sha256"] == LEAF.read.fingerprint


def test_the_inventory_shows_itself(tmp_path: Path) -> None:
    found = planner.certificates(folder_of(tmp_path / "a", root=ROOT, leaf=LEAF))
    assert repr(found) == (
        "CertificateInventory(2 certificates, 1 self-signed or root, 1 with a whole chain, "
        "1 errors, 0 warnings)"
    )
    assert "missing-intermediate" in {row.rule for row in found.findings}
    assert "<table" in found._repr_html_()
    assert [str(entry) for entry in found][1] == (
        "root: root, 2001-01-01..2199-01-01, EC 256, ecdsa-with-SHA256: exact-match"
    )


def test_a_listing_tells_namesakes_apart(tmp_path: Path) -> None:
    fleet = fleet_folder(
        tmp_path / "fleet", files=[("srv", OWN), ("mid", ISSUING)], presented="srv"
    )
    own, mid = planner.certificates(fleet).entry("srv"), planner.certificates(fleet).entry("mid")
    assert own.details() == (
        "subject CN=TSM Self-Signed Certificate,OU=TSM Network,O=TSM,C=US",
        "issuer itself",
        f"SHA-256 {OWN.read.fingerprint}",
        "no mark of a CA; a server's own default certificate; presented by SRV1",
    )
    assert mid.details()[:2] == ("subject CN=Issuing", "issuer CN=Root")


def test_a_key_database_is_judged_by_names(tmp_path: Path) -> None:
    found = planner.certificates(
        folder_of(tmp_path / "a", root=ROOT, mid=ISSUING, leaf=LEAF, own=OWN)
    )
    assert found.trust("leaf", held=["root"]).rule is TrustRule.CHAIN_TO_ROOT
    assert not found.trust("leaf", held=["mid", "own"])
    assert found.trust("OWN", held=["own"], on=START).rule is TrustRule.EXACT_MATCH
    with pytest.raises(
        CertificateError, match="there is no certificate 'rot'; did you mean 'root'"
    ):
        found.trust("leaf", held=["rot"])


def test_what_has_no_file_is_listed_but_not_judged(tmp_path: Path) -> None:
    write_case(
        case(
            servers=[server("SRV1")],
            clients=[client("BA01")],
            sessions=[session("BA01", "SRV1")],
            certificates=[certificate("srv1", signature="md5WithRSAEncryption")],
        ),
        tmp_path / "fleet",
    )
    found = planner.certificates(tmp_path / "fleet")
    (entry,) = found
    assert str(entry) == ("srv1: self-signed, .., md5WithRSAEncryption: not judged, it has no file")
    assert entry.details() == ()
    assert [row.rule for row in found.findings] == ["weak-signature", "no-file"]
    with pytest.raises(CertificateError, match=r"certificates.csv:2: certificate 'srv1' has no"):
        found.trust("srv1", held=[])


# --- Each finding --------------------------------------------------------------------------------


def test_a_sound_chain_has_no_finding(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "a", root=ROOT, mid=ISSUING, leaf=LEAF)
    assert findings(folder, start=START, end=END) == []


def test_the_default_certificate_of_a_server_is_recognised_by_its_subject(tmp_path: Path) -> None:
    assert findings(folder_of(tmp_path / "a", own=OWN)) == [
        ("note", "default-certificate", "own", "")
    ]


def test_the_md5_default_certificate_is_recognised(tmp_path: Path) -> None:
    old = make(DEFAULT, key_name="rsa2048", weak_hash="md5")
    assert findings(folder_of(tmp_path / "a", cert=old)) == [("warning", "md5-default", "cert", "")]


@pytest.mark.parametrize("name", ["md5", "sha1", "pss-sha1"])
def test_weak_signatures_are_reported_and_on_an_anchor_only_noted(
    tmp_path: Path, name: str
) -> None:
    top = root("Top", key_name="rsa2048")
    mid = make("Mid", top, is_ca=True, weak_hash=name)
    folder = folder_of(tmp_path / "a", top=top, mid=mid)
    assert findings(folder) == [("warning", "weak-signature", "mid", "")]
    anchor = make("Anchor", key_name="rsa2048", is_ca=True, weak_hash=name)
    severity = "warning" if name == "md5" else "note"
    assert findings(folder_of(tmp_path / "b", x=anchor)) == [(severity, "weak-signature", "x", "")]


@pytest.mark.parametrize(("key_name", "is_weak"), [("rsa1024", True), ("rsa2048", False)])
def test_small_keys_are_reported(tmp_path: Path, key_name: str, is_weak: bool) -> None:
    folder = folder_of(tmp_path / "a", top=root("Top", key_name=key_name))
    assert findings(folder) == ([("warning", "weak-key", "top", "")] if is_weak else [])


def test_expiry_is_judged_against_the_horizon(tmp_path: Path) -> None:
    folder = folder_of(
        tmp_path / "a",
        before=root("A", not_after="2027-01-01"),
        inside=root("B", not_after="2027-12-31"),
        after=root("C", not_after="2028-01-01"),
        later=make("D", is_ca=True, not_before="2027-06-01"),
    )
    assert findings(folder, start=START, end=END) == [
        ("warning", "expired", "before", "2027-01-01"),
        ("warning", "expires", "inside", "2027-12-31"),
        ("note", "not-yet-valid", "later", "2027-06-01"),
    ]
    assert findings(folder) == []  # nobody said which days matter


def test_an_expired_certificate_that_a_server_presents_is_an_error(tmp_path: Path) -> None:
    old = make(DEFAULT, key_name="own", not_after="2024-01-01")
    fleet = fleet_folder(tmp_path / "fleet", files=[("srv", old)], presented="srv")
    assert ("error", "expired", "srv", "2024-01-01") in findings(fleet)


def test_dates_that_are_never_valid_are_reported(tmp_path: Path) -> None:
    never = make("Never", is_ca=True, not_before="2027-01-01T10:00", not_after="2027-01-01T11:00")
    assert findings(folder_of(tmp_path / "a", x=never)) == [("warning", "never-valid", "x", "")]


def test_a_missing_root_and_a_missing_intermediate_are_told_apart(tmp_path: Path) -> None:
    assert findings(folder_of(tmp_path / "a", mid=ISSUING, leaf=LEAF)) == [
        ("error", "missing-root", "leaf", ""),
        ("error", "missing-root", "mid", ""),
    ]
    assert findings(folder_of(tmp_path / "b", root=ROOT, leaf=LEAF)) == [
        ("error", "missing-intermediate", "leaf", "")
    ]


def test_a_namesake_of_the_root_is_not_the_root(tmp_path: Path) -> None:
    namesake = make("Root", is_ca=False, key_name="namesake")
    direct = make("srv2", ROOT)
    assert ("error", "missing-root", "leaf", "") in findings(
        folder_of(tmp_path / "a", root=namesake, leaf=direct)
    )


def test_issuers_in_a_circle_are_reported(tmp_path: Path) -> None:
    a = make("A", is_ca=True)
    b = make("B", a, is_ca=True)
    a_by_b = make("A", b, is_ca=True)
    found = findings(folder_of(tmp_path / "x", a=a_by_b, b=b, leaf=make("srv1", b)))
    assert found == [("error", "circular-issuers", name, "") for name in ("a", "b", "leaf")]


def test_a_chain_with_a_fault_is_reported_with_the_reason(tmp_path: Path) -> None:
    forged = make("srv1", root("Forger"), issuer_name="Root")
    folder = folder_of(tmp_path / "a", root=ROOT, leaf=forged)
    (row,) = planner.certificates(folder).findings
    assert row.rule == "chain-invalid"
    assert "signature" in row.what


def test_a_chain_that_never_holds_as_a_whole_is_reported(tmp_path: Path) -> None:
    early = make("Early", ROOT, is_ca=True, not_after="2010-01-01")
    late = make("srv1", early, not_before="2020-01-01")
    folder = folder_of(tmp_path / "a", root=ROOT, mid=early, leaf=late)
    assert findings(folder) == [("error", "expired", "leaf", "")]


def test_a_chain_that_is_too_long_or_too_costly_is_reported(tmp_path: Path) -> None:
    links = [ROOT]
    for number in range(10):
        links.append(make(f"Link {number}", links[-1], is_ca=True))
    files = {f"link{number:02}": link for number, link in enumerate(links)}
    assert findings(folder_of(tmp_path / "a", **files)) == [
        ("error", "chain-too-long", "link10", "")
    ]
    many = make("srv1", ROOT, parts=1_000)
    assert findings(folder_of(tmp_path / "b", root=ROOT, leaf=many)) == [
        ("error", "chain-too-costly", "leaf", "")
    ]


def test_one_certificate_twice_and_one_anchor_twice_are_told_apart(tmp_path: Path) -> None:
    again = root(not_after="2150-01-01")
    assert findings(folder_of(tmp_path / "a", a=ROOT, b=ROOT, c=again)) == [
        ("warning", "duplicate-anchor", "c", ""),
        ("warning", "same-certificate", "b", ""),
    ]
    other = make(DEFAULT, key_name="other")  # two servers' own certificates are no duplicates
    assert {rule for _, rule, _, _ in findings(folder_of(tmp_path / "b", a=OWN, b=other))} == {
        "default-certificate"
    }


def test_marks_of_a_ca_are_reported_where_they_lack_or_are_too_much(tmp_path: Path) -> None:
    old = make("Old root")
    folder = folder_of(tmp_path / "a", top=old, leaf=make("srv1", old))
    assert findings(folder) == [("warning", "issuer-without-ca-flag", "top", "")]
    marked = root("Own")
    fleet = fleet_folder(tmp_path / "fleet", files=[("srv", marked)], presented="srv")
    assert findings(fleet) == [("warning", "server-with-ca-flag", "srv", "")]


@pytest.mark.parametrize(
    ("address", "is_named"),
    [
        ("srv1.example", True),
        ("SRV1.example.", True),
        ("srv2.example", False),
        ("a.wild.example", True),
        ("a.b.wild.example", False),
        ("wild.example", False),
        ("10.0.0.1", True),
        ("10.0.0.2", False),
        ("2001:db8:0::1", True),
        ("", True),  # nobody said where the server is reached
    ],
)
def test_names_are_compared_with_the_servers_address(
    tmp_path: Path, address: str, is_named: bool
) -> None:
    leaf = make("x", ROOT, hosts=["srv1.example", "*.wild.example", "10.0.0.1", "2001:db8::1"])
    fleet = fleet_folder(
        tmp_path / "fleet", address=address, files=[("srv", leaf), ("top", ROOT)], presented="srv"
    )
    assert findings(fleet) == ([] if is_named else [("warning", "host-name", "srv", "")])


def test_self_signed_certificates_name_no_host_and_that_is_no_finding(tmp_path: Path) -> None:
    fleet = fleet_folder(
        tmp_path / "fleet", address="srv1.example", files=[("srv", OWN)], presented="srv"
    )
    assert findings(fleet) == [("note", "default-certificate", "srv", "")]


def test_a_day_that_leaves_nothing_of_a_fleets_horizon_is_refused(tmp_path: Path) -> None:
    folder = fleet_folder(tmp_path / "fleet", files=[("own", OWN)], presented="own")
    told = "horizon: the fleet's end 2025-03-31 is not after the start 2027-01-01; give a later end"
    with pytest.raises(InventoryError, match=f"^{told}$"):
        planner.certificates(folder, start=START)
    told = "horizon: the end 2025-01-01 is not after the fleet's start 2025-03-03; give a later end"
    with pytest.raises(InventoryError, match=f"^{told}$"):
        planner.certificates(folder, end=datetime.date(2025, 1, 1))


# --- Files that are not what they should be ------------------------------------------------------


def test_unusable_files_are_findings_and_the_others_are_listed(tmp_path: Path) -> None:
    folder = folder_of(
        tmp_path / "a",
        good=ROOT,
        malformed=ROOT.der[:-5] + b"abcde\0",
        truncated=ROOT.pem[:-40],
        cut=ROOT.pem + OWN.pem[:100],
        empty=b"",
        large=ROOT.pem * (10 * 2**20 // len(ROOT.pem)),
        crowded=OWN.pem * 1_200,
        noise=random.Random(7).randbytes(5_000),
    )
    found = planner.certificates(folder)
    assert [entry.name for entry in found] == ["good"]
    rules = {Path(row.subject).stem: row.rule for row in found.findings}
    assert rules == dict.fromkeys(
        ["malformed", "truncated", "cut", "empty", "large", "crowded", "noise"], "unusable-file"
    )
    what = {Path(row.subject).stem: row.what for row in found.findings}
    assert what["large"] == f"the file is larger than {LARGEST_FILE:,} bytes"
    assert what["crowded"] == "the file holds 1,200 parts, more than the 1,000 that are read"


def test_ten_thousand_names_are_listed(tmp_path: Path) -> None:
    hosts = [f"h{number}.example" for number in range(10_000)]
    leaf = make("srv1", ROOT, hosts=hosts)
    fleet = fleet_folder(
        tmp_path / "fleet",
        address="h9999.example",
        files=[("srv", leaf), ("top", ROOT)],
        presented="srv",
    )
    assert findings(fleet) == []


def test_one_subject_and_key_many_times_is_listed(tmp_path: Path) -> None:
    many = [make("Many", ROOT, is_ca=True, key_name="many") for _ in range(300)]
    content = b"".join(one.pem for one in [*many, make("srv1", many[0])])
    found = planner.certificates(folder_of(tmp_path / "a", root=ROOT, many=content))
    assert len(found) == 302
    assert all(entry.trust for entry in found)


def test_a_file_with_a_private_key_is_refused_and_nothing_of_it_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from planner import cli

    folder = folder_of(tmp_path / "a", good=ROOT)
    path = LEAF.write_with_key(folder / "server.pem", [ISSUING])
    secret = path.read_text().split("-----")[2].strip().splitlines()
    found = planner.certificates(folder)
    assert [entry.name for entry in found] == ["good"]
    assert [(row.rule, str(row.severity)) for row in found.findings] == [("private-key", "error")]
    shown = found.to_frame().to_csv() + found.findings.to_frame().to_csv() + found._repr_html_()
    assert cli.main(["certs", str(folder)]) == cli.HAS_ERRORS
    shown += capsys.readouterr().out
    assert not any(line in shown for line in secret)
    assert "the file holds a private key, so nothing of it is read" in shown


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "outside.pem").write_bytes(ROOT.pem)
    folder = folder_of(tmp_path / "a", good=OWN)
    (folder / "link.pem").symlink_to(tmp_path / "outside.pem")
    found = planner.certificates(folder)
    assert [entry.name for entry in found] == ["good"]
    assert "the link leads out of the folder" in {row.what for row in found.findings}


def test_what_a_terminal_would_obey_is_not_shown(tmp_path: Path) -> None:
    trap = make("\x1b[2J trap", root("\x1b]0;owned\x07"))
    folder = folder_of(tmp_path / "a", trap=trap)
    (folder / "\x1bname.pem").write_bytes(ROOT.pem)
    found = planner.certificates(folder)
    texts = [str(entry) for entry in found]
    texts += [detail for entry in found for detail in entry.details()]
    texts += [f"{row.subject} {row.what} {row.fix} {row.file}" for row in found.findings]
    assert all(text.isprintable() for text in texts)
    assert len(texts) == 7


def test_a_folder_of_too_many_files_cannot_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certificate_paths, "MOST_FILES", 1)
    folder = folder_of(tmp_path / "a", a=ROOT, b=OWN)
    with pytest.raises(InventoryError, match="holds 2 certificate files; 1 are read; name a small"):
        planner.certificates(folder)


def test_a_certificate_recorded_for_a_server_counts_as_presented(tmp_path: Path) -> None:
    write_case(
        case(
            servers=[server("SRV1", "8.1.13", certificate="own")],
            clients=[client("BA01", "8.1.13")],
            sessions=[session("BA01", "SRV1")],
            certificates=[
                certificate("own", file="certs/own.pem"),
                certificate("next", server="SRV1", file="certs/next.pem"),
            ],
        ),
        tmp_path / "fleet",
    )
    folder_of(tmp_path / "fleet" / "certs", own=OWN, next=make("next"))
    table = planner.certificates(tmp_path / "fleet").to_frame()
    assert table["servers"].tolist() == ["SRV1", "SRV1"]
