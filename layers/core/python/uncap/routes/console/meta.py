"""The published document. Mounted by `table.py`."""

from collections.abc import Callable
from typing import Any

from uncap.routes.console.endpoint import Area

META = Area("meta", is_open=True)
_BUILD: list[Callable[[], dict[str, Any]]] = []


def publish(build: Callable[[], dict[str, Any]]) -> None:
    """How the document is made; told by `table.py`, which knows every route including this one."""
    _BUILD[:] = [build]


@META.get("/openapi.json")
def read_document() -> dict[str, Any]:
    """This API as an OpenAPI 3.1 document."""
    return _BUILD[0]()
