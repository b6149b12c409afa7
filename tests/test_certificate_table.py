from __future__ import annotations

from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from planner.domain.calendar import ALWAYS, NEVER, iso
from planner.domain.certificates import CertificateKind, Certificates
from planner.domain.errors import Fault
from planner.domain.findings import Finding
from planner.inventory.cells import CellError, Cells
from planner.inventory.certificate_table import CertificateTable, split_address
from planner.inventory.csv_tables import empty_table, read_table
from planner.inventory.schema import CERTIFICATES
from tests.test_x509 import DEFAULT_NAME, ISSUING, KEYS, LEAF, OWN, ROOT, certificate, der, pem

HEADING = "certificate,kind,issuer,not_before,not_after,signature,server,available,file"


class Reading:
    """What came of certificates.csv and of the files in `certs/`."""

    def __init__(self, tmp_path: Path, rows: str, files: dict[str, bytes] | None = None) -> None:
        faults: list[Fault] = []
        path = tmp_path / "certificates.csv"
        path.write_text(f"{HEADING}\n{rows}", encoding="utf-8")
        table = read_table(path, path.name, CERTIFICATES, faults)
        register = CertificateTable(Cells(faults))
        register.read(table, files or {}, self.find_server)
        self.faults = [str(fault) for fault in faults]
        self.remarks: list[Finding] = register.remarks
        self.columns: Certificates = register.columns()
        self.register = register

    @staticmethod
    def find_server(text: str) -> int:
        if text.casefold() != "srv1":
            raise CellError("is not in servers.csv", "did you mean 'srv1'?")
        return 0

    def fact(self, name: str, column: str) -> object:
        value = getattr(self.columns, column)[self.columns.name.index(name)]
        return value.item() if hasattr(value, "item") else value

    def issuer(self, name: str) -> str:
        number = int(self.columns.issuer[self.columns.name.index(name)])
        return self.columns.name[number] if number >= 0 else ""

    def kinds(self) -> dict[str, str]:
        kinds = self.columns.kind.tolist()
        return {
            name: CertificateKind(kind).label
            for name, kind in zip(self.columns.name, kinds, strict=True)
        }


def test_rows_describe_certificates(tmp_path: Path) -> None:
    reading = Reading(
        tmp_path,
        "root,Root,,2020-01-01,2040-01-01,sha256,,,\n"
        "leaf,,ROOT,2026-01-01,2028-01-01,MD5withRSA,SRV1,2026-02-01,\n"
        "own,,,,,,,,\n"
        "sub,Intermediate,other-root,,,,,,\n"
        "own2,Self_Signed,,,,,,,\n",
    )
    assert reading.faults == []
    assert reading.kinds() == {
        "root": "root",
        "leaf": "leaf",
        "own": "self-signed",
        "sub": "intermediate",
        "own2": "self-signed",
        "other-root": "self-signed",
    }
    assert reading.issuer("leaf") == "root"
    assert reading.issuer("sub") == "other-root"
    assert reading.columns.described.tolist() == [True] * 5 + [False]
    assert reading.columns.line.tolist() == [2, 3, 4, 5, 6, 0]
    assert reading.columns.server.tolist() == [-1, 0, -1, -1, -1, -1]
    assert iso(int(reading.columns.available[1])) == "2026-02-01"
    assert reading.columns.is_md5().tolist() == [False, True, False, False, False, False]
    assert (reading.fact("own", "not_before"), reading.fact("own", "not_after")) == (ALWAYS, NEVER)


def test_a_name_that_nothing_describes_is_a_new_self_signed_certificate(tmp_path: Path) -> None:
    reading = Reading(tmp_path, "root,root,,,,,,,\n")
    assert reading.register.number("ROOT") == 0
    assert reading.register.number("srv9") == 1
    columns = reading.register.columns()
    assert columns.name == ("root", "srv9")
    assert columns.described.tolist() == [True, False]


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        (
            "root,,,,,,,,\nROOT,,,,,,,,\n",
            "3: certificate 'ROOT' stands in line 2 already; give a renewed certificate a new name",
        ),
        (",root,,,,,,,\n", "2: certificate is empty; fill it in"),
        (
            "root,rot,,,,,,,\n",
            "2: kind 'rot' is not known; did you mean 'root'? use one of self-signed, leaf, "
            "intermediate, root",
        ),
        (
            "a,,,2027-02-30,,,,,\n",
            "2: not_before '2027-02-30' is not a date; write it as 2027-02-28",
        ),
        ("a,,,,,,srv2,,\n", "2: server 'srv2' is not in servers.csv; did you mean 'srv1'?"),
        (
            "a,,b\x07,,,,,,\n",
            "2: issuer 'b\\x07' holds a character that cannot be printed; write the name without "
            "it",
        ),
        (
            "a,,b,,,,,,\nb,,C,,,,,,\nc,,a,,,,,,\n",
            "2: the issuers lead round in a circle: 'a', 'b', 'c', 'a'; correct the column issuer, "
            "or make one of them a root",
        ),
        (
            "a,,b,,,,,,\nb,,b,,,,,,\n",
            "3: the issuers lead round in a circle: 'b', 'b'; correct the column issuer, or make "
            "one of them a root",
        ),
        (
            "a,,,,,,,,certs/b.pem\n",
            "2: file 'certs/b.pem' is not in the folder; did you mean 'certs/z.pem'?",
        ),
        (
            "a,,,,,,,,/etc/shadow\n",
            "2: file '/etc/shadow' is not in the folder; put the file into certs/, and write it as "
            "certs/<its name>",
        ),
        (
            "a,,,,,,,,certs/z.pem\nb,,,,,,,,./certs\\Z.PEM\n",
            "3: file './certs\\\\Z.PEM' stands in line 2 already; name each file in one row",
        ),
    ],
)
def test_a_fault_names_its_line_and_its_cure(tmp_path: Path, rows: str, fault: str) -> None:
    reading = Reading(tmp_path, rows, {"certs/z.pem": pem(ROOT)})
    assert reading.faults == [f"certificates.csv:{fault}"]


def test_a_chain_that_ends_in_a_root_is_no_circle(tmp_path: Path) -> None:
    rows = "root,root,a,,,,,,\na,,root,,,,,,\nb,,a,,,,,,\nc,leaf,,,,,,,\nd,,c,,,,,,\n"
    assert Reading(tmp_path, rows).faults == []


def test_a_file_defines_a_certificate_by_its_stem(tmp_path: Path) -> None:
    files = {"certs/srv1-2026.der": der(LEAF), "certs/Issuing CA.pem": pem(ISSUING)}
    reading = Reading(tmp_path, "", {**files, "certs/root.arm": pem(ROOT)})
    assert reading.faults == []
    assert reading.remarks == []
    assert reading.kinds() == {"srv1-2026": "leaf", "Issuing CA": "intermediate", "root": "root"}
    assert reading.issuer("srv1-2026") == "Issuing CA"
    assert reading.issuer("Issuing CA") == "root"
    assert reading.fact("root", "file") == "certs/root.arm"
    assert reading.fact("root", "described")
    assert reading.fact("root", "line") == 0
    assert iso(int(reading.columns.not_before[0])) == "2024-01-01"
    assert reading.fact("srv1-2026", "signature") == "ecdsa-with-SHA256"


def test_a_row_gives_a_file_another_name_and_what_files_cannot_say(tmp_path: Path) -> None:
    rows = "presented,,,,,,srv1,2026-01-01,certs/x.pem\n"
    reading = Reading(tmp_path, rows, {"certs/x.pem": pem(OWN)})
    assert reading.faults == []
    assert reading.remarks == []
    assert reading.kinds() == {"presented": "self-signed"}
    assert reading.columns.server.tolist() == [0]
    assert iso(int(reading.columns.available[0])) == "2026-01-01"
    assert iso(int(reading.columns.not_after[0])) == "2034-01-01"


def test_a_row_of_the_name_of_the_stem_needs_no_file_cell(tmp_path: Path) -> None:
    reading = Reading(tmp_path, "X,,,,,,srv1,,\n", {"certs/x.pem": pem(OWN)})
    assert reading.columns.name == ("X",)
    assert reading.fact("X", "file") == "certs/x.pem"


def test_contradictions_are_remarks_and_the_file_wins(tmp_path: Path) -> None:
    rows = "leaf,root,other,2025-01-01,2035-01-01,sha512,,,certs/x.pem\nissuing,,,,,,,,\n"
    files = {"certs/x.pem": pem(LEAF), "certs/issuing.pem": pem(ISSUING), "certs/r.pem": pem(ROOT)}
    reading = Reading(tmp_path, rows, files)
    assert reading.faults == []
    assert [(remark.subject, remark.line, remark.what) for remark in reading.remarks] == [
        ("leaf", 2, "not_before is 2025-01-01 in certificates.csv and 2024-01-01 in certs/x.pem"),
        ("leaf", 2, "not_after is 2035-01-01 in certificates.csv and 2034-01-01 in certs/x.pem"),
        ("leaf", 2, "signature is sha512 in certificates.csv and ecdsa-with-SHA256 in certs/x.pem"),
        ("leaf", 2, "kind is root in certificates.csv and leaf in certs/x.pem"),
        ("leaf", 2, "issuer is other in certificates.csv and issuing in certs/x.pem"),
    ]
    assert {remark.rule for remark in reading.remarks} == {"certificate-contradiction"}
    assert reading.issuer("leaf") == "issuing"
    # The issuer that is contradicted is not heard of any more.
    assert "other" not in reading.columns.name


def test_a_row_that_agrees_with_its_file_is_not_remarkable(tmp_path: Path) -> None:
    rows = "x,Leaf,ISSUING,2024-01-01,2034-01-01,sha256,,,certs/x.pem\n"
    files = {"certs/x.pem": pem(LEAF), "certs/issuing.pem": pem(ISSUING)}
    reading = Reading(tmp_path, rows, files)
    assert reading.remarks == []
    assert reading.issuer("x") == "issuing"  # as its file is called


@pytest.mark.parametrize("kind", ["self-signed", "root"])
@pytest.mark.parametrize("one", [ROOT, OWN])
def test_a_row_may_call_what_issued_itself_self_signed_or_root(
    tmp_path: Path, kind: str, one: x509.Certificate
) -> None:
    reading = Reading(tmp_path, f"x,{kind},,,,,,,\n", {"certs/x.pem": pem(one)})
    assert reading.remarks == []
    assert reading.kinds() == {"x": kind}


def test_an_issuer_that_only_the_row_knows_stays(tmp_path: Path) -> None:
    reading = Reading(tmp_path, "x,,company-root,,,,,,\n", {"certs/x.pem": pem(LEAF)})
    assert reading.remarks == []
    assert reading.issuer("x") == "company-root"


def test_an_issuer_whose_file_did_not_issue_it_is_contradicted(tmp_path: Path) -> None:
    files = {"certs/x.pem": pem(LEAF), "certs/root.pem": pem(ROOT)}
    reading = Reading(tmp_path, "x,,root,,,,,,\n", files)
    (remark,) = reading.remarks
    assert remark.what == "issuer is root in certificates.csv and CN=Issuing in certs/x.pem"
    assert reading.issuer("x") == ""


def test_an_issuer_of_what_issued_itself_is_contradicted(tmp_path: Path) -> None:
    reading = Reading(tmp_path, "x,,root,,,,,,\n", {"certs/x.pem": pem(OWN)})
    (remark,) = reading.remarks
    assert remark.what == "issuer is root in certificates.csv and CN=srv2 in certs/x.pem"
    assert reading.kinds() == {"x": "self-signed"}


def test_of_two_issuers_of_one_name_and_key_the_row_chooses(tmp_path: Path) -> None:
    renewed = certificate("Issuing", "Root", key=1, signed_by=0, is_ca=True, not_after="2040-01-01")
    files = {"certs/i1.pem": pem(ISSUING), "certs/i2.pem": pem(renewed), "certs/x.pem": pem(LEAF)}
    assert Reading(tmp_path, "", files).issuer("x") == "i1"
    reading = Reading(tmp_path, "x,,I2,,,,,,\n", files)
    assert reading.issuer("x") == "i2"
    assert reading.remarks == []


def test_the_certificates_of_a_bundle_are_numbered(tmp_path: Path) -> None:
    reading = Reading(tmp_path, "", {"certs/srv1.pem": pem(ROOT, ISSUING, LEAF)})
    assert reading.kinds() == {"srv1": "leaf", "srv1-2": "root", "srv1-3": "intermediate"}
    assert reading.fact("srv1-3", "file") == "certs/srv1.pem#3"
    assert reading.issuer("srv1") == "srv1-3"


def test_what_a_bundle_shares_with_another_file_has_the_name_that_it_has_there(
    tmp_path: Path,
) -> None:
    files = {"certs/chain.p7b": pem(LEAF, ISSUING, ROOT), "certs/nordkai-root.pem": pem(ROOT)}
    reading = Reading(tmp_path, "sub,,,,,,,,certs/chain.p7b#2\n", files)
    assert reading.faults == []
    assert reading.remarks == []
    assert reading.kinds() == {"sub": "intermediate", "chain": "leaf", "nordkai-root": "root"}
    assert reading.issuer("sub") == "nordkai-root"


def test_two_files_of_one_name_must_hold_one_certificate(tmp_path: Path) -> None:
    same = {"certs/x.der": der(ROOT), "certs/x.pem": pem(ROOT)}
    reading = Reading(tmp_path, "", same)
    assert reading.faults == []
    assert reading.columns.name == ("x",)
    reading = Reading(tmp_path, "", {"certs/x.der": der(ROOT), "certs/X.pem": pem(OWN)})
    assert reading.faults == [
        "certs/X.pem: certs/x.der holds another certificate of the name 'X'; rename one of the two "
        "files"
    ]


def test_two_names_of_one_certificate_are_remarked_on(tmp_path: Path) -> None:
    reading = Reading(tmp_path, "", {"certs/a.pem": pem(ROOT), "certs/b.der": der(ROOT)})
    assert reading.faults == []
    (remark,) = reading.remarks
    assert remark.rule == "same-certificate"
    assert remark.what == "certs/b.der holds the certificate that is named a already"
    assert remark.file == "certs/b.der"


def test_other_files_are_remarked_on(tmp_path: Path) -> None:
    files = {"certs/notes.txt": b"hello", "certs/x.pem": pem(ROOT)}
    reading = Reading(tmp_path, "", files)
    assert reading.faults == []
    assert [(remark.rule, remark.subject) for remark in reading.remarks] == [
        ("other-file", "certs/notes.txt"),
    ]
    assert reading.columns.name == ("x",)


@pytest.mark.parametrize("file", ["certs/x.pem", "certs/x.key"])
def test_a_file_with_a_private_key_is_refused_whatever_its_suffix(
    tmp_path: Path, file: str
) -> None:
    key = KEYS[0].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    reading = Reading(tmp_path, "", {file: key + pem(ROOT)})
    (fault,) = reading.faults
    assert fault.startswith(f"{file}: the file holds a private key, so nothing of it is read; ")


def test_an_unreadable_file_is_one_fault_even_where_a_row_names_it(tmp_path: Path) -> None:
    reading = Reading(tmp_path, "a,,,,,,,,certs/x.pem\n", {"certs/x.pem": b"nothing"})
    assert len(reading.faults) == 1
    assert reading.faults[0].startswith("certs/x.pem: the file holds no certificate")


def test_certificates_that_issued_each_other_are_a_circle_of_files(tmp_path: Path) -> None:
    a = certificate("A", "B", key=0, signed_by=1, is_ca=True)
    b = certificate("B", "A", key=1, signed_by=0, is_ca=True)
    reading = Reading(tmp_path, "", {"certs/a.pem": pem(a), "certs/b.pem": pem(b)})
    (fault,) = reading.faults
    assert fault.startswith("certs/a.pem: the issuers lead round in a circle: 'a', 'b', 'a'; ")


def test_many_certificates_of_one_subject_are_read_quickly(tmp_path: Path) -> None:
    content = pem(certificate(DEFAULT_NAME))
    files = {f"certs/s{number}.arm": content for number in range(1_000)}
    reading = Reading(tmp_path, "", files)
    assert len(reading.columns) == 1_000
    assert set(reading.kinds().values()) == {"self-signed"}


def test_a_long_circle_is_found_in_linear_time(tmp_path: Path) -> None:
    n = 20_000
    rows = "".join(f"c{number},,c{(number + 1) % n},,,,,,\n" for number in range(n))
    reading = Reading(tmp_path, rows)
    (fault,) = reading.faults
    assert "'c0', 'c1', 'c2'" in fault


def test_no_rows_and_no_files_are_no_certificates() -> None:
    register = CertificateTable(Cells([]))
    register.read(empty_table("certificates.csv", CERTIFICATES, is_whole=True), {}, len)
    assert len(register.columns()) == 0


@pytest.mark.parametrize(
    ("address", "parts"),
    [
        ("certs/a.pem", ("certs/a.pem", 1)),
        ("certs/a.pem#12", ("certs/a.pem", 12)),
        ("certs/a#2.pem", ("certs/a#2.pem", 1)),
        ("certs/a#2", ("certs/a#2", 1)),
        ("", ("", 1)),
    ],
)
def test_addresses_are_split_into_path_and_place(address: str, parts: tuple[str, int]) -> None:
    assert split_address(address) == parts


def test_a_certificate_that_is_valid_on_no_day_is_a_remark(tmp_path: Path) -> None:
    reading = Reading(tmp_path, "a,,,2027-01-01,2027-01-01,,,,\nb,,,2027-01-01,2027-01-02,,,,\n")
    assert [(remark.rule, remark.subject, remark.line) for remark in reading.remarks] == [
        ("never-valid", "a", 2)
    ]
