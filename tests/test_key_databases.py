"""Listings of key databases."""

from planner.domain.calendar import NEVER, iso
from planner.inventory.importing.evidence import Evidence, LineUse
from planner.inventory.importing.key_databases import is_listing, read_listing
from tests.test_dsmadmc import uses

LIST = """\
# /usr/local/ibm/gsk8_64/bin/gsk8capicmd_64 -cert -list -db dsmcert.kdb -pw geheim
Certificates found
* default, - personal, ! trusted, # secret key
!\t"TSM Server SelfSigned SHA Key"
!\tsp-1
*-\tmine
#\t1708990603_0
"""
DETAILS = """\
Label : sp-1
Key Size : 2048
Version : X509 V3
Serial : 5a0bc1
Issuer : CN=TSM Self-Signed Certificate,OU=TSM Network,O=TSM,C=US
Subject : CN=TSM Self-Signed Certificate,OU=TSM Network,O=TSM,C=US
Not Before : August 17, 2020 11:30:00 PM GMT-02:00
Not After : August 15, 2030 12:00:00 AM GMT+00:00
Public Key
    30 82 01 22 30 0D 06 09
Fingerprint : SHA1 :
    59 0F 14 CC 00 11 22 33 44 55
    66 77 88 99 AA BB CC DD EE FF
Fingerprint : MD5 :
    59 0F 14 CC 00 11 22 33 44 55 66 77 88 99 AA BB
Fingerprint : SHA256 : 00 11 22 33 44 55 66 77 88 99 AA BB CC DD EE FF
    00 11 22 33 44 55 66 77 88 99 AA BB CC DD EE FF
Extensions
Signature Algorithm : SHA256WithRSASignature (1.2.840.113549.1.1.11)
Trust Status : Enabled
"""


def read(text: str) -> Evidence:
    """Read a listing of the client `db1`."""
    return read_listing("k.txt", text, owner="db1", key_database="api")


def test_a_list_gives_labels_and_marks() -> None:
    found = read(LIST)
    assert [(one.label, one.is_default, one.is_personal) for one in found.held] == [
        ("TSM Server SelfSigned SHA Key", False, False),
        ("sp-1", False, False),
        ("mine", True, True),
    ]
    assert {(one.owner, one.key_database) for one in found.held} == {("db1", "api")}
    assert uses(found) == [LineUse.COMMENT] * 3 + [LineUse.USED] * 3 + [LineUse.ASIDE]
    assert "geheim" not in repr(found)


def test_details_give_names_days_and_digests() -> None:
    found = read(LIST + DETAILS)
    assert len(found.held) == 3
    one = found.held[1]
    assert one.subject == one.issuer == "CN=TSM Self-Signed Certificate,OU=TSM Network,O=TSM,C=US"
    assert (iso(one.not_before), iso(one.not_after)) == ("2020-08-18", "2030-08-15")
    assert one.sha1 == "590f14cc00112233445566778899aabbccddeeff"
    assert one.sha256 == "00112233445566778899aabbccddeeff" * 2
    assert one.signature == "SHA256WithRSASignature"
    assert len(uses(found)) == len((LIST + DETAILS).splitlines())
    assert LineUse.COMMENT not in uses(found)[7:]


def test_a_time_in_another_language_is_no_day() -> None:
    (one,) = read(
        "Label : a\nNot After : 15. August 2030\nNot Before : August 32, 2030 1:00:00 AM\n"
    ).held
    assert one.not_before == one.not_after == NEVER


def test_a_listing_is_told_from_other_texts() -> None:
    assert is_listing(LIST)
    assert is_listing(DETAILS)
    assert is_listing("No certificates were found.\n")
    assert not is_listing("SErvername A\n  TCPServeraddress a\n")
    assert not is_listing("PLANNER-STATUS,SP03,8,1,27,0,\n")
