"""Small changes to the parts where money is lost, one at a time: does a test fail?

`make mutants`, or `python -m tests.mutants --count 150 --seed 7 --only ledger`. Each mutant is made
in a copy of the tree and meets the tests that look at its part, in rounds: most are noticed within
seconds. One that all of them let pass is printed with what was changed. `KNOWN` and `EQUIVALENT`
list changes that make no difference.
"""

from __future__ import annotations

import argparse
import ast
import copy
import difflib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

ROOT = Path(__file__).parents[1]

PARTS = ("upload", "ledger", "http", "pace", "wire")
"""Where a slip loses money, below the package."""

_VALUES = (
    "tests/unit/test_batches.py",
    "tests/unit/test_batches_source.py",
    "tests/unit/test_check_items.py",
    "tests/unit/test_check_limits.py",
    "tests/unit/test_check_paths.py",
    "tests/unit/test_check_duplicates.py",
    "tests/unit/test_cells.py",
    "tests/unit/test_match.py",
    "tests/unit/test_readings.py",
    "tests/unit/test_wire_created.py",
    "tests/unit/test_wire_problems.py",
    "tests/unit/test_wire_rows.py",
    "tests/unit/test_wire_shapes.py",
)
"""What is pure: rows, replies, batches."""

_LAW = (
    "tests/upload/test_law.py",
    "tests/failures/test_schedules.py",
    "tests/failures/test_foreign_schedules.py",
)
"""The law of accounts under schedules that are drawn by chance."""

_QUICK = (
    "tests/upload/test_endings.py",
    "tests/upload/test_existing.py",
    "tests/upload/test_iterating.py",
    "tests/upload/test_options.py",
    "tests/upload/test_own_end.py",
    "tests/upload/test_not_sent.py",
    "tests/upload/test_refusals.py",
    "tests/upload/test_refused_for_now.py",
    "tests/upload/test_refused_in_part.py",
    "tests/upload/test_countries.py",
    "tests/upload/test_normalize.py",
    "tests/upload/test_sources.py",
    "tests/upload/test_timeline.py",
    "tests/upload/test_rows.py",
    "tests/upload/test_no_rows.py",
    "tests/failures/test_verdicts.py",
    "tests/failures/test_strange_replies.py",
    "tests/failures/test_attempts.py",
    "tests/failures/test_resent.py",
    "tests/failures/test_reconcile.py",
    "tests/failures/test_between_uploads.py",
    "tests/failures/test_exports.py",
)
"""Uploads in virtual time: hundreds in a second or two."""

_PACES = (
    "tests/unit/test_pace.py",
    "tests/unit/test_retry.py",
    "tests/client/test_wrong_key.py",
    "tests/client/test_sharing.py",
    "tests/upload/test_refused_for_now.py",
    "tests/failures/test_attempts.py",
    "tests/failures/test_outage.py",
    "tests/upload/test_pauses.py",
    "tests/upload/test_rate.py",
    "tests/upload/test_progress.py",
    "tests/upload/test_adaptive.py",
)

_NETWORK = (
    "tests/client",
    "tests/failures/test_strange_replies.py",
    "tests/failures/test_kept_connections.py",
    "tests/failures/test_unreadable.py",
    "tests/failures/test_table.py",
    "tests/failures/test_tls.py",
    "tests/failures/test_secrets.py",
    "tests/failures/test_exports.py",
    "tests/failures/test_stale.py",
)

_JOURNALS = (
    "tests/journal/test_ledger.py",
    "tests/journal/test_interrupted_resend.py",
    "tests/journal/test_failed_again.py",
    "tests/journal/test_groups.py",
    "tests/journal/test_closing.py",
    "tests/journal/test_schedules.py",
    "tests/journal/test_moments.py",
    "tests/journal/test_in_doubt.py",
    "tests/journal/test_resume.py",
    "tests/journal/test_wrong.py",
    "tests/journal/test_existing.py",
)

TESTS: dict[str, tuple[tuple[str, ...], ...]] = {
    "upload": (
        (*_VALUES, *_QUICK),
        (*_LAW, "tests/failures/test_table.py", *_JOURNALS[:7]),
        (
            *_PACES,
            "tests/upload/test_cleanup.py",
            "tests/upload/test_foreign_code.py",
            "tests/upload/test_frames.py",
            "tests/upload/test_turns.py",
            "tests/upload/test_seen.py",
        ),
    ),
    "ledger": (
        ("tests/unit/test_report.py", "tests/unit/test_results_sequence.py", *_JOURNALS[:7]),
        _JOURNALS[7:],
        (*_QUICK, "tests/upload/test_seen.py", "tests/journal/test_forks.py"),
        ("tests/cli/test_journal.py", "tests/cli/test_reports.py"),
    ),
    "http": (_NETWORK, _QUICK, (*_LAW, "tests/failures/test_outage.py")),
    "pace": (_PACES, (*_QUICK, *_LAW, "tests/failures/test_table.py")),
    "wire": (
        _VALUES,
        ("tests/client", *_QUICK, *_LAW),
        ("tests/upload/test_rows.py", "tests/journal/test_resume.py"),
    ),
}
"""What is run for each, one round after the other, the quickest and likeliest to notice first."""

PATIENCE = 180.0
"""Seconds after which a mutant counts as noticed: the tests of a round hang."""

KNOWN: dict[str, str] = {
    "__repr__": "what a person sees while debugging",
    "logger.": "what a log says is no part of an account",
    "__slots__": "memory, not meaning",
    "__all__": "a list of names",
    "assert ": "a check of what cannot be: without it, the same happens",
    "TYPE_CHECKING": "never true while it runs",
    "frozen=True": "nobody changes a value, and the type checker sees to that",
    "repr=False": "what a person sees while debugging; what may not be seen has tests of its own",
}
"""Changes that make no difference, by what their line holds; and why."""

_JOURNAL = "asyncsdk/ledger/journal"

EQUIVALENT: dict[tuple[str, str, str], str] = {
    (
        "asyncsdk/upload/intake/duplicates.py",
        'hashed = blake2b(number.encode("utf-8", "surrogatepass"), digest_size=8).digest()',
        "one less",
    ): "56 bits of a hash tell texts apart as well as 64 do",
    (
        "asyncsdk/wire/batch.py",
        r'if document.lstrip(b" \r\n\t").startswith(b"["):',
        "the opposite",
    ): "the short way: the long one comes to the same",
    (f"{_JOURNAL}/ledger.py", "_WAITING = 64", "one more"): "a matter of speed",
    (f"{_JOURNAL}/ledger.py", "last: int = 0", "one less"): "set when the file is opened",
    (
        f"{_JOURNAL}/reader.py",
        "if not found or found[0][11] is None:",
        "one less",
    ): "the last of one row is the first",
    (
        f"{_JOURNAL}/log.py",
        "return None if found is None else Mark(found[0], _entries(connection))",
        "one less",
    ): "the last of one column is the first",
    (
        "asyncsdk/http/exchange.py",
        "await writer.write(first, drain=False)  # type: ignore[call-arg]",
        "the opposite",
    ): "a connection that takes a request has room for its first piece, so nobody would wait",
    ("asyncsdk/http/exchange.py", "epoch: int = 0", "one more"): "set when it passes the gate",
    ("asyncsdk/http/exchange.py", "_FIRST_PIECE = 0x10000", "one more"): "a matter of speed",
    ("asyncsdk/ledger/account.py", "@frozen(eq=False, repr=False)", "the opposite"): (
        "nobody compares its parts"
    ),
    (
        "asyncsdk/pace/knee.py",
        "return found.count >= most or found.variance <= found.count * _CERTAIN**2",
        "another comparison",
    ): "two floats that are measured are not the same",
}
"""The same, one by one: module, line of source and change; and why."""

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}

SUMS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.FloorDiv: ast.Mult,
    ast.Div: ast.Mult,
}


@frozen
class Mutant:
    """A module with one thing changed."""

    path: Path
    """Below the root."""
    line: int
    what: str
    before: str
    after: str

    def diff(self) -> str:
        """The change, as a diff of the normal form of the code."""
        lines = difflib.unified_diff(
            self.before.splitlines(), self.after.splitlines(), lineterm="", n=2
        )
        shown = "\n".join(line for line in lines if not line.startswith(("---", "+++")))
        return f"{self.path}:{self.line}: {self.what}\n{shown}"


# what may be changed


@frozen
class Change:
    """One small change of a node."""

    line: int
    what: str
    make: Callable[[ast.AST], None]


def changes(node: ast.AST) -> Iterator[Change]:
    """Every small change of one node."""
    for what, make in _of_expressions(node):
        yield Change(getattr(node, "lineno", 1), what, make)
    yield from _of_blocks(node)


def _of_expressions(node: ast.AST) -> Iterator[tuple[str, Callable[[ast.AST], None]]]:
    match node:
        case ast.Compare(ops=[op]) if type(op) in COMPARISONS:
            yield "another comparison", _set("ops", [COMPARISONS[type(op)]()])
        case ast.BoolOp(op=op):
            other = ast.Or() if isinstance(op, ast.And) else ast.And()
            yield "and for or", _set("op", other)
        case ast.BinOp(op=op) if type(op) in SUMS:
            yield "another sum", _set("op", SUMS[type(op)]())
        case ast.Constant(value=bool(value)):
            yield "the opposite", _set("value", not value)
        case ast.Constant(value=int(value) | float(value)):
            yield "one more", _set("value", value + 1)
            yield "one less", _set("value", value - 1)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield "without the not", _set("operand", ast.UnaryOp(op=ast.Not(), operand=operand))
        case ast.If() | ast.While() | ast.IfExp():
            yield "the opposite", _negated
        case ast.Return(value=ast.Tuple(elts=[first, second, *rest])):
            swapped = ast.Tuple(elts=[second, first, *rest], ctx=ast.Load())
            yield "returned the other way round", _set("value", swapped)
        case ast.Return(value=ast.expr()):
            yield "returned nothing", _set("value", ast.Constant(value=None))
        case _:
            pass


def _of_blocks(node: ast.AST) -> Iterator[Change]:
    """A statement of a block left out, or an await with it."""
    for name in ("body", "orelse", "finalbody"):
        block = getattr(node, name, None)
        if not isinstance(block, list) or isinstance(node, (ast.Module, ast.ClassDef)):
            continue
        for place, statement in enumerate(block):
            if _may_go(statement):
                waits = any(isinstance(part, ast.Await) for part in ast.walk(statement))
                what = "left out, with its await" if waits else "left out"
                yield Change(statement.lineno, what, _without(name, place))


def _may_go(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Expr):
        return not isinstance(statement.value, ast.Constant)  # a docstring
    kinds = (ast.Assign, ast.AugAssign, ast.Raise, ast.Delete, ast.Continue, ast.Break)
    return isinstance(statement, kinds)


def _set(name: str, value: object) -> Callable[[ast.AST], None]:
    return lambda node: setattr(node, name, value)


def _negated(node: ast.AST) -> None:
    node.test = ast.UnaryOp(op=ast.Not(), operand=node.test)  # type: ignore[attr-defined]


def _without(name: str, place: int) -> Callable[[ast.AST], None]:
    def change(node: ast.AST) -> None:
        getattr(node, name)[place] = ast.Pass()

    return change


# making them


def mutants_of(path: Path) -> list[Mutant]:
    """Every mutant of a module but those that are known to make no difference."""
    text = (ROOT / path).read_text(encoding="utf-8")
    tree, lines = ast.parse(text), text.splitlines()
    before = ast.unparse(tree)
    found = []
    for number, node in enumerate(ast.walk(tree)):
        for choice, change in enumerate(changes(node)):
            source = lines[change.line - 1]
            single = (path.as_posix(), source.strip(), change.what) in EQUIVALENT
            if single or any(known in source for known in KNOWN):
                continue
            after = _changed(tree, number, choice)
            if after != before:
                found.append(Mutant(path, change.line, change.what, before, after))
    return found


def _changed(tree: ast.Module, number: int, choice: int) -> str:
    """The module with one change of one of its nodes."""
    mutated = copy.deepcopy(tree)
    for place, node in enumerate(ast.walk(mutated)):
        if place == number:
            list(changes(node))[choice].make(node)
            break
    return ast.unparse(ast.fix_missing_locations(mutated))


def modules(part: str) -> list[Path]:
    """The modules of a part, below the root."""
    whole = ROOT / "asyncsdk" / part
    found = [whole] if whole.is_file() else sorted(whole.rglob("*.py"))
    return [path.relative_to(ROOT) for path in found]


def drawn(parts: Sequence[str], count: int, seed: int) -> list[tuple[str, Mutant]]:
    """So many mutants, drawn by chance: each module as often as it is long."""
    every = [
        (part, mutant) for part in parts for path in modules(part) for mutant in mutants_of(path)
    ]
    return Random(seed).sample(every, min(count, len(every)))


# trying them


def survives(mutant: Mutant, rounds: Sequence[Sequence[str]], tree: Path) -> bool:
    """Whether every test lets it pass, in this copy of the tree."""
    target = tree / mutant.path
    good = target.read_text(encoding="utf-8")
    target.write_text(mutant.after, encoding="utf-8")
    try:
        return all(_pass(tests, tree) for tests in rounds)
    finally:
        target.write_text(good, encoding="utf-8")


def _pass(tests: Sequence[str], tree: Path) -> bool:
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"]
    settings = ["-o", "timeout=20", "-W", "error"]
    environment = os.environ | {
        "ASYNCSDK_TESTS": "few",
        "PYTHONPATH": str(tree),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    process = subprocess.Popen(
        [*command, *settings, *dict.fromkeys(tests)],
        cwd=tree,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        return process.wait(PATIENCE) == 0
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return False


def copied(folder: str) -> Path:
    """A copy of the tree to change."""
    tree = Path(folder) / "tree"
    wanted = ("asyncsdk", "tests", "examples", "docs", "pyproject.toml", "README.md", "Makefile")
    tree.mkdir()
    for name in wanted:
        source = ROOT / name
        ignored = shutil.ignore_patterns("__pycache__")
        if source.is_dir():
            shutil.copytree(source, tree / name, ignore=ignored)
        else:
            shutil.copy(source, tree / name)
    return tree


def main() -> int:
    """Try them, and print those that survive."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=150, help="how many mutants")
    parser.add_argument("--seed", type=int, default=1, help="which ones")
    parser.add_argument("--only", choices=PARTS, action="append", help="of this part alone")
    parser.add_argument("--tests", nargs="+", help="run these tests instead")
    asked = parser.parse_args()
    rounds = {part: [asked.tests] if asked.tests else TESTS[part] for part in PARTS}
    chosen = drawn(asked.only or PARTS, asked.count, asked.seed)
    survivors = []
    with tempfile.TemporaryDirectory() as folder:
        tree = copied(folder)
        for part in sorted({part for part, _ in chosen}):
            if not all(_pass(tests, tree) for tests in rounds[part]):
                print(f"The tests of {part} fail without any change: mend that first.")
                return 1
        for number, (part, mutant) in enumerate(chosen, 1):
            survived = survives(mutant, rounds[part], tree)
            state = "SURVIVED" if survived else "noticed"
            print(f"{number:4} {state:8} {mutant.path}:{mutant.line} {mutant.what}", flush=True)
            if survived:
                survivors.append(mutant)
    print(*(f"\n{mutant.diff()}" for mutant in survivors), sep="\n")
    noticed = len(chosen) - len(survivors)
    print(f"\n{noticed} of {len(chosen)} noticed ({noticed / max(1, len(chosen)):.0%})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
