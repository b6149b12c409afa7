"""The documentation: it builds without a warning, its commands run, and it leaves no rule out."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import planner
from planner import cli
from planner.domain.rules import (
    DEADLINE_RULES,
    RULES,
    VERDICTS,
    DeadlineRule,
    Mode,
    Rule,
    Status,
)

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "docs" / "pages"
N_USE_CASES = 8
EVERY_RULE: list[Rule | DeadlineRule] = [*RULES, *DEADLINE_RULES]
FROM_ELSEWHERE = re.compile(
    r"<(?:script|link|img)\b[^>]*?\b(?:src|href)=[\"']?((?:https?:)?//[^\"'\s>]+)"
)
COMMANDS = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built pages; a warning, as of a link that leads nowhere, ends the build."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict"]
    command += ["-f", str(ROOT / "docs" / "mkdocs.yml"), "-d", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder


def page(site: Path, name: str) -> str:
    return (site / name).read_text(encoding="utf-8")


def test_every_rule_and_verdict_is_on_the_page_of_rules(site: Path) -> None:
    text = page(site, "rules.html")
    assert [rule.id for rule in EVERY_RULE if f">{rule.id}<" not in text] == []


def test_what_the_kit_does_not_know_lists_every_inferred_rule_and_no_other(site: Path) -> None:
    text = page(site, "unknown.html")
    for rule in EVERY_RULE:
        assert (f">{rule.id}<" in text) is (rule.status is Status.INFERRED), rule.id


def test_every_public_name_is_on_the_page_of_python(site: Path) -> None:
    text = page(site, "api.html")
    modules = {"plots", "tables"}
    assert [n for n in planner.__all__ if f"planner.{n}" not in text and n not in modules] == []


def test_pages_ask_no_other_host_for_anything(site: Path) -> None:
    paths = list(site.rglob("*.html"))
    assert len(paths) > 10
    for path in paths:
        assert FROM_ELSEWHERE.findall(path.read_text(encoding="utf-8")) == [], path


@pytest.mark.parametrize(
    "tag",
    [
        '<link rel="stylesheet" href="https://other.example/a">',
        "<script src='http://other.example/a'></script>",
        '<img alt="" src="//other.example/a">',
        "<img\nsrc=//other.example/a>",
    ],
)
def test_a_page_that_asked_another_host_would_be_seen(tag: str) -> None:
    (found,) = FROM_ELSEWHERE.findall(f'<a href="https://fine.example">x</a>{tag}<img src="b.png">')
    assert found.endswith("//other.example/a")


def test_every_mode_and_verdict_is_a_word_of_the_glossary() -> None:
    rows = (PAGES / "glossary.md").read_text(encoding="utf-8").splitlines()[4:]
    words = [row.split("|")[1].strip() for row in rows]
    assert {*(mode.label for mode in Mode), *VERDICTS} <= set(words)
    assert len(words) == len(set(words))


def test_each_use_case_has_a_how_to_that_names_a_client_of_the_example() -> None:
    run = planner.plan(ROOT / "data" / "eight-cases")
    table = planner.schedule(run.plan, run.deadlines)
    for number in range(1, N_USE_CASES + 1):
        text = (PAGES / "use-cases" / f"{number}.md").read_text(encoding="utf-8")
        assert text.startswith(f"# {number}. ")
        (client,) = re.findall(r"the client `([^`]+)`", text)
        cases = run.deadlines.to_frame().query("client == @client")["use_case"]
        of_actions = table[table["client"] == client]["use_case"]
        assert str(number) in {*cases, *of_actions}, (number, client)


def commands() -> list[str]:
    found = []
    for path in sorted(PAGES.rglob("*.md")):
        for block in COMMANDS.findall(path.read_text(encoding="utf-8")):
            found += block.splitlines()
    return list(dict.fromkeys(found))


def test_every_command_of_the_pages_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "data").symlink_to(ROOT / "data")
    monkeypatch.chdir(tmp_path)
    run = commands()
    assert len(run) > 6
    # Those that read what another one writes come after it.
    for command in sorted(run, key=lambda text: "out/" in text):
        program, *arguments = shlex.split(command)
        assert program == "planner"
        assert cli.main(arguments) in (cli.FINE, cli.HAS_ERRORS), (command, capsys.readouterr())
