"""dsm.sys and dsm.opt: how a client calls its servers.

A stanza of dsm.sys, or a dsm.opt that names an address, is one way to one server. Values of options
that the kit does not use are never looked at, so no secret can get any further than this module.

References
----------
Syntax: `domain.md` section 7.4.
"""

from dataclasses import dataclass, field
from typing import Final

from planner.domain.errors import Fault, Faults
from planner.domain.findings import Finding, Severity
from planner.domain.fleet import SessionKind
from planner.domain.options import OPTIONS, Option, option_code
from planner.inventory.cells import CellError, Choices
from planner.inventory.importing.evidence import (
    Evidence,
    LineAccount,
    LineUse,
    Source,
    Stanza,
    finding_at,
)
from planner.inventory.importing.option_words import Word, is_other, misspelt, word_of
from planner.inventory.importing.text import LONGEST_LINE, is_name, lines_of, port_text

_IN_BLOCK: Final = ("REPLSSLPORT",)


def read_options(
    file: str,
    text: str,
    *,
    client: str,
    kind: SessionKind = SessionKind.BACKUP,
    key_database: str = "",
) -> Evidence:
    """Read an options file of one client.

    Parameters
    ----------
    file, text
        What the source is called, and its content. Where the name holds `.opt` there are no
        stanzas: all of it is one way to one server.
    client
        Whose file it is.
    kind, key_database
        What its program's sessions are, and where that program keeps certificates.

    Returns
    -------
    Stanzas, findings, and faults: a misspelt security option, or a value that is none.

    Notes
    -----
    Linear in the number of lines.
    """
    lines = lines_of(text)
    reader = _Reader(file, len(lines), client=client, kind=kind, key_database=key_database)
    for number, line in enumerate(lines, 1):
        reader.take(number, line)
    return reader.evidence()


@dataclass(slots=True, kw_only=True)
class _Draft:
    """A stanza, or the block of a replication server, while its lines are read."""

    alias: str
    line: int
    address: str = ""
    port: str = ""
    node: str = ""
    replication: str = ""
    is_vm: bool = False
    options: dict[str, str] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)


class _Reader:
    """Reads line by line; options of replication servers belong to the block above them."""

    def __init__(
        self, file: str, n_lines: int, *, client: str, kind: SessionKind, key_database: str
    ) -> None:
        self._file, self._client = file, client
        self._kind, self._key_database = kind, key_database
        self._has_stanzas = ".opt" not in file.casefold()
        self._account = LineAccount(file, n_lines)
        self._stanzas: list[_Draft] = []
        if not self._has_stanzas:
            self._stanzas.append(_Draft(alias="", line=1))
        self._blocks: list[_Draft] = []
        self._findings: list[Finding] = []
        self._faults = Faults()

    # --- Lines ---

    def take(self, number: int, line: str) -> None:
        """Read one line."""
        text = line.strip()
        if not text:
            return
        if text.startswith("*"):
            self._account.note(number, LineUse.COMMENT, "comment")
            return
        if len(text) > LONGEST_LINE:
            what = f"the line is longer than {LONGEST_LINE:,} characters"
            self._fault(number, what, "break it, or take it out")
            return
        name, _, value = text.replace("\t", " ").partition(" ")
        value = _unquoted(value.strip())
        code = option_code(name)
        if code is not None:
            self._take_option(number, OPTIONS[code], value)
            return
        word = word_of(name)
        if word is not None:
            self._take_word(number, word, value)
        elif is_other(name):
            self._aside(number, f"option {name.upper()}")
        elif near := misspelt(name):
            cure = f"did you mean {near}? The client stops at an option that it does not know"
            self._fault(number, "the option is unknown", cure)
        else:
            self._aside(number, "an option that the kit does not know")

    def _aside(self, number: int, what: str) -> None:
        self._account.note(number, LineUse.ASIDE, what, self._subject())

    def _used(self, number: int, what: str) -> None:
        self._account.note(number, LineUse.USED, what, self._subject())

    def _fault(self, number: int, what: str, cure: str) -> None:
        self._account.note(number, LineUse.FAULT, what, self._subject())
        self._faults.append(Fault(file=self._file, line=number, what=what, cure=cure))

    def _subject(self) -> str:
        alias = self._stanzas[-1].alias if self._stanzas else ""
        return f"{self._client} -> {alias}" if alias else self._client

    def _take_option(self, number: int, option: Option, value: str) -> None:
        """Take an option of a session, with the value in its own spelling."""
        if option.choices:
            try:
                value = Choices.of_option(option).value(value)
            except CellError as error:
                self._fault(number, f"{option.name} has no value that it takes", error.cure)
                return
        else:
            value = port_text(value)
            if not value:
                what, cure = f"{option.name} is not a port", "write a number from 1 to 65535"
                self._fault(number, what, cure)
                return
        is_of_block = option.name in _IN_BLOCK
        draft = self._open_block() if is_of_block else self._open_stanza(number, option.name)
        if draft is None:
            if is_of_block:
                self._aside(number, f"option {option.name} outside the block of its server")
            return
        if self._is_repeated(number, draft, option.name):
            return
        if option.name == "TCPPORT":
            draft.port = value
        else:
            draft.options[option.column] = value
        self._used(number, f"option {option.name}")

    def _take_word(self, number: int, word: Word, value: str) -> None:
        match word:
            case Word.SECRET:
                self._aside(number, "a secret, which is not read")
            case Word.INCLEXCL:
                self._aside(number, "option INCLEXCL: a list of files, not followed")
            case Word.VMCHOST:
                draft = self._open_stanza(number, word.name)
                if draft is not None:
                    draft.is_vm = True
                    self._used(number, "option VMCHOST: a data mover")
            case Word.SERVERNAME | Word.REPLSERVERNAME:
                self._take_name(number, word, value)
            case Word.REPLTCPSERVERADDRESS | Word.REPLTCPPORT:
                self._take_text(number, word, value, self._open_block())
            case Word.TCPSERVERADDRESS | Word.NODENAME | Word.MYREPLICATIONSERVER:
                self._take_text(number, word, value, self._open_stanza(number, word.name))

    def _take_name(self, number: int, word: Word, value: str) -> None:
        """Begin a stanza, or the block of a replication server."""
        if not is_name(value):
            what = f"{word.name} is followed by no name"
            self._fault(number, what, "write one name without blanks behind it")
            return
        if word is Word.REPLSERVERNAME:
            self._blocks.append(_Draft(alias=value, line=number))
        elif self._has_stanzas:
            self._check_alias(number, value)
            self._stanzas.append(_Draft(alias=value, line=number))
        elif not self._is_repeated(number, self._stanzas[0], word.name):
            self._stanzas[0].alias = value
        else:
            return
        self._used(number, f"option {word.name}")

    def _take_text(self, number: int, word: Word, value: str, draft: _Draft | None) -> None:
        if draft is None:
            if word in (Word.REPLTCPSERVERADDRESS, Word.REPLTCPPORT):
                self._aside(number, f"option {word.name} outside the block of its server")
            return
        if word is Word.REPLTCPPORT:
            value = port_text(value)
        if not is_name(value):
            what = f"{word.name} is followed by no value that it takes"
            self._fault(number, what, "write one word behind it")
            return
        if self._is_repeated(number, draft, word.name):
            return
        match word:
            case Word.TCPSERVERADDRESS | Word.REPLTCPSERVERADDRESS:
                draft.address = value
            case Word.REPLTCPPORT:
                draft.port = value
            case Word.NODENAME:
                draft.node = value
            case _:
                draft.replication = value
        self._used(number, f"option {word.name}")

    def _open_block(self) -> _Draft | None:
        return self._blocks[-1] if self._blocks else None

    def _open_stanza(self, number: int, name: str) -> _Draft | None:
        if self._stanzas:
            return self._stanzas[-1]
        self._aside(number, f"option {name} before the first stanza")
        self._report(
            number,
            rule="option-outside-stanza",
            what=f"{name} stands before the first SERVERNAME",
            why="An option of a session counts in the stanza of its server alone.",
            fix="Move it into each stanza that it is meant for.",
        )
        return None

    # --- What is remarkable ---

    def _check_alias(self, number: int, alias: str) -> None:
        for draft in self._stanzas:
            if draft.alias.casefold() == alias.casefold():
                self._report(
                    number,
                    rule="duplicate-stanza",
                    what=f"a stanza of this name begins in line {draft.line} already",
                    why="The manual does not say which of the two the client uses.",
                    fix="Remove one of the two.",
                )
                return

    def _is_repeated(self, number: int, draft: _Draft, name: str) -> bool:
        """Whether an option has been set in a stanza before; the first one counts."""
        first = draft.lines.setdefault(name, number)
        if first == number:
            return False
        self._aside(number, f"option {name} again; the first one was taken")
        self._report(
            number,
            rule="duplicate-option",
            what=f"{name} stands in line {first} already; the first one was taken",
            why="The manual does not say which of the two the client uses.",
            fix="Remove one of the two.",
        )
        return True

    def _report(self, number: int, *, rule: str, what: str, why: str, fix: str) -> None:
        self._findings.append(
            finding_at(
                Source(self._file, number),
                rule=rule,
                severity=Severity.WARNING,
                subject=self._client,
                what=what,
                why=why,
                fix=fix,
            )
        )

    # --- The result ---

    def evidence(self) -> Evidence:
        """Return what was found, when all lines are read."""
        blocks = {block.alias.casefold(): block for block in self._blocks}
        stanzas: list[Stanza] = []
        for draft in self._stanzas:
            kind = SessionKind.VM if draft.is_vm else self._kind
            # A storage agent names its server; the address stands in its device configuration.
            if draft.address or (kind is SessionKind.STORAGE_AGENT and draft.alias):
                stanzas.append(self._stanza(draft, kind))
            elif self._has_stanzas:
                self._report(
                    draft.line,
                    rule="stanza-without-address",
                    what="the stanza has no TCPSERVERADDRESS, so it leads to no server",
                    why="The client stops with ANS1218E.",
                    fix="Add TCPSERVERADDRESS, or remove the stanza.",
                )
            if not draft.replication or not draft.address:
                continue
            block = blocks.get(draft.replication.casefold())
            if block is None or not block.address:
                self._report(
                    draft.lines["MYREPLICATIONSERVER"],
                    rule="replication-server-unknown",
                    what="MYREPLICATIONSERVER names a server without a block of its own",
                    why="The client cannot fail over; it warns with ANS2111E.",
                    fix="Let the client log on to its server, which writes the block.",
                )
            else:
                stanzas.append(self._failover(draft, block))
        return Evidence(
            stanzas=tuple(stanzas),
            lines=self._account.lines(),
            findings=tuple(self._findings),
            faults=tuple(self._faults),
        )

    def _stanza(self, draft: _Draft, kind: SessionKind) -> Stanza:
        return Stanza(
            client=self._client,
            alias=draft.alias,
            address=draft.address,
            port=draft.port,
            node=draft.node,
            options=draft.options,
            key_database=self._key_database,
            kind=kind,
            source=Source(self._file, draft.line),
        )

    def _failover(self, draft: _Draft, block: _Draft) -> Stanza:
        """Return the way to the replication server: the stanza's options, the block's address."""
        uses_ssl = draft.options.get("ssl") == "Yes"
        replsslport = block.options.get("replsslport", "")
        return Stanza(
            client=self._client,
            alias=block.alias,
            address=block.address,
            port=replsslport if uses_ssl and replsslport else block.port,
            node=draft.node,
            options={**draft.options, **block.options},
            key_database=self._key_database,
            kind=SessionKind.FAILOVER,
            is_failover=True,
            source=Source(self._file, block.line),
        )


def _unquoted(value: str) -> str:
    """Take off one pair of quotation marks, or a single pair around a double one."""
    for sign in ("'", '"'):
        if len(value) > 1 and value[0] == value[-1] == sign:
            value = value[1:-1].strip()
    return value
