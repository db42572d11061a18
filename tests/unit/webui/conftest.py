"""The page is tested as it ships: from compiled templates and catalogues."""

import pytest

from dev.build_web import build


@pytest.fixture(scope="session", autouse=True)
def _built() -> None:
    build()
