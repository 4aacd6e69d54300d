"""scripts/web.sh builds the page when its sources changed, and only `run` may go without it."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.unit.shell.programs import SCRIPTS, Programs, ended

NPM = """
case "$1" in
    ci) rm -rf node_modules; mkdir node_modules ;;
    run) mkdir -p ../rooms-api/allibe_rooms_api/page client/dist react/dist
         touch ../rooms-api/allibe_rooms_api/page/index.html
         touch client/dist/index.js react/dist/index.js ;;
esac
"""
PACKAGES = "npm ci --prefer-offline --no-audit --no-fund --loglevel=error"
NEEDS_NODE = "needs Node 20.19 or later with npm"


class Tree:
    """A checkout with little in it, and a Node that builds nothing."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "checkout"
        (self.root / "scripts").mkdir(parents=True)
        for name in ("web.sh", "node.sh"):
            shutil.copy(SCRIPTS / name, self.root / "scripts" / name)
        for name in ("package.json", "package-lock.json", "client/src/index.ts"):
            self.write(f"web/{name}", "{}")
        self.programs = Programs(folder / "bin")
        self.programs.add("node", "echo v20.19.0")
        self.programs.add("npm", NPM)

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def run(self, mode: str) -> "subprocess.CompletedProcess[str]":
        done = self.programs.run(self.root / "scripts" / "web.sh", mode)
        assert done.stdout == ""
        return done

    def calls(self) -> list[str]:
        """Return what was asked of npm since the last time."""
        return [call for call in self.programs.calls() if call.startswith("npm")]


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def test_the_page_is_built_once(tree: Tree) -> None:
    assert tree.run("page").returncode == 0
    assert tree.calls() == [PACKAGES, "npm run build"]
    again = tree.run("page")
    assert (again.returncode, again.stderr, tree.calls()) == (0, "", [])
    assert (tree.run("run").stderr, tree.calls()) == ("", [])


def test_another_source_builds_it_again_with_the_packages_that_are_there(tree: Tree) -> None:
    tree.run("page")
    tree.calls()
    for name in ("client/src/index.ts", "app/src/new.tsx", "tsconfig.json", ".npmrc"):
        tree.write(f"web/{name}", "new")
        tree.run("page")
        assert tree.calls() == ["npm run build"], name
    tree.write("web/package-lock.json", "new")
    tree.run("page")
    assert tree.calls() == [PACKAGES, "npm run build"]


@pytest.mark.parametrize(
    "name",
    ["README.md", "client/tests/send.test.ts", "client/dist/x.js", "node_modules/x/index.js"],
)
def test_what_does_not_go_into_the_page_builds_nothing(tree: Tree, name: str) -> None:
    tree.run("page")
    tree.calls()
    tree.write(f"web/{name}", "new")
    assert (tree.run("page").returncode, tree.calls()) == (0, [])


@pytest.mark.parametrize(
    "name", ["rooms-api/allibe_rooms_api/page/index.html", "web/client/dist/index.js"]
)
def test_what_was_removed_is_built_again(tree: Tree, name: str) -> None:
    tree.run("page")
    tree.calls()
    (tree.root / name).unlink()
    tree.run("page")
    assert tree.calls() == ["npm run build"]


def test_checks_get_the_packages_only(tree: Tree) -> None:
    assert tree.run("packages").returncode == 0
    assert tree.calls() == [PACKAGES]
    assert (tree.run("packages").returncode, tree.calls()) == (0, [])


@pytest.mark.parametrize("version", ["v18.20.4", "v20.18.9", ""])
def test_without_a_node_that_will_do_run_says_so_and_goes_on(tree: Tree, version: str) -> None:
    tree.programs.add("node", f"echo {version}" if version else "exit 127")
    done = tree.run("run")
    assert (done.returncode, done.stderr) == (
        0,
        f"web: the page at / {NEEDS_NODE}; everything else runs without it\n",
    )
    for mode in ("page", "packages"):
        done = tree.run(mode)
        assert done.returncode == 1
        assert done.stderr.startswith(f"web: {NEEDS_NODE}")
    assert tree.calls() == []


@pytest.mark.parametrize("version", ["v20.19.0", "v20.20.2", "v22.12.0", "v26.0.0"])
def test_any_later_node_will_do(tree: Tree, version: str) -> None:
    tree.programs.add("node", f"echo {version}")
    assert tree.run("page").returncode == 0


def test_without_npm_run_says_so_and_goes_on(tree: Tree) -> None:
    (tree.programs.folder / "npm").unlink()
    tree.programs.hide_all_others_but(
        "bash", "cat", "dirname", "env", "find", "sha256sum", "sort", "tr", "xargs"
    )
    done = tree.run("run")
    assert (done.returncode, NEEDS_NODE in done.stderr, done.stderr.count("\n")) == (0, True, 1)


@pytest.mark.parametrize("step", ["ci", "run"])
def test_what_cannot_be_built_is_a_line_to_run_and_an_error_to_tests(tree: Tree, step: str) -> None:
    """No network, or an error in a source. The next time it is tried again."""
    tree.programs.add("npm", f'if [ "$1" = {step} ]; then echo why; exit 1; fi\n{NPM}')
    done = tree.run("run")
    assert done.returncode == 0
    assert done.stderr.splitlines() == [
        "web: building the page",
        "web: the page at / could not be built (why: .cache/web.log); everything else runs "
        "without it",
    ]
    assert (tree.root / ".cache" / "web.log").read_text().endswith("why\n")
    done = tree.run("page")
    assert (done.returncode, "why\n" in done.stderr) == (1, True)
    tree.programs.add("npm", NPM)
    assert tree.run("page").returncode == 0


def test_a_build_that_failed_is_not_taken_for_the_one_before(tree: Tree) -> None:
    tree.run("page")
    tree.write("web/client/src/index.ts", "new")
    tree.programs.add("npm", "exit 1")
    tree.run("run")
    tree.write("web/client/src/index.ts", "{}")
    tree.programs.add("npm", NPM)
    tree.calls()
    tree.run("page")
    assert tree.calls() == ["npm run build"]


def test_two_at_once_build_it_once(tree: Tree) -> None:
    tree.programs.add("npm", f"sleep 0.3\n{NPM}")
    script = tree.root / "scripts" / "web.sh"
    started = [tree.programs.start(script, "page") for _ in range(2)]
    assert sorted(ended(one).stderr for one in started) == ["", "web: building the page\n"]
    assert tree.calls() == [PACKAGES, "npm run build"]
