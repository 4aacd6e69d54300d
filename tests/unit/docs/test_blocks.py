"""Every fenced block of every page is what its language says, by that language's own parser.

Blocks that are run, or compared with what really comes, are so elsewhere: the protocol's in
test_examples, the webhooks' in test_webhooks_page, those of the README, the tutorial and the HTTP
guide in tests/e2e/test_pages.py.
"""

import ast
import json
import re
import subprocess
from collections.abc import Callable

import pytest
import yaml

from tests.support.fixtures import WEB
from tests.support.pages import ROOT, Fence, fences, pages, prose
from tests.unit.docs.examples import objects

BLOCKS = [fence for page in pages() for fence in fences(page)]

ELSEWHERE = {"promql", "stomp", "http"}
"""Parsed by the tests of the alerts, the protocol and the webhooks."""

SHOWN = {"", "text", "java"}
"""Pictures of letters, output, and what nothing here can run."""

PARSE = """
const { SourceTextModule } = require('node:vm');
const ts = require(process.argv[1]);
const wrong = (language, text) => {
  if (language === 'js') return void new SourceTextModule(text);
  const compilerOptions = { jsx: ts.JsxEmit.Preserve };
  const options = { compilerOptions, fileName: 'a.tsx', reportDiagnostics: true };
  return ts.transpileModule(text, options).diagnostics[0]?.messageText;
};
for (const [name, language, text] of JSON.parse(require('node:fs').readFileSync(0))) {
  let found;
  try { found = wrong(language, text); } catch (error) { found = error.message; }
  if (found) console.log(`${name}: ${found}`);
}
"""
"""What is wrong with each block, a line each: all in one process, since it is some time in loading.
JavaScript is parsed by Node itself."""


def in_json(text: str) -> None:
    assert list(objects(text)), "there is nothing"


def in_sh(text: str) -> None:
    done = subprocess.run(
        ["bash", "-n"], input=text, capture_output=True, text=True, timeout=30, check=False
    )
    if done.returncode:
        raise SyntaxError(done.stderr)


PARSERS: dict[str, Callable[[str], object]] = {
    "json": in_json,
    "python": ast.parse,
    "sh": in_sh,
    "yaml": yaml.safe_load,
}
SCRIPTS = ("js", "jsx", "ts", "tsx")


def faults(blocks: list[Fence]) -> list[str]:
    """Return what is wrong with blocks in JavaScript and TypeScript."""
    subprocess.run([WEB, "packages"], check=True, capture_output=True, timeout=300)
    command = ["node", "--experimental-vm-modules", "--no-warnings", "--eval", PARSE]
    done = subprocess.run(
        [*command, ROOT / "web" / "node_modules" / "typescript"],
        input=json.dumps([(str(one), one.language, one.text) for one in blocks]),
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    "block", [one for one in BLOCKS if one.language in PARSERS and one.note[:1] != "<"], ids=str
)
def test_a_block_is_what_its_language_says(block: Fence) -> None:
    """Not those that show, with a note, who sends what: test_examples reads them."""
    PARSERS[block.language](block.text)


def test_scripts_are_what_their_languages_say() -> None:
    assert faults([one for one in BLOCKS if one.language in SCRIPTS]) == []


def test_no_block_is_in_a_language_that_nobody_checks() -> None:
    known = PARSERS.keys() | ELSEWHERE | SHOWN | set(SCRIPTS)
    assert {one.language for one in BLOCKS} <= known


def test_every_block_ends() -> None:
    """Else the rest of the page is code, and nothing of it is looked at."""
    for page in pages():
        marks = [line for line in page.read_text().splitlines() if line.startswith("```")]
        assert len(marks) == 2 * len(fences(page)), page


def test_every_block_is_fenced() -> None:
    """What is only indented has no language, and is not looked at."""
    for page in pages():
        assert not re.search(r"\n\n    \S", prose(page)), page


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("json", '{"a": }'),
        ("json", "\n"),
        ("python", "def f(:"),
        ("sh", "if true"),
        ("yaml", "a: [1"),
    ],
)
def test_a_broken_block_is_found(language: str, text: str) -> None:
    with pytest.raises((SyntaxError, ValueError, AssertionError, yaml.YAMLError)):
        PARSERS[language](text)


def test_broken_scripts_are_found() -> None:
    texts = {"js": "const = 1;", "jsx": "const a = <p>;", "tsx": "let a: = 1;"}
    found = faults(
        [Fence(ROOT / "x.md", 1, language, "", text) for language, text in texts.items()]
    )
    assert len(found) == len(texts)
