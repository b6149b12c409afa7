"""The rules that every notebook keeps; `make test` compares their outputs besides."""

import ast
import copy
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

FOLDER: Final = Path(__file__).parents[1] / "notebooks"
NOTEBOOKS: Final = sorted(FOLDER.glob("*.ipynb"))
MOST_CODE_CELLS: Final = 18
MOST_LINES: Final = 12

# A slash that no name, tag, address or dot comes before, or a drive letter.
ABSOLUTE_PATH: Final = re.compile(r"(?<![\w.<:/~])/[A-Za-z][\w.-]*/|\b[A-Za-z]:\\\w")
NOTEBOOK_LINK: Final = re.compile(r"\]\(([^)\s:]+\.ipynb)")
NAMES_THAT_FAIL_COMPARISON: Final = {"Output", "interact", "interactive", "interact_manual"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One cell; `pictures` are the kinds of its images, `text` all that nbval compares."""

    number: int
    is_code: bool
    source: str
    metadata: frozenset[str] = frozenset()
    execution_count: int | None = None
    error: str = ""
    stderr: str = ""
    pictures: tuple[str, ...] = ()
    text: str = ""
    has_table: bool = False

    @property
    def name(self) -> str:
        return f"cell {self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notebook:
    metadata: frozenset[str]
    cells: tuple[Cell, ...]

    @property
    def code(self) -> tuple[Cell, ...]:
        return tuple(cell for cell in self.cells if cell.is_code)


def parse(text: str) -> Notebook:
    content = json.loads(text)
    cells = []
    for number, cell in enumerate(content["cells"]):
        outputs = cell.get("outputs", [])
        shown = [(kind, text) for out in outputs for kind, text in out.get("data", {}).items()]
        streams = [out for out in outputs if out["output_type"] == "stream"]
        texts = ["".join(text) for kind, text in shown if kind.startswith("text/")]
        cells.append(
            Cell(
                number=number,
                is_code=cell["cell_type"] == "code",
                source="".join(cell["source"]),
                metadata=frozenset(cell["metadata"]),
                execution_count=cell.get("execution_count"),
                error=", ".join(out["ename"] for out in outputs if out["output_type"] == "error"),
                stderr="".join("".join(out["text"]) for out in streams if out["name"] == "stderr"),
                pictures=tuple(kind for kind, _ in shown if kind.startswith("image/")),
                text="\n".join([*texts, *("".join(out["text"]) for out in streams)]),
                has_table=any("<table" in text for text in texts),
            )
        )
    return Notebook(metadata=frozenset(content["metadata"]), cells=tuple(cells))


def check_execution(notebook: Notebook) -> Iterator[str]:
    """A cell that was not executed has no outputs, and nothing would be compared."""
    for place, cell in enumerate(notebook.code, start=1):
        if cell.execution_count != place:
            yield f"{cell.name}: execution count {cell.execution_count}, not {place}; run all cells"


def check_errors(notebook: Notebook) -> Iterator[str]:
    for cell in notebook.code:
        if cell.error or cell.stderr:
            yield f"{cell.name}: ends in {cell.error or 'a warning'}"


def check_size(notebook: Notebook) -> Iterator[str]:
    if len(notebook.code) > MOST_CODE_CELLS:
        yield f"{len(notebook.code)} code cells; at most {MOST_CODE_CELLS}"
    for cell in notebook.code:
        lines = len(cell.source.splitlines())
        if lines > MOST_LINES:
            yield f"{cell.name}: {lines} lines; at most {MOST_LINES}"


def check_logic(notebook: Notebook) -> Iterator[str]:
    """Logic lives in the package."""
    for cell in notebook.code:
        try:
            tree = ast.parse(cell.source)
        except SyntaxError:
            yield f"{cell.name}: is not plain Python"
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
                yield f"{cell.name}: defines something on line {node.lineno}; move it to planner/"


def check_paths(notebook: Notebook) -> Iterator[str]:
    for cell in notebook.cells:
        for text in (cell.source, cell.text):
            for match in ABSOLUTE_PATH.finditer(text):
                yield f"{cell.name}: absolute path {match.group()!r}"


def check_links(notebook: Notebook) -> Iterator[str]:
    for cell in notebook.cells:
        for target in NOTEBOOK_LINK.findall(cell.source):
            if not (FOLDER / target).exists():
                yield f"{cell.name}: there is no {target}"


def check_metadata(notebook: Notebook) -> Iterator[str]:
    """What differs from machine to machine is stripped."""
    for name in sorted(notebook.metadata - {"kernelspec"}):
        yield f"metadata {name}; strip it"
    for cell in notebook.cells:
        for name in sorted(cell.metadata - {"tags"}):
            yield f"{cell.name}: metadata {name}; strip it"


def check_pictures(notebook: Notebook) -> Iterator[str]:
    for cell in notebook.code:
        for kind in cell.pictures:
            if kind != "image/png":
                yield f"{cell.name}: {kind}; only PNG"
        if len(cell.pictures) > 1:
            yield f"{cell.name}: shows its figure {len(cell.pictures)} times"


def check_comparable(notebook: Notebook) -> Iterator[str]:
    """What nbval can compare: no captured outputs, and no `;`, which nbval fails on."""
    for cell in notebook.code:
        for name in sorted(NAMES_THAT_FAIL_COMPARISON & set(re.findall(r"\w+", cell.source))):
            yield f"{cell.name}: {name} cannot be compared"
        if cell.source.rstrip().endswith(";"):
            yield f"{cell.name}: ends in `;`"


def check_tables(notebook: Notebook) -> Iterator[str]:
    """Who cannot see a figure reads its numbers before it."""
    has_table = False
    for cell in notebook.code:
        if cell.pictures:
            if not has_table:
                yield f"{cell.name}: no table since the figure before"
            has_table = False
        has_table = has_table or cell.has_table


Check = Callable[[Notebook], Iterator[str]]
CHECKS: Final[tuple[Check, ...]] = (
    check_execution,
    check_errors,
    check_size,
    check_logic,
    check_paths,
    check_links,
    check_metadata,
    check_pictures,
    check_comparable,
    check_tables,
)


def test_the_notebooks_of_the_story_are_there() -> None:
    names = {path.stem for path in NOTEBOOKS}
    assert names >= {
        "01_fleet",
        "02_session_security",
        "03_certificate_deadlines",
        "04_inventory",
        "05_certificates",
        "06_rollout_orders",
        "07_planning_board",
        "08_report",
        "09_tracking",
        "10_slips",
    }


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_keeps_the_rule(path: Path, check: Check) -> None:
    assert list(check(parse(path.read_text(encoding="utf-8")))) == []


# --- the checks themselves: each finds the one fault that is put into a good notebook ------------

Content = dict[str, object]

OUTPUT: Final[Content] = {"output_type": "execute_result", "execution_count": 1, "metadata": {}}
TABLE: Final[Content] = {**OUTPUT, "data": {"text/html": ["<div><table></table></div>"]}}
FIGURE: Final[Content] = {**OUTPUT, "data": {"image/png": "iVBORw0", "text/plain": ["<Figure>"]}}
WARNING: Final[Content] = {"output_type": "stream", "name": "stderr", "text": ["careful"]}
PRINTED: Final[Content] = {
    "output_type": "stream",
    "name": "stdout",
    "text": ["see /srv/fleet/a.csv"],
}
ERROR: Final[Content] = {
    "output_type": "error",
    "ename": "KeyError",
    "evalue": "x",
    "traceback": [],
}
VECTOR: Final[Content] = {
    **OUTPUT,
    "data": {"image/svg+xml": ["<svg/>"], "text/plain": ["<Figure>"]},
}


def code(count: int | None, source: str, *outputs: Content) -> Content:
    return {
        "cell_type": "code",
        "execution_count": count,
        "metadata": {},
        "outputs": list(outputs),
        "source": source.splitlines(keepends=True),
    }


def prose(text: str) -> Content:
    return {"cell_type": "markdown", "metadata": {}, "source": [text]}


GOOD: Final[list[Content]] = [
    prose("See [the fleet](01_fleet.ipynb), https://a.example/b/c and ../data/harbour."),
    code(1, 'fleet = read("../data/harbour")\nfleet', TABLE),
    code(2, "ax = draw(fleet)\nax.figure", FIGURE),
]


def with_cells(cells: list[Content], **metadata: object) -> Notebook:
    return parse(json.dumps({"cells": cells, "metadata": {"kernelspec": {}, **metadata}}))


@pytest.mark.parametrize("check", CHECKS)
def test_a_good_notebook_passes(check: Check) -> None:
    assert list(check(with_cells(GOOD))) == []


@pytest.mark.parametrize(
    ("check", "place", "cell", "fault"),
    [
        (check_execution, 1, code(None, "fleet", TABLE), "execution count None"),
        (check_execution, 1, code(7, "fleet", TABLE), "execution count 7"),
        (check_errors, 1, code(1, "fleet", ERROR), "KeyError"),
        (check_errors, 1, code(1, "fleet", WARNING), "a warning"),
        (check_size, 1, code(1, "x = 1\n" * 13), "13 lines"),
        (check_logic, 1, code(1, "if True:\n    def f(): pass"), "on line 2"),
        (check_logic, 1, code(1, "class A: pass"), "on line 1"),
        (check_logic, 1, code(1, "f = lambda x: x"), "on line 1"),
        (check_logic, 1, code(1, "%matplotlib inline"), "not plain Python"),
        (check_paths, 0, prose("Look into /srv/fleet/a.csv."), "'/srv/'"),
        (check_paths, 1, code(1, 'read("/srv/fleet")', TABLE), "'/srv/'"),
        (check_paths, 1, code(1, r'read(r"D:\fleet")', TABLE), "'D:"),
        (check_paths, 1, code(1, "fleet", PRINTED), "'/srv/'"),
        (check_links, 0, prose("See [nothing](99_nothing.ipynb)."), "99_nothing.ipynb"),
        (check_metadata, 1, {**code(1, "fleet"), "metadata": {"execution": {}}}, "execution"),
        (check_pictures, 2, code(2, "ax.figure", VECTOR), "image/svg+xml"),
        (check_pictures, 2, code(2, "ax.figure", FIGURE, FIGURE), "2 times"),
        (check_comparable, 1, code(1, "out = Output()"), "Output"),
        (check_comparable, 1, code(1, "interact(draw)"), "interact"),
        (check_comparable, 2, code(2, "ax.figure;", FIGURE), "`;`"),
        (check_tables, 1, code(1, "fleet"), "cell 2: no table"),
        (check_tables, 1, code(1, "draw(fleet).figure", TABLE, FIGURE), "cell 1: no table"),
    ],
)
def test_a_check_finds_its_fault(check: Check, place: int, cell: Content, fault: str) -> None:
    cells = copy.deepcopy(GOOD)
    cells[place] = cell
    faults = list(check(with_cells(cells)))
    assert faults
    assert fault in faults[0]


def test_too_many_code_cells_are_found() -> None:
    cells = [code(place, "x = 1") for place in range(1, MOST_CODE_CELLS + 2)]
    assert list(check_size(with_cells(cells))) == ["19 code cells; at most 18"]


@pytest.mark.parametrize("name", ["language_info", "widgets"])
def test_metadata_that_is_not_stripped_is_found(name: str) -> None:
    assert list(check_metadata(with_cells(GOOD, **{name: {}}))) == [f"metadata {name}; strip it"]


def test_each_figure_needs_a_table_of_its_own() -> None:
    second = code(3, "draw(fleet).figure", FIGURE)
    assert list(check_tables(with_cells([*GOOD, second]))) == [
        "cell 3: no table since the figure before"
    ]
