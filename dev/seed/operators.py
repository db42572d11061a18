"""The local stack's operators and their passwords, drawn once per state directory. Used by the seed, demo and tests."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from cli.clients import Console
from dev.stack.outputs import StackOutputs

FILE = "operators.json"
ROLES = {"admin": "admin", "second": "admin"}
"""Two people: some changes need another one's approval."""


def passwords(outputs: StackOutputs) -> dict[str, str]:
    """Login → password; drawn and written (0600) at the first call."""
    path = Path(outputs.state_dir) / FILE
    if path.exists():
        return msgspec.json.decode(path.read_bytes(), type=dict[str, str])
    drawn = {login: secrets.token_urlsafe(12) for login in ROLES}
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.encode(drawn))
    return drawn


def ensure_operators(outputs: StackOutputs) -> dict[str, str]:
    """The operators exist with these passwords; returns them."""
    from uncap.runtime.wiring_console import open_operators

    drawn = passwords(outputs)
    with caller_of(outputs):
        operators = open_operators(outputs.parties_table)
        for login, role in ROLES.items():
            operators.ensure(login, drawn[login], role)
    return drawn


def console(outputs: StackOutputs, login: str = "admin") -> Console:
    """A signed-in console; its colleague approves what it asks for."""
    other = next(one for one in ROLES if one != login)
    return Console(outputs.console_base, login, passwords(outputs)[login], lambda: console(outputs, other))


@contextmanager
def caller_of(outputs: StackOutputs) -> Iterator[None]:
    """The stack's root caller in the environment, where PynamoDB and boto3 look for it."""
    wanted = {
        "AWS_ENDPOINT_URL": outputs.endpoint,
        "AWS_DEFAULT_REGION": outputs.region,
        "AWS_REGION": outputs.region,
        "AWS_ACCESS_KEY_ID": outputs.access_key_id,
        "AWS_SECRET_ACCESS_KEY": outputs.secret_access_key,
    }
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
