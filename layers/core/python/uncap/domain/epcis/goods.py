"""What a captured event says about goods on the move: who gives, who takes, which single things, when. Pure.

`services/move_by_events.py` looks parties and things up. Steps, dispositions and roles are those of CBV 2.0; a party is
known by its GLN, in any spelling of it: PGLN or SGLN as EPC URI or Digital Link, with or without an extension.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from uncap.domain.codes.links import check_digit
from uncap.domain.epcis import subjects, terms
from uncap.domain.epcis.capture import millis
from uncap.domain.epcis.identifiers import CANONICAL, canonical
from uncap.domain.movements import RECEIPT, RETURN, SHIPMENT

Event = Mapping[str, object]
_GLN: Final = re.compile(rf"{re.escape(CANONICAL)}41[47]/(\d{{13}})(?:/254/.*)?", re.ASCII)
_BARE: Final = re.compile(r"\d{13}", re.ASCII)
_ROLES: Final = ("owning_party", "possessing_party", "location")
"""Of several parties on one side the owner counts: the carrier possesses what is not its own."""


class Named(NamedTuple):
    """A value of the event and the field it stands in, a JSON pointer from the event on; places as GLN, "" if none."""

    field: str
    value: str


class Said(NamedTuple):
    """`kind` is a movement's. `givers`, `takers`: places by what weighs most; `things`: canonical ids.

    `denied`: why the event's sender takes it back, None while it stands.
    """

    kind: str
    at_ms: int
    givers: tuple[Named, ...]
    takers: tuple[Named, ...]
    things: tuple[Named, ...]
    denied: str | None


def said_of(event: Event) -> Said | None:
    """None for an event that moves nothing from one party to another."""
    step = event.get("bizStep")
    word = terms.bare(terms.BIZ_STEPS, step) if isinstance(step, str) else ""
    if event.get("type") != "ObjectEvent" or event.get("action") == "DELETE" or word not in ("shipping", "receiving"):
        return None
    here = (*_place(event, "bizLocation"), *_place(event, "readPoint"))
    givers, takers = tuple(_side(event, "source")), tuple(_side(event, "destination"))
    kind = RECEIPT if word == "receiving" else RETURN if _goes_back(event) else SHIPMENT
    things = tuple(Named(f"/epcList/{at}", canonical(one)) for at, one in enumerate(_texts(event.get("epcList"))))
    # A shipping event happens at the giver's, a receiving one at the taker's.
    givers, takers = (givers, (*takers, *here)) if kind == RECEIPT else ((*givers, *here), takers)
    return Said(kind, millis(str(event.get("eventTime", ""))), givers, takers, things, _denied(event))


def gln_of(text: str) -> str:
    """The GLN in any of its spellings, 13 digits; "" for anything else, and where the check digit is wrong."""
    found = _GLN.fullmatch(canonical(text))
    gln = found[1] if found else text if _BARE.fullmatch(text) else ""
    return gln if gln and check_digit(gln[:-1]) == int(gln[-1]) else ""


def _side(event: Event, name: str) -> Iterator[Named]:
    held = event.get(f"{name}List")
    rows = [one for one in held if isinstance(one, dict)] if isinstance(held, list) else []
    found = [
        (_ROLES.index(role), Named(f"/{name}List/{at}/{name}", gln_of(str(row.get(name, "")))))
        for at, row in enumerate(rows)
        if (role := terms.bare(terms.SOURCES, str(row.get("type", "")))) in _ROLES
    ]
    yield from (named for _, named in sorted(found))


def _place(event: Event, field: str) -> Iterator[Named]:
    place = subjects.place_of(event, field)
    if place:
        yield Named(f"/{field}/id", gln_of(place))


def _goes_back(event: Event) -> bool:
    disposition, papers = event.get("disposition"), event.get("bizTransactionList")
    kinds = [one.get("type") for one in papers if isinstance(one, dict)] if isinstance(papers, list) else []
    returned = isinstance(disposition, str) and terms.bare(terms.DISPOSITIONS, disposition) == "returned"
    return returned or any(isinstance(one, str) and terms.bare(terms.BIZ_TRANSACTIONS, one) == "rma" for one in kinds)


def _denied(event: Event) -> str | None:
    declared = event.get("errorDeclaration")
    if not isinstance(declared, dict):
        return None
    reason = declared.get("reason")
    return terms.bare(terms.ERROR_REASONS, reason) if isinstance(reason, str) and reason else "declared in error"


def _texts(held: object) -> list[str]:
    return [one for one in held if isinstance(one, str)] if isinstance(held, list) else []
