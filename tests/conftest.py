"""Fixtures shared by rooms of tests: the deployed local stack, on ports and in a directory of its own."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from dev.stack import http as stack_http
from dev.stack import outputs as stack_outputs
from dev.stack.config import StackConfig, from_environment
from tests.kits.market import Market

ROOT = Path(__file__).parents[1]
# Beside a developer's stack on the default ports; quick time-outs, so that redelivery is seen in seconds.
STACK_ENVIRONMENT = {
    "UNCAP_PORT": os.environ.get("UNCAP_TEST_PORT", "4766"),
    "UNCAP_SIM_PORT": os.environ.get("UNCAP_TEST_SIM_PORT", "4767"),
    "UNCAP_STATE_DIR": os.environ.get("UNCAP_TEST_DIR", str(ROOT / ".uncap-test")),
    "UNCAP_PARAMETERS": (
        "PayoutTimeoutS=8 RewardVisibilityS=24 RailTimeoutMs=1500 IntakeTimeoutS=15 IntakeVisibilityS=16"
    ),
}


def run_stack(command: str, timeout_s: float = 300) -> None:
    """`python -m dev.stack COMMAND` on the tests' stack; fails the test with what it said."""
    environment = os.environ | STACK_ENVIRONMENT
    done = subprocess.run(
        [sys.executable, "-m", "dev.stack", command],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    if done.returncode:
        pytest.fail(f"`dev.stack {command}` failed:\n{done.stdout}\n{done.stderr}", pytrace=False)


@pytest.fixture(scope="session")
def stack_config() -> StackConfig:
    """The tests' stack: ports and directory."""
    return from_environment(STACK_ENVIRONMENT)


@pytest.fixture(scope="session")
def stack(stack_config: StackConfig) -> Iterator[stack_outputs.StackOutputs]:
    """The deployed template with IAM enforced, freshly seeded, for the whole session.

    UNCAP_TEST_KEEP=1 keeps it running and reuses it the next time: for people who work on one test.
    """
    keep = os.environ.get("UNCAP_TEST_KEEP") == "1"
    if not keep:
        run_stack("clean")
    run_stack("up")
    try:
        yield stack_outputs.load(stack_config)
    finally:
        if not keep:
            run_stack("clean")


@pytest.fixture(scope="session")
def web(stack: stack_outputs.StackOutputs) -> Iterator[httpx.Client]:
    """An HTTP client that reaches `*.localhost`; cookies of one test are another's, so prefer a client of your own."""
    with stack_http.client() as client:
        yield client


@pytest.fixture(scope="session")
def market(stack: stack_outputs.StackOutputs) -> Iterator[Market]:
    """A shipped and activated batch of 480 bottles; tests take bottles from it, each its own."""
    with contextlib.closing(Market(stack)) as opened:
        yield opened
