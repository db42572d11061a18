"""Reading XML without trusting it: entities, external references and bottomless nesting are refused with a line.

Gives `xml.py` a tree of elements whose extension names carry a prefix that means one namespace in the whole document.
"""

import re
from typing import Any, Final, NamedTuple
from xml.etree.ElementTree import ParseError
from xml.parsers.expat import ErrorString

import msgspec
from defusedxml.common import EntitiesForbidden, ExternalReferenceForbidden
from defusedxml.ElementTree import DefusedXMLParser

from uncap.domain.errors import InputError

MAX_DEPTH: Final = 64
_XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
_XML: Final = "http://www.w3.org/XML/1998/namespace"
_CHUNK: Final = 1 << 16
# What expat says of a file that stops too early.
_CUT_SHORT: Final = frozenset({"no element found", "unclosed token", "partial character", "unclosed CDATA section"})
_CHINESE: Final = re.compile(rb"""<\?xml[^>]*encoding=["'](?:gbk|gb2312|gb18030)["']""", re.IGNORECASE)
_SCHEMES: Final = frozenset({"http", "https", "urn", "ni", "ftp", "data", "geo", "mailto", "tel"})
# The BOMs of UTF-16; a UTF-32 file is nothing expat reads.
_WIDE: Final = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}


class Attribute(NamedTuple):
    """An attribute as JSON names it: `prefix:name`, or bare where it has no namespace."""

    name: str
    value: str


class Element(msgspec.Struct):
    """`name` is bare in no namespace, else local; `space` is its namespace; `text` stands before the first child."""

    space: str
    name: str
    line: int
    attributes: tuple[Attribute, ...] = ()
    text: str = ""
    children: list["Element"] = []

    def child(self, name: str) -> "Element | None":
        """The first child of this local name."""
        return next((one for one in self.children if one.name == name), None)

    def attribute(self, name: str) -> str | None:
        """The value of this attribute."""
        return next((one.value for one in self.attributes if one.name == name), None)


class Tree(NamedTuple):
    """The root, and the prefix by which JSON names each namespace."""

    root: Element
    prefixes: dict[str, str]


def looks_like_xml(data: bytes) -> bool:
    """Whether the first thing in the file is `<`."""
    if data[:2] in _WIDE:
        return data[2:4].replace(b"\0", b"") == b"<"
    return data.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<"


def read_tree(data: bytes) -> Tree:
    """The document in `data`. Raises InputError: `epcis_not_xml`, `epcis_truncated`, `epcis_encoding`,
    `epcis_xml_unsafe`, `epcis_too_deep`; `where` is the line."""
    target = _Target()
    data, encoding = _readable(data)
    parser: Any = DefusedXMLParser(target=target, encoding=encoding)
    target.expat = parser.parser
    try:
        for at in range(0, len(data), _CHUNK):
            parser.feed(data[at : at + _CHUNK])
        parser.close()
    except (EntitiesForbidden, ExternalReferenceForbidden) as cause:
        words = "the document declares entities, which EPCIS has no use for and which can be harmful"
        raise InputError("epcis_xml_unsafe", words, where=_line(target.expat)) from cause
    except ParseError as cause:
        raise _not_xml(cause) from cause
    except (LookupError, ValueError) as cause:
        raise InputError("epcis_encoding", f"the encoding that the file names is not read: {cause}") from cause
    return Tree(target.root, target.prefixes)


def _readable(data: bytes) -> tuple[bytes, str | None]:
    """GBK, which expat does not read and lines in China write, as UTF-8. Raises InputError (`epcis_encoding`)."""
    if _CHINESE.match(data) is None:
        return data, None
    try:
        return data.decode("gb18030").encode(), "utf-8"
    except UnicodeDecodeError as cause:
        line = data.count(b"\n", 0, cause.start) + 1
        raise InputError("epcis_encoding", "the file says that it is GBK and is not", where=f"line {line}") from cause


def _not_xml(cause: ParseError) -> InputError:
    line, column = cause.position
    reason = ErrorString(cause.code) or "not well-formed"
    code = "epcis_truncated" if reason in _CUT_SHORT else "epcis_not_xml"
    if reason in {"unknown encoding", "encoding specified in XML declaration is incorrect"}:
        code = "epcis_encoding"
    return InputError(code, f"not XML: {reason}", where=f"line {line}, column {column + 1}")


def _line(expat: Any) -> str:
    return f"line {expat.CurrentLineNumber}"


class _Target:
    """Collects elements as expat meets them; never deeper than MAX_DEPTH, so no file exhausts the stack."""

    def __init__(self) -> None:
        self.expat: Any = None
        self.root = Element("", "", 0)
        self.prefixes: dict[str, str] = {}
        self._open: list[Element] = []

    def start_ns(self, prefix: str, space: str) -> None:
        """A namespace is declared: it keeps the first prefix that nothing else has."""
        if space in self.prefixes or space in {_XSI, _XML}:
            return
        wanted = re.sub(r"[^A-Za-z0-9+.-]", "-", prefix or "ns")
        # A prefix named like a scheme would make addresses of names, and names of addresses in values.
        wanted = wanted if wanted[0].isalpha() and wanted.lower() not in _SCHEMES else f"ns{wanted}"
        taken = set(self.prefixes.values())
        name, number = wanted, 1
        while name in taken or (not prefix and number == 1):
            name, number = f"{wanted}{number}", number + 1
        self.prefixes[space] = name

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element opens."""
        if len(self._open) >= MAX_DEPTH:
            raise InputError("epcis_too_deep", f"nested deeper than {MAX_DEPTH} levels", where=_line(self.expat))
        space, name = _split(tag)
        kept = tuple(
            Attribute(self._named(*_split(key)), value)
            for key, value in attributes.items()
            if _split(key)[0] not in {_XSI, _XML}
        )
        element = Element(space, name, self.expat.CurrentLineNumber, kept)
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)

    def end(self, _tag: str) -> None:
        """An element closes."""
        self._open.pop()

    def data(self, text: str) -> None:
        """Text; what stands between children is layout."""
        if self._open and not self._open[-1].children:
            self._open[-1].text += text

    def close(self) -> None:
        """The end of the document."""

    def _named(self, space: str, name: str) -> str:
        return f"{self.prefixes[space]}:{name}" if space else name


def _split(tag: str) -> tuple[str, str]:
    space, brace, name = tag.rpartition("}")
    return (space[1:], name) if brace else ("", name)
