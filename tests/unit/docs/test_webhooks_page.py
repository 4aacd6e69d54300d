"""docs/webhooks.md: what it tells integrators to run takes what we sign, and nothing else."""

import json
import re
import subprocess
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from allibe_fanout_worker.push.signing import REPLAY_SECONDS, read_secrets, signed
from allibe_fanout_worker.push.webhook import _Told

PAGE = (Path(__file__).parents[3] / "docs" / "webhooks.md").read_text()
SECRET, OTHER = "whsec_" + b64encode(b"a" * 24).decode(), b64encode(b"b" * 32).decode()
BODY = '{"body": "안녕"}'.encode()

Verify = Callable[[str, Mapping[str, str], bytes], bool]


def block(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(found)


def in_python(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    names: dict[str, Any] = {}
    exec(block("python"), names)
    return bool(names["is_from_allibe"](secret, headers, body))


def in_node(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    arguments = (
        f"{json.dumps(secret)}, {json.dumps(dict(headers))}, Buffer.from('{body.hex()}', 'hex')"
    )
    script = f"{block('js')}\nconsole.log(isFromAllibe({arguments}));"
    command = ["node", "--input-type=module", "--eval", script]
    ran = subprocess.run(command, check=True, capture_output=True, text=True, timeout=30)
    return {"true": True, "false": False}[ran.stdout.strip()]


def headers_of(*secrets: str, ago: float = 0) -> dict[str, str]:
    """Return what we send, signed so many seconds ago."""
    known = read_secrets(secrets)
    return signed(known, webhook_id="0193-a_b", body=BODY, now=time.time() - ago)


@pytest.mark.parametrize("verify", [in_python, in_node])
def test_the_examples_take_what_we_sign_and_nothing_else(verify: Verify) -> None:
    good = headers_of(SECRET)
    assert verify(SECRET, good, BODY)
    assert verify(SECRET, headers_of(OTHER, SECRET), BODY)
    assert verify(SECRET, headers_of(SECRET, ago=REPLAY_SECONDS - 60), BODY)
    assert not verify(SECRET, headers_of(OTHER), BODY)
    assert not verify(SECRET, good, BODY + b" ")
    assert not verify(SECRET, good | {"webhook-id": "another"}, BODY)
    for ago in (REPLAY_SECONDS + 60, -REPLAY_SECONDS - 60):
        assert not verify(SECRET, headers_of(SECRET, ago=ago), BODY)
    for name in good:
        assert not verify(SECRET, {key: good[key] for key in good if key != name}, BODY)
    assert not verify(SECRET, good | {"webhook-timestamp": "soon"}, BODY)
    assert not verify(SECRET, good | {"webhook-signature": "v1,é"}, BODY)


def test_the_example_has_every_field_and_each_is_described() -> None:
    body = json.loads(block("http").partition("\n\n")[2])
    assert list(body) == list(_Told.__struct_encode_fields__)
    for name in set(body) - {"type"}:
        assert f"`{name}`" in PAGE
