"""The layout of docs/architecture.md as tests: who may import what, and who reads the environment.

The import contracts themselves are in pyproject.toml, `[tool.importlinter]`.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("services", "gateway", "rooms-api", "fanout-worker", "standalone")
MODULES = sorted(path for source in SOURCES for path in (ROOT / source).rglob("*.py"))
SETTINGS = ROOT / "services" / "allibe_services" / "settings" / "reading.py"

_ENVIRONMENT = {"environ", "environb", "getenv", "getenvb", "putenv", "unsetenv"}
_STARTS_TASK = {"create_task", "ensure_future", "run_coroutine_threadsafe"}


def test_the_import_contracts_hold() -> None:
    """DESIGN §5. What it prints names the offending import."""
    command = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [command, "--config", ROOT / "pyproject.toml"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


def test_there_is_something_to_look_at() -> None:
    assert SETTINGS in MODULES
    assert len(MODULES) > 50


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_only_settings_reads_the_environment(path: Path) -> None:
    """One place to look for what configures a process; everything else is handed its values."""
    found = sorted(_uses_of_environment(ast.parse(path.read_text())))
    assert bool(found) == (path == SETTINGS), f"{path.relative_to(ROOT)}: lines {found}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_task_is_started_and_let_go(path: Path) -> None:
    """The loop holds tasks weakly: one that nobody keeps may vanish, and nobody sees it fail."""
    tree = ast.parse(path.read_text())
    groups = {owner for node in ast.walk(tree) for owner in _task_groups(node)}
    dropped = [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Call)
        and _name(node.value.func) in _STARTS_TASK
        and _owner(node.value.func) not in groups
    ]
    assert dropped == []


def _task_groups(node: ast.AST) -> Iterator[str]:
    """Return what `async with asyncio.TaskGroup() as …` calls its group: that keeps its tasks."""
    for item in node.items if isinstance(node, ast.AsyncWith) else ():
        opened, name = item.context_expr, item.optional_vars
        is_group = isinstance(opened, ast.Call) and _name(opened.func) == "TaskGroup"
        if is_group and isinstance(name, ast.Name):
            yield name.id


def _uses_of_environment(tree: ast.AST) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and _name(node.value) == "os":
            used = {node.attr}
        elif isinstance(node, ast.ImportFrom) and node.module == "os":
            used = {alias.name for alias in node.names}
        else:
            continue
        if used & _ENVIRONMENT:
            yield node.lineno


def _owner(node: ast.expr) -> str:
    return _name(node.value) if isinstance(node, ast.Attribute) else ""


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
