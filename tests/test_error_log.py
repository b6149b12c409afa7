"""Error logs of clients."""

import datetime
from pathlib import Path

import pandas as pd

import planner
from planner.inventory.importing.error_log import read_error_log
from planner.inventory.importing.evidence import Evidence, LineUse
from planner.inventory.importing.sources import read_content

LOG = """\
04/26/2020 11:12:52 ANS1579E GSKit function GSKKM_CreateNewKeyDbEx failed with 32: GSKKM_ERR_CRYPTO
04/26/2020 11:12:52 ANS9020E A session could not be established with the server.
   The return code is -1.
04/26/2020 11:12:52 ANS5283E The operation was unsuccessful.

04/27/2020 11:12:53 ANS1592E Failed to initialize SSL protocol.
05/02/2020 23:00:01 ANS1592E Failed to initialize SSL protocol.
"""
"""In the layout of the sample, with a message of two lines and a blank one."""


def read(text: str) -> Evidence:
    """Read the error log of the client db1."""
    return read_error_log("db1/dsmerror.log", text, client="db1")


def test_each_message_of_session_security_is_one_finding() -> None:
    failed, refused = read(LOG).findings
    assert (
        failed.what
        == "ANS1579E, GSKit failed; other messages of that time tell why: once, on 04/26/2020"
    )
    assert refused.what == (
        "ANS1592E, TLS could not begin: the server's certificate is not held: "
        "2 times, from 04/27/2020 to 05/02/2020"
    )
    assert (refused.subject, refused.file, refused.line) == ("db1", "db1/dsmerror.log", 7)


def test_every_line_is_accounted_for() -> None:
    uses = [(lines.first, lines.last, lines.use) for lines in read(LOG).lines]
    assert uses == [
        (1, 1, LineUse.USED),
        (2, 2, LineUse.ASIDE),
        (3, 3, LineUse.COMMENT),
        (4, 4, LineUse.ASIDE),
        (5, 5, LineUse.COMMENT),
        (6, 7, LineUse.USED),
    ]


def test_days_are_read_in_the_forms_of_several_languages() -> None:
    forms = ("2027-01-04 01:02:03", "04.01.2027 01:02:03", "01/04/2027 01:02:03 AM")
    for form in forms:
        (found,) = read(f"{form} ANS1592E Failed").findings
        assert found.what.endswith(f"once, on {form.split()[0]}")


def test_a_log_is_known_by_its_name_or_by_how_it_begins() -> None:
    line = b"04/26/2020 11:12:52 ANS1693E The certificate is not valid.\n"
    for file in ("db1/saved.txt", "db1/dsmerror.log", "db1.dsmerror.log", "db1/api/dsierror.log"):
        (found,) = read_content(file, b"\n" + line).findings
        assert (found.rule, found.subject) == ("refused-in-error-log", "db1")


def test_a_log_that_nobody_owns_is_refused() -> None:
    (fault,) = read_content("dsmerror.log", b"").faults
    assert str(fault) == (
        "dsmerror.log: nothing says which client the file is of; give it as "
        "CLIENT=dsmerror.log, or put it into a folder of the client's name"
    )


def test_what_a_log_shows_is_among_the_findings_of_an_import(tmp_path: Path) -> None:
    (tmp_path / "db1").mkdir()
    (tmp_path / "db1" / "dsmerror.log").write_text(LOG)
    (tmp_path / "answers.txt").write_text("PLANNER-STATUS,A,8,1,9,0\n")
    out = tmp_path / "fleet"
    planner.import_fleet(tmp_path, out=out, start=datetime.date(2027, 1, 4))
    findings = pd.read_csv(out / "import_findings.csv", dtype=str, keep_default_na=False)
    assert list(findings[findings.rule == "refused-in-error-log"].line) == ["1", "7"]
