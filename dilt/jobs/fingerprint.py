"""Fingerprints of code: which project modules a stage imports, each with a digest of what it does.

A digest is taken of the syntax tree without comments, layout and docstrings, in a form that does not depend on the
Python version. Given to rules as params, it makes Snakemake rerun exactly the stages whose code has changed.
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


def fingerprint(module: str) -> list[str]:
    """``name:digest`` of a module and of every project module that it imports, directly or not, sorted by name."""
    seen: set[str] = set()
    waiting = [PACKAGE, module]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += _parsed(name)[1]
    return [f"{name}:{_parsed(name)[0]}" for name in sorted(seen)]


def code_digest(module: str) -> str:
    """The whole fingerprint in one word, for checkpoints to be tied to."""
    return sha256(" ".join(fingerprint(module)).encode()).hexdigest()[:16]


def sources_digest() -> str:
    """One word for the package's files as they lie there, comments included: found in no time, unlike `code_digest`."""
    files = sorted((ROOT / PACKAGE).rglob("*.py"))
    return sha256(b"".join(sha256(file.read_bytes()).digest() for file in files)).hexdigest()[:16]


def file_digest(file: str) -> str:
    """``file:digest`` of a project file that is not Python, such as a template."""
    return f"{file}:{sha256((ROOT / file).read_bytes()).hexdigest()[:10]}"


@cache
def _parsed(module: str) -> tuple[str, tuple[str, ...]]:
    """Digest and project imports of one module."""
    tree = ast.parse(_path(module).read_bytes())
    imports = tuple(sorted({name for node in _running(tree) for name in _imports(node, module)}))
    return sha256(_text(tree).encode()).hexdigest()[:10], imports


def _path(module: str) -> Path:
    base = ROOT / Path(*module.split("."))
    return base / "__init__.py" if base.is_dir() else base.with_suffix(".py")


def _running(tree: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those under ``if TYPE_CHECKING``, which never run."""
    checking = isinstance(tree, ast.If) and isinstance(tree.test, ast.Name) and tree.test.id == "TYPE_CHECKING"
    for child in tree.orelse if checking and isinstance(tree, ast.If) else ast.iter_child_nodes(tree):
        yield child
        yield from _running(child)


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


def _text(node: object) -> str:
    """A node and all below it; empty fields are left out, as Python versions differ in them."""
    if isinstance(node, list):
        return f"[{','.join(map(_text, node))}]"
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = []
    for name, value in ast.iter_fields(node):
        if name == "body" and isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            value = _without_docstring(value)
        if value is not None and value != []:
            fields.append(f"{name}={_text(value)}")
    return f"{type(node).__name__}({','.join(fields)})"


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    first = body[0] if body else None
    documented = (
        isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
    )
    return body[1:] if documented else body
