"""NIST's test cases of path validation (PKITS), against `planner.inventory.chains`.

The cases and their expectations come from the archive of pyhanko-certvalidator, which `make test`
fetches; the wheel does not carry them. `pkits/skips.csv` names every case that is not expected to
agree, with the reason; one that agrees all the same fails.
"""

from __future__ import annotations

import csv
import datetime
import json
import sys
import tarfile
from collections.abc import Collection
from functools import cache
from pathlib import Path, PurePosixPath

from planner.domain.calendar import to_day
from planner.inventory.chains import TrustJudge
from planner.inventory.x509 import CertificateFile, read_certificates

FOLDER = Path(__file__).parent / "pkits"
DAY = to_day(datetime.date(2022, 5, 1))  # on which the expectations are meant to hold
N_CASES = 246


@cache
def archive() -> dict[str, bytes]:
    """Files of the test cases by name, read from the archive in memory."""
    (pin,) = (line for line in (FOLDER / "archive.txt").read_text().splitlines() if "==" in line)
    name, _, version = pin.split()[0].partition("==")
    path = Path(sys.prefix) / "archives" / f"{name.replace('-', '_')}-{version}.tar.gz"
    assert path.exists(), f"{path} is missing; `make test` fetches it, CONTRIBUTING.md says how"
    files = {}
    with tarfile.open(path) as tar:
        for member in tar:
            if "/nist_pkits/" in member.name and (content := tar.extractfile(member)):
                files[PurePosixPath(member.name).name] = content.read()
    return files


@cache
def cases() -> dict[str, dict[str, object]]:
    found = json.loads(archive()["pkits.json"])
    return {f"{case['id']} {case['name']}": case for case in found}


def skips() -> dict[str, str]:
    with (FOLDER / "skips.csv").open(encoding="utf-8", newline="") as file:
        return {row["case"]: row["reason"] for row in csv.DictReader(file)}


@cache
def read(name: str) -> CertificateFile:
    (one,) = read_certificates(name, archive()[name])
    return one


def is_trusted(case: dict[str, object]) -> bool:
    others = case.get("other_certs", [])
    assert isinstance(others, list)
    judge = TrustJudge([read("TrustAnchorRootCertificate.crt")], map(read, others))
    return bool(judge.judge(read(str(case["cert"])), on=DAY))


def agrees(case: dict[str, object]) -> bool:
    return is_trusted(case) == ("error" not in case)


# Sections of NIST's document: revocation lists; policies; distribution points and delta lists.
SECTIONS_LEFT_OUT = ("404", "408", "409", "410", "411", "412", "414", "415")


def needs_revocation_or_policies(name: str) -> bool:
    """Whether a case is about them, by its section or by the fault that it expects."""
    error = cases()[name].get("error", {})
    assert isinstance(error, dict)
    words = str(error.get("msg_regex", ""))
    return name.startswith(SECTIONS_LEFT_OUT) or "revo" in words or "CRL" in words


def disagreeing() -> list[str]:
    return [name for name, case in cases().items() if not agrees(case)]


def faults(skipped: Collection[str]) -> list[str]:
    """Return what is wrong: a case that fails though it is not skipped, or passes though it is."""
    failing = disagreeing()
    return [
        *(f"{name} fails" for name in failing if name not in skipped),
        *(f"{name} passes unexpectedly" for name in skipped if name not in failing),
    ]


def test_every_case_agrees_or_is_skipped_for_a_reason() -> None:
    assert len(cases()) == N_CASES
    assert faults(skips()) == []
    assert len(skips()) == 60


def test_a_failure_and_an_unexpected_pass_would_be_seen() -> None:
    first = next(iter(skips()))
    assert faults(list(skips())[1:]) == [f"{first} fails"]
    passing = "40101 valid_signatures_test1"
    assert faults([*skips(), passing]) == [f"{passing} passes unexpectedly"]


def test_the_cases_that_need_neither_revocation_nor_policies_all_agree() -> None:
    plain = [name for name in cases() if not needs_revocation_or_policies(name)]
    assert len(plain) == 90
    assert [name for name in plain if not agrees(cases()[name])] == []


def test_every_skip_names_a_case_and_a_reason() -> None:
    assert [name for name in skips() if name not in cases()] == []
    assert all(skips().values())


def test_only_revocation_and_policies_are_reasons() -> None:
    for name, reason in skips().items():
        case = cases()[name]
        error = case["error"]
        assert isinstance(error, dict)
        words = str(error["msg_regex"])
        if reason.startswith("policies"):
            assert "params" in case, name
        else:
            assert reason.startswith("revocation"), name
            assert "revo" in words or "CRL" in words, name


def test_a_wrong_expectation_would_be_seen() -> None:
    case = cases()["40101 valid_signatures_test1"]
    assert agrees(case)
    assert not agrees({**case, "error": {"msg_regex": "wrong"}})


def test_the_archive_holds_what_it_should() -> None:
    assert sum(name.endswith(".crt") for name in archive()) == 405
