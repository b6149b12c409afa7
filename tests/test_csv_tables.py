from __future__ import annotations

import csv
import io
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.domain.errors import Fault
from planner.inventory.csv_tables import (
    MAX_COLUMNS,
    MAX_LINE,
    Table,
    neutral,
    read_table,
    restored,
    table_text,
)
from planner.inventory.schema import SESSIONS, TRUST

HEADING = "client,key_database,certificate,since"


def read(path: Path, content: str | bytes) -> tuple[Table, list[str]]:
    path = path / "trust.csv" if path.is_dir() else path
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    faults: list[Fault] = []
    table = read_table(path, "trust.csv", TRUST, faults)
    return table, [str(fault) for fault in faults]


def rows(table: Table) -> list[tuple[int, str, str]]:
    return list(zip(table.lines, table["client"], table["certificate"], strict=True))


@pytest.mark.parametrize(
    "content",
    [
        "client,certificate\ndb1,root\ndb2,leaf\n",
        "client,certificate\r\ndb1,root\r\ndb2,leaf\r\n",
        "client,certificate\rdb1,root\rdb2,leaf\r",
        "client,certificate\ndb1,root\ndb2,leaf",
        "\ufeffclient,certificate\ndb1,root\ndb2,leaf\n",
        "client;certificate\ndb1;root\ndb2;leaf\n",
        "client\tcertificate\ndb1\troot\ndb2\tleaf\n",
        "certificate,CLIENT\nroot,db1\nleaf,db2\n",
        ' Client , "Certificate"\n db1 ,root\ndb2,"leaf"\n'.replace(', "', ',"'),
    ],
    ids=["plain", "CRLF", "CR", "no end", "BOM", "semicolon", "tab", "order", "case and blanks"],
)
def test_every_common_form_of_a_csv_file_is_read(tmp_path: Path, content: str) -> None:
    table, faults = read(tmp_path, content)
    assert faults == []
    assert rows(table) == [(2, "db1", "root"), (3, "db2", "leaf")]
    assert table["since"] == ("", "")
    assert table.is_whole


def test_lines_are_right_after_blank_lines_and_line_breaks_in_cells(tmp_path: Path) -> None:
    content = '\n\nclient,certificate,more\n\ndb1,root,"a\nb\r\nc"\n,,\n \ndb2,leaf,\n'
    table, faults = read(tmp_path, content)
    assert faults == []
    assert table.heading_line == 3
    assert rows(table) == [(5, "db1", "root"), (10, "db2", "leaf")]
    assert table.extra_columns == {"more": ("a\nb\r\nc", "")}


def test_the_delimiter_is_the_one_that_yields_known_columns(tmp_path: Path) -> None:
    table, faults = read(tmp_path, "client,a;b;c;d;e,certificate\ndb1,,root\n")
    assert faults == []
    assert rows(table) == [(2, "db1", "root")]


def test_headings_may_be_shortened_and_separated_in_any_way(tmp_path: Path) -> None:
    path = tmp_path / "sessions.csv"
    path.write_text("Client,SERVER,sslreq,Key Database,encrypt-data\nc,s,No,k,Yes\n")
    faults: list[Fault] = []
    table = read_table(path, "sessions.csv", SESSIONS, faults)
    assert faults == []
    assert table.extra_columns == {}
    cells = [table[name][0] for name in ("sslrequired", "key_database", "encrypt_data")]
    assert cells == ["No", "k", "Yes"]


def test_extra_columns_are_kept_by_their_headings(tmp_path: Path) -> None:
    table, faults = read(tmp_path, "client,Rack,certificate\ndb1,R 7,root\ndb2,,leaf\n")
    assert faults == []
    assert table.extra_columns == {"Rack": ("R 7", "")}


def test_empty_headings_over_empty_cells_do_not_matter(tmp_path: Path) -> None:
    table, faults = read(tmp_path, "client,certificate,,\ndb1,root,,\ndb2,leaf\n")
    assert faults == []
    assert rows(table) == [(2, "db1", "root"), (3, "db2", "leaf")]
    assert table.extra_columns == {}


def test_a_heading_alone_is_an_empty_table(tmp_path: Path) -> None:
    table, faults = read(tmp_path, HEADING)
    assert faults == []
    assert len(table) == 0
    assert table.is_whole


@pytest.mark.parametrize("content", ["", "\n \n\n", ",,\n", "\ufeff"])
def test_a_file_without_heading_says_what_to_begin_it_with(tmp_path: Path, content: str) -> None:
    table, faults = read(tmp_path, content)
    assert faults == [f"trust.csv:1: the file is empty; begin it with {HEADING}"]
    assert not table.is_whole


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (
            "client,certifikate\n",
            "1: unknown column 'certifikate'; write it as 'certificate', or rename it if it is a "
            "column of your own",
        ),
        (
            "client\n",
            "1: column 'certificate' is missing; add it; the known columns are client, "
            "key_database, certificate, since",
        ),
        (
            "client,certificate,Client\n",
            "1: column 'Client' occurs twice; remove or rename one of the two",
        ),
        (
            "client,certificate,rack,RACK\n",
            "1: column 'RACK' occurs twice; remove or rename one of the two",
        ),
        (
            "client,certificate\ndb1,root\n\ndb2,leaf,2027-01-01\n",
            "4: 3 cells stand under 2 headings; quote a cell that holds the delimiter, or remove "
            "the surplus",
        ),
        (
            "client,certificate,\n\ndb1,root,\ndb2,leaf,lost\n",
            "4: cell 'lost' stands in a column without a heading; give it a heading",
        ),
        (
            'client,certificate\ndb1,root\ndb2,"leaf\ndb3,leaf\n',
            "3: the row is no CSV (unexpected end of data); check its quotation marks",
        ),
        (
            'client,certificate\ndb1,root\n"db2" x,leaf\n',
            "3: the row is no CSV (',' expected after '\"'); check its quotation marks",
        ),
        (
            'client,"certificate\n',
            "1: the row is no CSV (unexpected end of data); check its quotation marks",
        ),
        (
            b"client,certificate\ndb1,ro\0ot\n",
            "2: the line holds a NUL byte; save the file as UTF-8 text",
        ),
        (
            "client,certificate\n".encode("utf-16"),
            "1: the file is UTF-16 text; save it as CSV with UTF-8",
        ),
        (
            b"client,certificate\ndb1,k\xf6ln\ndb2,k\xf6ln\n",
            "2: character 6 is no UTF-8 (byte 0xf6); save the file as UTF-8",
        ),
        (
            b"client,certificate\ndb1,\xed\xa0\x80\n",
            "2: character 5 is no UTF-8 (byte 0xed); save the file as UTF-8",
        ),
        (
            "client,certificate," + ",".join(f"x{n}" for n in range(MAX_COLUMNS)) + "\n",
            "1: the heading has 502 columns; leave at most 500",
        ),
    ],
)
def test_a_fault_names_its_line_and_its_cure(
    tmp_path: Path, content: str | bytes, fault: str
) -> None:
    _, faults = read(tmp_path, content)
    assert faults == [f"trust.csv:{fault}"]


def test_rows_before_and_after_a_fault_are_still_read(tmp_path: Path) -> None:
    table, faults = read(tmp_path, b"client,certificate\ndb1,\xff\ndb2,a,b\ndb3,c\n")
    assert len(faults) == 2
    assert [row[:2] for row in rows(table)] == [(2, "db1"), (4, "db3")]
    table, faults = read(tmp_path, b"client,certificate\ndb1,a\ndb2,\0\ndb3,c\n")
    assert len(faults) == 1
    assert rows(table) == [(2, "db1", "a")]
    assert not table.is_whole


def test_a_missing_file_and_a_folder_in_its_place_are_faults(tmp_path: Path) -> None:
    faults: list[Fault] = []
    assert not read_table(tmp_path / "trust.csv", "trust.csv", TRUST, faults).is_whole
    (tmp_path / "trust.csv").mkdir()
    assert not read_table(tmp_path / "trust.csv", "trust.csv", TRUST, faults).is_whole
    assert [str(fault) for fault in faults] == [
        "trust.csv: the file is missing; create it, or correct its name",
        "trust.csv: this is a folder; put a file in its place",
    ]


def test_a_line_of_300_megabytes_is_refused_in_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "trust.csv"
    with path.open("wb") as file:
        file.write(b"client,certificate\n")
        for _ in range(300):
            file.write(b"x" * 1_000_000)
    faults: list[Fault] = []
    tracemalloc.start()
    read_table(path, "trust.csv", TRUST, faults)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    path.unlink()
    assert [str(fault) for fault in faults] == [
        f"trust.csv:2: the line is longer than {MAX_LINE:,} characters; break it, or export the "
        "table again"
    ]
    assert peak < 30_000_000


def test_a_quotation_mark_that_is_never_closed_does_not_swallow_the_file(tmp_path: Path) -> None:
    content = 'client,certificate\ndb1,root\n"db2,leaf\n' + "db3,leaf\n" * 100_000
    table, faults = read(tmp_path, content)
    assert len(faults) == 1
    assert faults[0].startswith("trust.csv:3: the row is no CSV (field larger than field limit")
    assert rows(table) == [(2, "db1", "root")]


def test_a_long_table_is_read_in_pieces(tmp_path: Path) -> None:
    n = 25_000
    lines = (f"db{number},root" for number in range(n))
    table, faults = read(tmp_path, "client,certificate\n" + "\n".join(lines))
    assert faults == []
    assert len(table) == n
    assert rows(table)[-1] == (n + 1, f"db{n - 1}", "root")


@pytest.mark.parametrize("text", ["=1+1", "+49 40", "-", "@home", "'=1", "''@", "\tx", "\rx"])
def test_formulas_are_neutralised_and_restored(text: str) -> None:
    assert neutral(text) == f"'{text}"
    assert restored(neutral(text)) == text


@pytest.mark.parametrize("text", ["", "db1", "'quoted'", "don't", "1-2", "'"])
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert neutral(text) == restored(text) == text


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)


@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=6))
def test_any_text_that_is_written_reads_back(
    tmp_path_factory: pytest.TempPathFactory, cells: list[tuple[str, str]]
) -> None:
    path = tmp_path_factory.mktemp("round") / "trust.csv"
    columns = [
        [f"client {number}" for number in range(len(cells))],
        [first.strip() for first, _ in cells],
        [second.strip() for _, second in cells],
    ]
    text = table_text(["client", "certificate", "=note"], columns)
    table, faults = read(path, text)
    assert faults == []
    assert list(table["client"]) == columns[0]
    assert list(table["certificate"]) == columns[1]
    assert list(table.extra_columns["=note"]) == columns[2]
    for row in csv.reader(io.StringIO(text, newline="")):
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row)


@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_are_read_or_faulty_but_never_crash(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, has_heading: bool
) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "trust.csv"
    table, faults = read(path, HEADING.encode() + b"\n" + content if has_heading else content)
    assert table.is_whole or faults
    assert all(len(table[column.name]) == len(table) for column in TRUST)
    assert all(fault.startswith("trust.csv:") and "; " in fault for fault in faults)


@given(st.lists(st.text(",;\t\"'\n\r =a", max_size=15), max_size=6))
def test_any_mix_of_signs_that_mean_something_is_read_or_faulty(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str]
) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "trust.csv"
    table, faults = read(path, "\n".join(["client,certificate", *lines]))
    assert table.is_whole or faults
    assert list(table.lines) == sorted(set(table.lines))
