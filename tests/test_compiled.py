"""The machine code's cache belongs to one state of the sources."""

from pathlib import Path

import pytest
from numba.core import config

from planner.engine import compiled as module
from planner.engine.compiled import allocation_free, compiled


def test_the_cache_folder_carries_a_digest_of_the_sources(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "domain").mkdir()
    engine = tmp_path / "engine"
    engine.mkdir()
    monkeypatch.setattr(module, "_ENGINE", engine)
    before = module._cache_folder()
    (tmp_path / "domain" / "rules.py").write_text("A = 1\n")
    after = module._cache_folder()
    assert before != after
    assert not Path(before).exists(), "machine code of sources that are gone is removed"
    assert Path(after).exists()


@pytest.mark.parametrize(
    ("file", "text", "counts"),
    [
        ("engine/walks.py", "from planner.engine.compiled import compiled\n", True),
        ("engine/program.py", "A = 1\n", True),
        ("domain/rules.py", "A = 1\n", True),
        ("engine/review.py", "A = 1\n", False),
    ],
)
def test_the_digest_is_of_all_that_machine_code_is_made_from_and_of_nothing_else(
    file: str, text: str, counts: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for folder in ("domain", "engine"):
        (tmp_path / folder).mkdir()
    monkeypatch.setattr(module, "_ENGINE", tmp_path / "engine")
    before = module._sources_digest()
    (tmp_path / file).write_text(text)
    assert (module._sources_digest() != before) is counts


def test_the_machine_code_of_these_sources_is_found_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for folder in ("domain", "engine"):
        (tmp_path / folder).mkdir()
    monkeypatch.setattr(module, "_ENGINE", tmp_path / "engine")
    kept = Path(module._cache_folder()) / "code.nbi"
    kept.write_text("machine code")
    assert module._cache_folder() == str(kept.parent)
    assert kept.exists()


def test_a_read_only_installation_leaves_the_cache_to_numba(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "__pycache__").write_text("a file where the folder would be")
    monkeypatch.setattr(module, "_ENGINE", tmp_path)
    assert module._cache_folder() == ""


def test_what_cannot_be_removed_is_left(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "domain").mkdir()
    monkeypatch.setattr(module, "_ENGINE", tmp_path / "engine")
    stale = tmp_path / "engine" / "__pycache__" / "kernel-0"
    stale.parent.mkdir(parents=True)
    stale.write_text("a file, which is removed in another way than a folder")
    assert Path(module._cache_folder()).is_dir()
    assert stale.exists()


def test_compiling_leaves_numbas_own_setting_as_it_was() -> None:
    before = getattr(config, module._SETTING)
    for compiler in (compiled, allocation_free):
        double = compiler(lambda number: number * 2)
        assert double(21) == 42
    assert getattr(config, module._SETTING) == before
