"""The download button: what a click hands to the browser."""

import pandas as pd
import pytest

from planner.widgets import DownloadButton
from tests.golden.tables import eight_cases


def table() -> pd.DataFrame:
    return pd.DataFrame({"client": ["\N{ANCHOR}1", "b"], "day": ["2027-01-04", ""]})


def test_the_file_is_the_csv_of_the_table() -> None:
    plan = eight_cases().plan
    assert DownloadButton(plan.to_frame, "schedule.csv").value == (
        plan.to_frame().to_csv(index=False).encode()
    )


def test_a_click_sends_the_table_as_it_is_then(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[object, list[bytes]]] = []
    tables = [table()]
    button = DownloadButton(lambda: tables[-1], "t.csv")
    monkeypatch.setattr(button, "send", lambda content, buffers: sent.append((content, buffers)))

    button._handle_custom_msg("download", [])
    tables.append(table().head(1))
    button._handle_custom_msg("download", [])
    button._handle_custom_msg("something else", [])

    assert sent == [
        ("file", ["client,day\n\N{ANCHOR}1,2027-01-04\nb,\n".encode()]),
        ("file", ["client,day\n\N{ANCHOR}1,2027-01-04\n".encode()]),
    ]


def test_it_says_its_name_and_size() -> None:
    assert repr(DownloadButton(table, "t.csv")) == "DownloadButton('t.csv', 30 bytes)"
