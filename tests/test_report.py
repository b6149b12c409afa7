"""The report: a page that needs nothing else, shows every name as text, and proves itself."""

import hashlib
import re
import stat
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

import planner
from planner import cli
from planner.domain.errors import InventoryError, PlannerError
from planner.domain.version import MADE_BY
from planner.reporting import report as module
from planner.reporting.report import Packet
from tests.builders import action, case, client, server, session, write_case

NEW = "8.1.13"
HOSTILE = (
    '"><img src=x onerror=alert(1)>',
    "<script>alert(2)</script>",
    "\N{ANCHOR}\N{HEBREW LETTER ALEF}\N{HEBREW LETTER BET}",
    "x" * 300,
)
FAKE_BROWSER = f"""#!{sys.executable}
import pathlib, sys
out = next(a.partition("=")[2] for a in sys.argv if a.startswith("--print-to-pdf="))
page = pathlib.Path(sys.argv[-1].removeprefix("file://"))
pathlib.Path(out).write_bytes(b"%PDF of " + page.read_bytes()[:15])
"""


class Page(HTMLParser):
    """The tags, attributes and texts of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a fleet whose names are code, pictures and 300 characters long."""
    folder = tmp_path_factory.mktemp("fleet")
    built = case(
        servers=[server(HOSTILE[0])],
        clients=[client(name, owner=HOSTILE[1]) for name in HOSTILE],
        sessions=[session(name, HOSTILE[0]) for name in HOSTILE],
        plan=[
            action("2025-03-10", "upgrade-server", server=HOSTILE[0], value=NEW),
            *(action("2025-03-20", "upgrade-client", client=n, value=NEW) for n in HOSTILE),
        ],
    )
    built.toml["name"] = HOSTILE[1]
    write_case(built, folder)
    return folder


@pytest.fixture(scope="module")
def packet(fleet: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Packet]:
    """Return the packet of that fleet, printed by something that is no browser."""
    folder = tmp_path_factory.mktemp("packet")
    browser = folder / "browser"
    browser.write_text(FAKE_BROWSER)
    browser.chmod(stat.S_IRWXU)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_BROWSERS", (str(browser),))
        yield planner.report(fleet, out=folder / "out")


@pytest.fixture(scope="module")
def page(packet: Packet) -> Page:
    return Page(packet.html.read_text(encoding="utf-8"))


def test_the_page_says_which_version_made_it(packet: Packet) -> None:
    text = packet.html.read_text(encoding="utf-8")
    assert f'<meta name="generator" content="{MADE_BY}">' in text
    assert f"Made by {MADE_BY}." in text


def test_the_page_has_no_script_and_asks_the_network_for_nothing(
    packet: Packet, page: Page
) -> None:
    assert not {"script", "link", "iframe", "object", "base"} & {tag for tag, _ in page.tags}
    for _, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on")]
        address = attributes.get("src") or attributes.get("href") or "#"
        assert address.startswith(("data:image/png", "#"))
    assert not re.search(r"https?://|@import|url\(", packet.html.read_text(encoding="utf-8"))


def test_every_picture_says_in_words_what_it_shows(page: Page) -> None:
    words = [picture["alt"] or "" for picture in page.all("img")]
    titles = ("Sessions by security mode: ", "Rollout: ", "When trusted certificates must be ")
    assert len(words) == len(titles)
    for text, title in zip(words, titles, strict=True):
        assert text.startswith(title)
        assert len(text) > len(title) + 40


def test_names_that_carry_html_are_text(page: Page) -> None:
    assert f"Report: {HOSTILE[1]}" in page.text  # the title
    assert HOSTILE[0] in page.text
    assert page.text.count(HOSTILE[1]) >= 3  # the title, the fleet, the owner


def test_the_report_has_every_part_of_the_packet(page: Page) -> None:
    for part in (
        "Summary",
        "Waves",
        "Deadlines of each owner",
        "Risks",
        "Points of no return",
        "Rollback",
        "Evidence",
    ):
        assert part in page.text
    assert "Export" not in page.text
    assert "DownloadButton" not in page.text


def test_the_digests_of_the_report_are_those_of_the_files_beside_it(
    packet: Packet, page: Page, fleet: Path, tmp_path: Path
) -> None:
    planner.plan(fleet, out=tmp_path / "plan")
    names = {path.name for path in packet.tables}
    assert names > {path.name for path in (tmp_path / "plan").glob("*.csv")}
    for path in (tmp_path / "plan").glob("*.csv"):
        content = (packet.html.parent / path.name).read_bytes()
        assert content == path.read_bytes()
        assert hashlib.sha256(content).hexdigest() in page.text
    assert packet.run.fleet.origin.sha256 in page.text


def test_the_pdf_is_the_page_printed_by_a_browser(packet: Packet) -> None:
    assert packet.pdf is not None
    assert packet.pdf.read_bytes() == b"%PDF of <!DOCTYPE html>"
    assert repr(packet) == "Packet(report.html, report.pdf, 11 tables)"


def test_without_a_browser_there_is_no_pdf_and_the_program_says_so(
    fleet: Path,
    packet: Packet,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(module, "_BROWSERS", ("no-such-browser",))
    monkeypatch.setattr(module, "_page", lambda *_: packet.html.read_text(encoding="utf-8"))
    monkeypatch.setattr(module, "_executed", lambda _: None)
    out = tmp_path / "out"
    out.mkdir()
    (out / "report.pdf").write_text("of an earlier plan")
    assert cli.main(["report", str(fleet), "--out", str(out)]) == cli.FINE
    assert "report.html, no PDF, as no Chromium, Chrome or Edge" in capsys.readouterr().out
    assert not (out / "report.pdf").exists()
    assert (out / "report.html").exists()


def test_a_browser_that_hangs_does_not_hang_the_report(
    packet: Packet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = tmp_path / "browser"
    browser.write_text("#!/bin/sh\nexec sleep 60\n")
    browser.chmod(0o755)
    monkeypatch.setattr(module, "_BROWSERS", (str(browser),))
    monkeypatch.setattr(module, "_PATIENCE", 0.2)
    assert module._printed(packet.html.read_bytes()) is None


def test_unusable_input_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(InventoryError):
        planner.report(tmp_path / "nowhere", out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_notebook_that_fails_is_one_clear_error(
    fleet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "08_report.ipynb").write_text(
        '{"cells": [{"cell_type": "code", "execution_count": null, "id": "a", "metadata": '
        '{"tags": ["parameters"]}, "outputs": [], "source": "1 / 0"}], "metadata": {"kernelspec": '
        '{"name": "python3", "language": "python", "display_name": ""}}, "nbformat": 4, '
        '"nbformat_minor": 5}'
    )
    monkeypatch.setattr(module, "notebooks_folder", lambda: tmp_path)
    with pytest.raises(PlannerError, match=r"08_report.ipynb: .*ZeroDivisionError.*; open it"):
        planner.report(fleet, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()
