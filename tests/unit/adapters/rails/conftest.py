"""Keys for rails that are built but not spoken to."""

import pytest

from dev.rail_simulator.keys import ensure_rail_keys


@pytest.fixture(scope="session")
def simulated_keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return ensure_rail_keys(tmp_path_factory.mktemp("rail-keys"))
