"""Checks of deadlines and certificates, each with a case that it reports and one it does not."""

from pathlib import Path

import pytest

from tests.builders import action, case, certificate, client, server, session, trust
from tests.oracle import Case, Row
from tests.reviewing import NEW, OLD, SERVER_UP, findings_of, only, pair, rules_of, where

# SERVER_UP makes SRV1 new on Monday 10 March; the latest safe day is Monday 3 March.


def import_on(day: str, name: str = "SRV1", **cells: str) -> Row:
    """Build the import of a certificate of BA01."""
    return action(day, "import-certificate", client="BA01", certificate=name, **cells)


def needed_on_the_17th(
    *plan: Row,
    certificates: tuple[Row, ...] = (),
    server_cells: Row | None = None,
    key_database: str = "",
) -> Case:
    """Build a new client whose server is upgraded on Monday 17 March; latest safe: 10 March."""
    up = action("2025-03-17", "upgrade-server", server="SRV1", value=NEW)
    return pair(
        server_level=OLD,
        server_cells=server_cells,
        certificates=certificates,
        plan=(up, *plan),
        key_database=key_database,
    )


def test_a_missing_import_names_who_is_refused_and_the_day_to_import(tmp_path: Path) -> None:
    found = only(needed_on_the_17th(), tmp_path / "a", "deadline-missing")
    assert where(found) == ("error", "2025-03-17", "SRV1 for BA01", "sessions.csv", 2)
    assert found.what == (
        "needed on 2025-03-17 for SRV1, and no import is planned; refused from 2025-03-17 to the "
        "end of the plan (untrusted, ANS1592E): BA01 -> SRV1 as BA01"
    )
    assert found.fix == "Import SRV1 on 2025-03-10 or earlier."
    rules = rules_of(needed_on_the_17th(import_on("2025-03-10")), tmp_path / "b")
    assert not {rule for rule in rules if rule.startswith(("deadline-", "refused-"))}


def test_a_missing_import_is_reported_once(tmp_path: Path) -> None:
    rules = rules_of(needed_on_the_17th(), tmp_path)
    assert not {rule for rule in rules if rule.startswith("refused-")}


def test_another_key_database_than_the_default_is_named(tmp_path: Path) -> None:
    found = only(needed_on_the_17th(key_database="api"), tmp_path, "deadline-missing")
    assert found.subject == "SRV1 for BA01 (key database api)"


def test_a_late_import_says_how_late_it_is(tmp_path: Path) -> None:
    found = only(needed_on_the_17th(import_on("2025-03-18")), tmp_path / "a", "deadline-late")
    assert where(found) == ("error", "2025-03-17", "SRV1 for BA01", "plan.csv", 3)
    assert found.what == (
        "needed on 2025-03-17 for SRV1, import planned on 2025-03-18, 1 day too late; refused from "
        "2025-03-17 until 2025-03-18 (untrusted, ANS1592E): BA01 -> SRV1 as BA01"
    )
    assert found.fix == "Move the import to 2025-03-10 or earlier."
    later = only(needed_on_the_17th(import_on("2025-03-19")), tmp_path / "b", "deadline-late")
    assert "import planned on 2025-03-19, 2 days too late; refused" in later.what


def test_an_import_of_the_same_day_is_a_warning(tmp_path: Path) -> None:
    found = only(needed_on_the_17th(import_on("2025-03-17")), tmp_path, "deadline-same-day")
    assert where(found) == ("warning", "2025-03-17", "SRV1 for BA01", "plan.csv", 3)
    assert found.what == "needed on 2025-03-17 for SRV1, import planned on 2025-03-17, the same day"
    assert found.fix == (
        "Move the import to 2025-03-10 or earlier, or keep the services of BA01 stopped until it "
        "is done."
    )


def test_an_import_inside_the_lead_is_a_warning(tmp_path: Path) -> None:
    found = only(needed_on_the_17th(import_on("2025-03-11")), tmp_path, "deadline-tight")
    assert where(found) == ("warning", "2025-03-17", "SRV1 for BA01", "plan.csv", 3)
    assert found.what == (
        "needed on 2025-03-17 for SRV1, import planned on 2025-03-11, after the latest safe day "
        "2025-03-10"
    )
    assert found.fix == "Move the import to 2025-03-10 or earlier."


def test_an_anchor_that_comes_too_late_makes_the_deadline_impossible(tmp_path: Path) -> None:
    def opening(day: str) -> Case:
        return needed_on_the_17th(
            import_on(day), certificates=(certificate("SRV1", available=day),)
        )

    found = only(opening("2025-03-18"), tmp_path / "a", "deadline-impossible")
    assert where(found) == ("error", "2025-03-17", "SRV1 for BA01", "plan.csv", 3)
    assert "1 day too late" in found.what
    assert found.fix == (
        "SRV1 can be had from 2025-03-18 on: get it before 2025-03-17, or move the upgrade of BA01 "
        "or its server to a day after 2025-03-18."
    )
    assert "deadline-impossible" not in rules_of(opening("2025-03-17"), tmp_path / "b")


def test_a_cure_never_asks_for_a_day_before_the_anchor_can_be_had(tmp_path: Path) -> None:
    cells = (certificate("SRV1", available="2025-03-13"),)
    found = only(needed_on_the_17th(certificates=cells), tmp_path, "deadline-missing")
    assert found.fix == (
        "Import SRV1 on 2025-03-13: SRV1 cannot be had earlier; the latest safe day 2025-03-10 is "
        "before that, so check it twice."
    )


def test_a_cure_never_asks_for_a_day_before_the_plan(tmp_path: Path) -> None:
    broken = pair(server_level=OLD, plan=(SERVER_UP,))
    broken.toml["start"] = "2025-03-05"
    found = only(broken, tmp_path, "deadline-missing")
    assert found.fix == (
        "Import SRV1 on 2025-03-05: that is the plan's first day; the latest safe day 2025-03-03 "
        "is before that, so check it twice."
    )


def test_trust_that_comes_later_by_trust_csv_is_found_in_its_file(tmp_path: Path) -> None:
    broken = needed_on_the_17th()
    broken.trust.append(trust("BA01", "SRV1", since="2025-03-18"))
    found = only(broken, tmp_path, "deadline-late")
    assert (found.file, found.line) == ("trust.csv", 2)


def test_deadlines_without_fault_cost_nothing(tmp_path: Path) -> None:
    sound = pair(held=("SRV1",))
    assert not {r for r in rules_of(sound, tmp_path) if r.startswith("deadline")}


# --- Imports -------------------------------------------------------------------------------------


def test_an_import_before_the_certificate_exists_is_a_warning(tmp_path: Path) -> None:
    cells = (certificate("SRV1", not_before="2025-03-06", not_after="2035-03-06"),)
    early = needed_on_the_17th(import_on("2025-03-05"), certificates=cells)
    found = only(early, tmp_path / "a", "import-before-available")
    assert where(found) == (
        "warning",
        "2025-03-05",
        "import-certificate BA01 SRV1",
        "plan.csv",
        3,
    )
    assert found.what == "SRV1 can be had from 2025-03-06 on, not on 2025-03-05"
    assert found.fix == "Move the import to 2025-03-06 or later, or get SRV1 earlier."
    sound = needed_on_the_17th(import_on("2025-03-06"), certificates=cells)
    assert "import-before-available" not in rules_of(sound, tmp_path / "b")


CHAIN = (
    certificate("root", kind="root"),
    certificate("issuing", kind="intermediate", issuer="root"),
    certificate("leaf", issuer="issuing"),
)


def signed(*plan: Row, certificates: tuple[Row, ...] = CHAIN) -> Case:
    """Build a server with a CA-signed certificate that becomes new on 17 March."""
    return needed_on_the_17th(
        *plan, certificates=certificates, server_cells={"certificate": "leaf"}
    )


def test_an_intermediate_instead_of_its_root_is_a_warning(tmp_path: Path) -> None:
    found = only(signed(import_on("2025-03-10", "issuing")), tmp_path / "a", "import-without-trust")
    assert where(found) == (
        "warning",
        "2025-03-10",
        "import-certificate BA01 issuing",
        "plan.csv",
        3,
    )
    assert found.what == "issuing is issued by another certificate; holding it alone is no trust"
    assert found.why == (
        "A client trusts a chain by its root, which must be in the key database (ANS1692E). "
        "[MSG821, documented]"
    )
    assert found.fix == "Import root, the root of its chain, instead or as well."
    both = signed(import_on("2025-03-10", "issuing"), import_on("2025-03-10", "root"))
    assert "import-without-trust" not in rules_of(both, tmp_path / "b")


def test_an_import_without_trust_is_found_behind_one_whose_root_is_there(tmp_path: Path) -> None:
    built = signed(import_on("2025-03-10", "issuing"), import_on("2025-03-10", "root"))
    assert built.plan is not None
    built.clients.append(client("BA02", NEW))
    built.sessions.append(session("BA02", "SRV1"))
    built.plan.append({**import_on("2025-03-10", "issuing"), "client": "BA02"})
    found = only(built, tmp_path, "import-without-trust")
    assert found.subject == "import-certificate BA02 issuing"


def test_the_first_certificate_of_the_file_is_looked_at_as_well(tmp_path: Path) -> None:
    first = (
        certificate("issuing", kind="intermediate", issuer="root"),
        certificate("root", kind="root"),
        certificate("leaf", issuer="issuing", server="SRV1"),
    )
    found = signed(import_on("2025-03-10", "issuing"), certificates=first)
    assert only(found, tmp_path, "import-without-trust").subject.endswith("issuing")


def test_an_intermediate_without_issuer_is_no_trust_either(tmp_path: Path) -> None:
    loose = (certificate("leaf", kind="leaf"),)
    found = only(
        signed(import_on("2025-03-10", "leaf"), certificates=loose),
        tmp_path,
        "import-without-trust",
    )
    assert found.fix == (
        "Give leaf its issuer in certificates.csv, up to the root, and import the root."
    )


# --- Certificates --------------------------------------------------------------------------------


def expiring(*plan: Row, not_after: str = "2025-03-20") -> Case:
    """Build a session with TLS whose server's certificate expires."""
    cells = (certificate("SRV1", not_before="2015-03-20", not_after=not_after),)
    return pair(held=("SRV1", "SRV1-next"), certificates=cells, plan=plan)


def test_an_expiring_certificate_names_who_is_refused(tmp_path: Path) -> None:
    found = only(expiring(), tmp_path / "a", "certificate-expires")
    assert where(found) == ("error", "2025-03-20", "SRV1 of SRV1", "certificates.csv", 2)
    assert found.what == (
        "SRV1 expires on 2025-03-20; SRV1 still presents it then; refused from 2025-03-20 to the "
        "end of the plan (expired, ANS1693E): BA01 -> SRV1 as BA01"
    )
    assert found.fix == (
        "Plan a replace-certificate of SRV1 before 2025-03-20, and import the anchor of the new "
        "certificate into the key databases before that."
    )
    rules = rules_of(expiring(not_after="2025-03-31"), tmp_path / "b")
    assert "certificate-expires" not in rules
    assert "refused-expired" not in rules_of(expiring(), tmp_path / "c")


def test_a_certificate_replaced_in_time_is_a_note(tmp_path: Path) -> None:
    change = action("2025-03-20", "replace-certificate", server="SRV1", certificate="SRV1-next")
    found = only(expiring(change), tmp_path, "certificate-expires")
    assert found.severity == "note"
    assert found.what == (
        "SRV1 expires on 2025-03-20; SRV1 presented it, and another certificate by then"
    )
    assert found.fix == "Nothing to do while the replacement stays as planned."


def test_an_expiring_certificate_that_nobody_checks_is_a_warning(tmp_path: Path) -> None:
    cells = (certificate("SRV1", not_before="2015-03-20", not_after="2025-03-20"),)
    found = only(pair(client_level=OLD, certificates=cells), tmp_path, "certificate-expires")
    assert found.severity == "warning"
    assert "refused" not in found.what


def test_a_certificate_that_expired_before_the_plan_is_reported_on_its_first_day(
    tmp_path: Path,
) -> None:
    found = only(expiring(not_after="2025-02-20"), tmp_path, "certificate-expires")
    assert where(found)[:2] == ("error", "2025-03-03")
    assert found.what.startswith("SRV1 expires on 2025-02-20;")


def test_an_expiring_root_is_one_finding_for_all_of_its_servers(tmp_path: Path) -> None:
    broken = case(
        servers=[server(name, NEW, certificate=f"leaf-{name}") for name in ("SRV1", "SRV2")],
        clients=[client("BA01", NEW)],
        sessions=[session("BA01", name) for name in ("SRV1", "SRV2")],
        certificates=[
            certificate("root", kind="root", not_before="2015-01-01", not_after="2025-03-20"),
            *(certificate(f"leaf-{name}", issuer="root") for name in ("SRV1", "SRV2")),
        ],
        trust=[trust("BA01", "root")],
    )
    found = only(broken, tmp_path, "certificate-expires")
    assert found.subject == "root of SRV1, SRV2"
    assert "SRV1, SRV2 still present a certificate of its chain then" in found.what


def test_an_md5_certificate_says_when_it_goes_and_what_follows(tmp_path: Path) -> None:
    md5 = (certificate("SRV1", signature="md5WithRSAEncryption"),)
    broken = pair(server_level=OLD, client_level=OLD, certificates=md5, plan=(SERVER_UP,))
    found = only(broken, tmp_path / "a", "md5-certificate")
    assert where(found) == ("warning", "2025-03-03", "SRV1", "servers.csv", 2)
    assert found.what == (
        "SRV1 presents SRV1, an MD5-signed certificate, until 2025-03-10, then SRV1-cert256"
    )
    assert found.fix == (
        "Import SRV1-cert256 before 2025-03-10 into the key databases of all clients that have SSL "
        "Yes with SRV1."
    )
    sha = (certificate("SRV1", signature="sha256WithRSAEncryption"),)
    assert "md5-certificate" not in rules_of(pair(certificates=sha), tmp_path / "b")


def test_an_md5_certificate_that_stays_is_to_be_replaced(tmp_path: Path) -> None:
    md5 = (certificate("SRV1", signature="md5WithRSAEncryption"),)
    found = only(pair(server_level="8.1.2", certificates=md5), tmp_path, "md5-certificate")
    assert found.what.endswith("to the end of the plan")
    assert "plan a replace-certificate" in found.fix


def test_an_incomplete_chain_is_one_error_that_names_its_victims(tmp_path: Path) -> None:
    loose = (certificate("issuing", kind="intermediate"), certificate("leaf", issuer="issuing"))
    found = only(signed(certificates=loose), tmp_path / "a", "incomplete-chain")
    assert where(found) == ("error", "2025-03-03", "issuing of SRV1", "certificates.csv", 2)
    assert found.what == (
        "issuing, where the chain of leaf ends, is no root and names no issuer; refused from "
        "2025-03-17 to the end of the plan (untrusted, ANS1592E): BA01 -> SRV1 as BA01"
    )
    assert found.fix == (
        "Give issuing its issuer in certificates.csv, up to the root, and import the root."
    )
    others = {row.rule for row in findings_of(signed(certificates=loose), tmp_path / "b")}
    assert not {rule for rule in others if rule.startswith(("deadline-", "refused-"))}
    assert "incomplete-chain" not in rules_of(signed(), tmp_path / "c")


def test_a_lone_leaf_is_an_incomplete_chain_of_its_own(tmp_path: Path) -> None:
    found = only(
        signed(certificates=(certificate("leaf", kind="leaf"),)), tmp_path, "incomplete-chain"
    )
    assert found.what.startswith("leaf is no root and names no issuer; refused")


@pytest.mark.parametrize("described", [True, False])
def test_a_certificate_that_nothing_describes_is_a_note(tmp_path: Path, described: bool) -> None:
    cells = (certificate("SRV1"),) if described else ()
    rows = findings_of(pair(held=("SRV1",), certificates=cells), tmp_path)
    rows = rows.of("undescribed-certificate")
    assert [where(row) for row in rows] == (
        [] if described else [("note", "2025-03-03", "SRV1", "", 0)]
    )
    for row in rows:
        assert row.what == "no row of certificates.csv and no file in certs/ describes SRV1"
        assert row.fix == "Describe SRV1 in certificates.csv, or put its file into certs/."
