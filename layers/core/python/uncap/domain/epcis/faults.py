"""What is wrong with a document, and where. Every check of this package writes here; the command line prints it."""

from typing import Final

import msgspec


class Fault(msgspec.Struct, frozen=True, order=True):
    """One finding. `pointer` is an RFC 6901 JSON pointer ("" is the whole document); `code` is stable; `words` are for
    people. A note (`grave` false) is suspicious and allowed: the ratified schema lets it pass."""

    pointer: str
    code: str
    words: str
    grave: bool = True


class Findings:
    """Collects faults in the order they are met."""

    def __init__(self) -> None:
        self.all: Final[list[Fault]] = []

    def fault(self, pointer: str, code: str, words: str) -> None:
        self.all.append(Fault(pointer, code, words))

    def note(self, pointer: str, code: str, words: str) -> None:
        self.all.append(Fault(pointer, code, words, grave=False))


def step(pointer: str, name: str | int) -> str:
    """`pointer` one step further down (RFC 6901: `~` and `/` in a name are escaped)."""
    return f"{pointer}/{str(name).replace('~', '~0').replace('/', '~1')}"


def kind_of(value: object) -> str:
    """The JSON name of a value's type, for words."""
    names = {type(None): "null", bool: "a boolean", str: "text", list: "a list", dict: "an object"}
    return names.get(type(value), "a number")
