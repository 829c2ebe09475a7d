"""Fingerprints of code: which project modules a stage imports, each with a digest of what it does.

A digest is taken of the syntax tree without words for people: comments, layout, docstrings, the words of errors that
are raised, descriptions of keys and help of options. It does not depend on the Python version. Given to rules as
params, it makes Snakemake rerun exactly the stages whose code has changed.
Limits: imports by computed name are not seen, nor are the versions of third-party packages.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "dilt"
# Modules that change no result: the library's names; how a job is resumed, guarded, watched, recorded; words of errors.
WITHOUT_RESULT = frozenset(
    f"{PACKAGE}{module}"
    for module in (
        *("", ".foundations.error_lines", ".foundations.locks", ".foundations.progress", ".foundations.signals"),
        *(".jobs.checkpoints", ".jobs.fingerprint", ".jobs.orphans", ".jobs.usage", ".training.event_files"),
    )
)
TOLD = ("description", "help")  # arguments that are words for people


def fingerprint(module: str) -> list[str]:
    """``name:digest`` of a module and of every project module that it imports, directly or not, sorted by name.

    Imported modules that change no result are left out, and so are modules that only they import.
    """
    seen: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += (name for name in _parsed(name)[1] if name not in WITHOUT_RESULT)
    return [f"{name}:{_parsed(name)[0]}" for name in sorted(seen)]


def code_digest(module: str) -> str:
    """One digest of the whole fingerprint, which checkpoints are tied to."""
    return sha256(" ".join(fingerprint(module)).encode()).hexdigest()[:16]


def sources_digest() -> str:
    """One digest of the package's files as they are, comments included; much faster than `code_digest`."""
    files = sorted((ROOT / PACKAGE).rglob("*.py"))
    return sha256(b"".join(sha256(file.read_bytes()).digest() for file in files)).hexdigest()[:16]


def file_digest(file: str) -> str:
    """``file:digest`` of a project file that is not Python, such as a template."""
    return f"{file}:{sha256((ROOT / file).read_bytes()).hexdigest()[:10]}"


@cache
def _parsed(module: str) -> tuple[str, tuple[str, ...]]:
    """Digest and project imports of one module."""
    tree = ast.parse(_path(module).read_bytes())
    imports = tuple(sorted({name for node in _statements(tree) for name in _imports(node, module)}))
    return sha256(_text(tree).encode()).hexdigest()[:10], imports


@cache
def _path(module: str) -> Path:
    base = ROOT / Path(*module.split("."))
    return base / "__init__.py" if base.is_dir() else base.with_suffix(".py")


def _statements(tree: ast.AST) -> Iterator[ast.AST]:
    """All statements but those under ``if TYPE_CHECKING``, which never run."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        checking = isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        parts = node.orelse if checking and isinstance(node, ast.If) else ast.iter_child_nodes(node)
        waiting += [part for part in parts if not isinstance(part, ast.expr)]  # most nodes, without statements in them


def _imports(node: ast.AST, module: str) -> Iterator[str]:
    """Project modules that an import statement loads, packages on the way included."""
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        parent = ".".join(module.split(".")[: -node.level]) if node.level else ""
        base = ".".join(filter(None, [parent, node.module]))
        names = [base, *(f"{base}.{alias.name}" for alias in node.names)]
    else:
        return
    for name in names:
        parts = name.split(".")
        if parts[0] == PACKAGE:
            for length in range(1, len(parts) + 1):
                candidate = ".".join(parts[:length])
                if _path(candidate).is_file():
                    yield candidate


def _text(node: object, wordless: bool = False) -> str:
    """A node and all below it; empty fields are left out, as Python versions differ in them.

    Args:
        wordless: leave out every text, as of what is raised.
    """
    if isinstance(node, list):
        return f"[{','.join(_text(one, wordless) for one in node)}]"
    if not isinstance(node, ast.AST):
        return repr(node)
    wordless = wordless or isinstance(node, ast.Raise)
    if wordless and (
        isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))
    ):
        return "words"
    fields = []
    for name, value in ast.iter_fields(node):
        if name == "body" and isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            value = _without_docstring(value)
        if name == "keywords":
            value = [
                one for one in value if not (one.arg in TOLD and isinstance(one.value, ast.Constant | ast.JoinedStr))
            ]
        if value is not None and value != []:
            fields.append(f"{name}={_text(value, wordless)}")
    return f"{type(node).__name__}({','.join(fields)})"


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    first = body[0] if body else None
    documented = (
        isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
    )
    return body[1:] if documented else body
