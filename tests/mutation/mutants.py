"""Mutants of a module, by mutmut's operators, wherever they stand.

mutmut itself leaves out decorated functions, which all compiled loops are, and whatever stands
outside functions, which all tables of rules do. Here only annotations, decorators, docstrings, type
variables and the calls that mutmut itself never changes are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation.mutators import mutation_operators

UNCHANGED_CALLS = frozenset({"len", "isinstance", "TypeVar", "ParamSpec", "cast"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One change of one module.

    `function` is the outermost function around it, with its class, and empty outside functions;
    `lines` are those of the statement, `before` and `after` the ones that differ.
    """

    module: str
    number: int
    function: str
    lines: range
    before: str
    after: str
    source: str

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What tells this change from others, wherever its lines move to."""
        return self.module, self.function, self.before, self.after


@dataclass(frozen=True, slots=True)
class _Site:
    node: cst.CSTNode
    changed: cst.CSTNode
    function: str
    lines: range


class _Sites(cst.CSTVisitor):
    """Collects each node with each of its changes."""

    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self) -> None:
        super().__init__()
        self.found: list[_Site] = []
        self._is_in_statement = False
        self._scopes: list[cst.ClassDef | cst.FunctionDef] = []
        self._lines = [range(1, 2)]

    def on_visit(self, node: cst.CSTNode) -> bool:
        if _is_left_out(node):
            return False
        if isinstance(node, cst.ClassDef | cst.FunctionDef):
            self._scopes.append(node)
        self._lines.append(self._lines_of(node))
        for kind, operator in mutation_operators:
            if isinstance(node, kind):
                for changed in operator(node):
                    self.found.append(_Site(node, changed, self._function(), self._lines[-1]))
        return True

    def on_leave(self, original_node: cst.CSTNode) -> None:
        if _is_left_out(original_node):
            return
        self._lines.pop()
        if isinstance(original_node, cst.SimpleStatementLine):
            self._is_in_statement = False
        if self._scopes and self._scopes[-1] is original_node:
            self._scopes.pop()

    def _lines_of(self, node: cst.CSTNode) -> range:
        """Lines of the simple statement around a node; of the node, in the head of another."""
        place = self.get_metadata(PositionProvider, node, None)
        if self._is_in_statement or place is None:
            return self._lines[-1]
        self._is_in_statement = isinstance(node, cst.SimpleStatementLine)
        return range(place.start.line, place.end.line + 1)

    def _function(self) -> str:
        names: list[str] = []
        for scope in self._scopes:
            names.append(scope.name.value)
            if isinstance(scope, cst.FunctionDef):
                return ".".join(names)
        return ""


def _is_left_out(node: cst.CSTNode) -> bool:
    match node:
        case cst.Annotation() | cst.Decorator() | cst.Import() | cst.ImportFrom():
            return True
        case cst.Call(func=cst.Name(value=name)):
            return name in UNCHANGED_CALLS
        case cst.Expr(value=cst.SimpleString() | cst.ConcatenatedString()):
            return True  # a docstring
        case cst.If(test=cst.Name(value="TYPE_CHECKING")):
            return True
        case _:
            return False


class MutableModule:
    """A module, and each of its mutants by its number."""

    def __init__(self, path: Path, root: Path) -> None:
        self.path = path
        self.name = ".".join(path.relative_to(root).with_suffix("").parts)
        self._wrapper = MetadataWrapper(cst.parse_module(path.read_text(encoding="utf-8")))
        sites = _Sites()
        self._wrapper.visit(sites)
        self._sites = sites.found

    def __len__(self) -> int:
        return len(self._sites)

    def mutant(self, number: int) -> Mutant | None:
        """Return a mutant; nothing if the change cannot be written down as Python."""
        site = self._sites[number]
        module = self._wrapper.module
        mutated = module.deep_replace(site.node, site.changed)
        if not isinstance(mutated, cst.Module):
            return None
        source = mutated.code
        try:
            compile(source, str(self.path), "exec")
        except SyntaxError:
            return None
        before, after = _difference(module.code, source)
        if before == after:
            return None
        return Mutant(
            module=self.name,
            number=number,
            function=site.function,
            lines=site.lines,
            before=before,
            after=after,
            source=source,
        )


def modules_of(root: Path, folders: tuple[str, ...]) -> Iterator[MutableModule]:
    """Yield every module of some folders that has mutants, by name."""
    for folder in folders:
        for path in sorted((root / folder).glob("*.py")):
            module = MutableModule(path, root)
            if len(module):
                yield module


def _difference(before: str, after: str) -> tuple[str, str]:
    """Return the lines that differ, without the common ones before and after them."""
    old, new = before.splitlines(), after.splitlines()
    while old and new and old[0] == new[0]:
        del old[0], new[0]
    while old and new and old[-1] == new[-1]:
        del old[-1], new[-1]
    return _joined(old), _joined(new)


def _joined(lines: list[str]) -> str:
    return " ".join(line.strip() for line in lines)
