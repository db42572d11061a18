"""How a console route is declared and run: one decorator derives input, permission, document and view from a function.

Every area of the API (`products.py`, `batches.py`, …) declares its endpoints with an `Area`; `table.py` collects them.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar, get_type_hints

import msgspec

from uncap.domain.errors import InputError
from uncap.routes.problems import Problem
from uncap.services.desk import Actor, Desk

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])
MAX_BODY_BYTES = 256 * 1024
_JSON = ("application/json",)
_INJECTED = ("desk", "actor", "body", "query", "raw", "return")


class Text(NamedTuple):
    """An answer that is not JSON: its text, media type and headers."""

    body: str
    media_type: str
    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One route. `area` and `action` are the permission it needs; both empty: open to everyone.

    A function that asks for `raw` reads the request itself, of the media types in `takes`; `reword` makes its problems
    those of a standard. One that returns Text answers in `media_types` (none: by headers alone) what `holds` is.
    """

    method: str
    path: str
    name: str
    summary: str
    function: Callable[..., Any]
    area: str
    action: str
    status: int
    path_types: Mapping[str, Any]
    body: Any
    query: Any
    answer: Any
    media_types: tuple[str, ...]
    takes: tuple[str, ...] = ()
    holds: Any = None
    reword: Callable[[Problem], Problem] | None = None

    @property
    def is_open(self) -> bool:
        """True where no token is needed."""
        return not self.area

    def arguments(self, raw: "RawInput", desk: Desk, actor: Actor | None) -> dict[str, Any]:
        """What the function is called with. Raises InputError (`path_malformed`, `query_invalid`, `json_malformed`,
        `body_invalid`, `body_too_large`)."""
        given: dict[str, Any] = {name: _path_value(name, raw.path, kind) for name, kind in self.path_types.items()}
        wanted = inspect.signature(self.function).parameters
        if "desk" in wanted:
            given["desk"] = desk
        if "actor" in wanted:
            given["actor"] = actor
        if "raw" in wanted:
            check_size(len(raw.body))
            given["raw"] = raw
        if self.query is not None:
            given["query"] = _query_value(raw.query, self.query)
        if self.body is not None:
            given["body"] = _body_value(raw.body, self.body)
        return given


class RawInput(NamedTuple):
    """A request before it is understood; `query` has every value given for a name, `headers` are in lower case.

    `address` is the path as the client sent it, stage and all.
    """

    path: Mapping[str, str]
    query: Mapping[str, list[str]]
    body: bytes
    headers: Mapping[str, str] = {}
    address: str = ""


class Area:
    """One area of the console: the endpoints declared in its module, all asking for permissions on this area."""

    def __init__(self, name: str, *, is_open: bool = False, reword: Callable[[Problem], Problem] | None = None) -> None:
        self.name = name
        self._is_open = is_open
        self._reword = reword
        self.endpoints: list[Endpoint] = []

    def get(
        self, path: str, action: str = "read", media_types: tuple[str, ...] = _JSON, holds: Any = None
    ) -> Callable[[FunctionT], FunctionT]:
        """Declares `GET path`; `media_types` and `holds` for a function that returns Text."""
        return self._declare("GET", path, action, 200, media_types, holds=holds)

    def post(
        self,
        path: str,
        action: str = "write",
        status: int = 200,
        takes: tuple[str, ...] = (),
        media_types: tuple[str, ...] = _JSON,
    ) -> Callable[[FunctionT], FunctionT]:
        """Declares `POST path`; `takes` for a function that reads the raw request."""
        return self._declare("POST", path, action, status, media_types, takes)

    def delete(self, path: str, action: str = "write") -> Callable[[FunctionT], FunctionT]:
        """Declares `DELETE path`, answered without a body."""
        return self._declare("DELETE", path, action, 204, ())

    def options(self, path: str, action: str = "read") -> Callable[[FunctionT], FunctionT]:
        """Declares `OPTIONS path`, answered by headers."""
        return self._declare("OPTIONS", path, action, 204, ())

    def put(self, path: str, action: str = "write") -> Callable[[FunctionT], FunctionT]:
        """Declares `PUT path`."""
        return self._declare("PUT", path, action, 200)

    def _declare(
        self,
        method: str,
        path: str,
        action: str,
        status: int,
        media_types: tuple[str, ...] = _JSON,
        takes: tuple[str, ...] = (),
        holds: Any = None,
    ) -> Callable[[FunctionT], FunctionT]:
        def declare(function: FunctionT) -> FunctionT:
            hints = get_type_hints(function, include_extras=True)
            self.endpoints.append(
                Endpoint(
                    method=method,
                    path=path,
                    name=function.__name__,
                    summary=inspect.getdoc(function) or "",
                    function=function,
                    area="" if self._is_open else self.name,
                    action="" if self._is_open else action,
                    status=status,
                    path_types={name: kind for name, kind in hints.items() if name not in _INJECTED},
                    body=hints.get("body"),
                    query=hints.get("query"),
                    answer=hints["return"],
                    media_types=media_types,
                    takes=takes,
                    holds=holds,
                    reword=self._reword,
                )
            )
            return function

        return declare


def check_size(length: int) -> None:
    """Raises InputError (`body_too_large`) beyond 256 KB."""
    if length > MAX_BODY_BYTES:
        raise InputError("body_too_large", f"a body is at most {MAX_BODY_BYTES} bytes", where="body")


def _path_value(name: str, values: Mapping[str, str], kind: Any) -> Any:
    try:
        return msgspec.convert(values.get(name), kind, strict=False)
    except msgspec.ValidationError as cause:
        raise InputError("path_malformed", _reason(cause), where=name) from cause


def _query_value(values: Mapping[str, list[str]], kind: Any) -> Any:
    for name, given in values.items():
        if len(given) != 1:
            raise InputError("query_invalid", f"{name[:40]} is given more than once", where=name[:40])
    try:
        return msgspec.convert({name: given[0] for name, given in values.items()}, kind, strict=False)
    except msgspec.ValidationError as cause:
        raise InputError("query_invalid", _reason(cause), where=_place(cause)) from cause


def _body_value(body: bytes, kind: Any) -> Any:
    check_size(len(body))
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as cause:
        raise InputError("body_invalid", _reason(cause), where=_place(cause)) from cause
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as cause:
        raise InputError("json_malformed", "the body is not JSON") from cause


def _reason(cause: msgspec.ValidationError) -> str:
    return str(cause).partition(" - at ")[0]


def _place(cause: msgspec.ValidationError) -> str:
    return str(cause).partition(" - at ")[2].strip("`").removeprefix("$").removeprefix(".")
