"""One query parameter as a test of an event. An unknown parameter is refused, never ignored: a filter that is not
applied would answer more than was asked for.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from uncap.domain.epcis import schema, subjects, terms
from uncap.domain.epcis.identifiers import canonical
from uncap.domain.epcis.query_values import OPERATORS, comparison, extensions, prefixes, refused

Event = Mapping[str, object]
EventTest = Callable[[Event], bool]
_Vocabulary = terms.Vocabulary

_ACTIONS: Final = frozenset({"ADD", "OBSERVE", "DELETE"})
_TYPED: Final = {
    "EQ_bizTransaction_": ("bizTransactionList", "bizTransaction", terms.BIZ_TRANSACTIONS),
    "EQ_source_": ("sourceList", "source", terms.SOURCES),
    "EQ_destination_": ("destinationList", "destination", terms.SOURCES),
}
_REPORT: Final = frozenset(
    {"type", "exception", "deviceID", "deviceMetadata", "rawData", "dataProcessingMethod", "microorganism"}
    | {"chemicalSubstance", "component", "stringValue", "booleanValue", "hexBinaryValue", "uriValue", "bizRules"}
)
_MEASURES: Final = frozenset({"value", "minValue", "maxValue", "meanValue", "sDev", "percRank", "percValue"})
_SENSOR_TERMS: Final = {"type": terms.MEASUREMENTS, "exception": terms.ALERTS, "component": terms.COMPONENTS}


def test_of(name: str, values: Sequence[str]) -> EventTest:
    """The test that parameter `name` asks for. Raises InputError (`query_parameter_invalid`)."""
    simple = _SIMPLE.get(name)
    if simple is not None:
        return simple(name, values)
    if name in subjects.ITEM_PARAMETERS:
        return _match(lambda event: subjects.items(event, name), values)
    if name in subjects.CLASS_PARAMETERS:
        return _match(lambda event: subjects.classes(event, name), values)
    for start, (field, key, vocabulary) in _TYPED.items():
        if name.startswith(start) and len(name) > len(start):
            return _typed(field, key, vocabulary, name.removeprefix(start), values)
    operator, _, rest = name.partition("_")
    found = _sensed(operator, rest, name, values) or _extended(operator, rest, name, values)
    if found is None:
        raise refused(name, "is no parameter of event queries that is offered here")
    return found


def _match(held: Callable[[Event], Iterator[str]], values: Sequence[str]) -> EventTest:
    wanted = [subjects.Wanted(value) for value in values]
    return lambda event: any(one.accepts(item) for item in held(event) for one in wanted)


def _typed(field: str, key: str, vocabulary: _Vocabulary, kind: str, values: Sequence[str]) -> EventTest:
    kind = terms.bare(vocabulary, kind)
    wanted = {canonical(value) for value in values}

    def test(event: Event) -> bool:
        held = event.get(field)
        return any(
            terms.bare(vocabulary, str(one.get("type", ""))) == kind and canonical(str(one.get(key))) in wanted
            for one in (held if isinstance(held, list) else ())
            if isinstance(one, dict)
        )

    return test


def _words(field: str, vocabulary: _Vocabulary) -> Callable[[str, Sequence[str]], EventTest]:
    def build(_name: str, values: Sequence[str]) -> EventTest:
        wanted = {terms.bare(vocabulary, value) for value in values}
        return lambda event: isinstance(event.get(field), str) and terms.bare(vocabulary, str(event[field])) in wanted

    return build


def _texts(*path: str) -> Callable[[str, Sequence[str]], EventTest]:
    """Equality of a text, or of one in a list of them, under `path`."""

    def build(_name: str, values: Sequence[str]) -> EventTest:
        wanted = set(values)

        def test(event: Event) -> bool:
            held: object = event
            for step in path:
                held = held.get(step) if isinstance(held, dict) else None
            return any(one in wanted for one in (held if isinstance(held, list) else (held,)) if isinstance(one, str))

        return test

    return build


def _known(field: str, allowed: frozenset[str]) -> Callable[[str, Sequence[str]], EventTest]:
    def build(name: str, values: Sequence[str]) -> EventTest:
        for value in values:
            if value not in allowed and ":" not in value:
                raise refused(name, f"takes {', '.join(sorted(allowed))}")
        return _texts(field)(name, values)

    return build


def _persistent(change: str) -> Callable[[str, Sequence[str]], EventTest]:
    def build(_name: str, values: Sequence[str]) -> EventTest:
        words = [terms.bare(terms.DISPOSITIONS, value) for value in values]
        return _texts("persistentDisposition", change)(_name, words)

    return build


def _places(field: str, *, within: bool) -> Callable[[str, Sequence[str]], EventTest]:
    """`WD_`: the place itself or, without master data to say more, a part of the same site."""

    def build(_name: str, values: Sequence[str]) -> EventTest:
        wanted = {canonical(value) for value in values}

        def test(event: Event) -> bool:
            place = subjects.place_of(event, field)
            return place in wanted or (within and subjects.site_of(place) in wanted)

        return test

    return build


def _error_reason(_name: str, values: Sequence[str]) -> EventTest:
    words = [terms.bare(terms.ERROR_REASONS, value) for value in values]
    return _texts("errorDeclaration", "reason")(_name, words)


def _quantity(name: str, values: Sequence[str]) -> EventTest:
    compare = comparison(name.partition("_")[0], name, values)
    return lambda event: any(compare(one.get("quantity")) for one in subjects.quantities(event))


def _declared(name: str, values: Sequence[str]) -> EventTest:
    compare = comparison(name.partition("_")[0], name, values)

    def test(event: Event) -> bool:
        held = event.get("errorDeclaration")
        return isinstance(held, dict) and compare(held.get("declarationTime"))

    return test


_SIMPLE: Final[dict[str, Callable[[str, Sequence[str]], EventTest]]] = {
    "eventType": _known("type", frozenset(schema.EVENTS)),
    "EQ_action": _known("action", _ACTIONS),
    "EQ_bizStep": _words("bizStep", terms.BIZ_STEPS),
    "EQ_disposition": _words("disposition", terms.DISPOSITIONS),
    "EQ_persistentDisposition_set": _persistent("set"),
    "EQ_persistentDisposition_unset": _persistent("unset"),
    "EQ_transformationID": _texts("transformationID"),
    "EQ_eventID": _texts("eventID"),
    "EXISTS_errorDeclaration": lambda _name, _values: lambda event: "errorDeclaration" in event,
    "EQ_errorReason": _error_reason,
    "EQ_correctiveEventID": _texts("errorDeclaration", "correctiveEventIDs"),
    **{f"{operator}_errorDeclarationTime": _declared for operator in ("GE", "LT")},
    **{f"{operator}_quantity": _quantity for operator in OPERATORS},
    **{f"EQ_{field}": _places(field, within=False) for field in ("readPoint", "bizLocation")},
    **{f"WD_{field}": _places(field, within=True) for field in ("readPoint", "bizLocation")},
}


def _reports(event: Event) -> Iterator[Mapping[str, object]]:
    """Sensor reports, each with what the metadata beside it adds."""
    elements = event.get("sensorElementList")
    for element in elements if isinstance(elements, list) else ():
        held = element.get("sensorReport") if isinstance(element, dict) else None
        about = element.get("sensorMetadata", {}) if isinstance(element, dict) else {}
        for report in held if isinstance(held, list) else ():
            if isinstance(report, dict) and isinstance(about, dict):
                yield {**about, **report}


def _sensed(operator: str, rest: str, name: str, values: Sequence[str]) -> EventTest | None:
    """`EQ_type`, `EQ_deviceID`, …, and `GE_value_CEL`: a report with this measure in this unit."""
    if operator == "EQ" and rest in _REPORT:
        vocabulary = _SENSOR_TERMS.get(rest)
        wanted = [value if vocabulary is None else terms.bare(vocabulary, value) for value in values]
        compare = comparison("EQ", name, wanted)
        return lambda event: any(compare(report.get(rest)) for report in _reports(event))
    measure, _, unit = rest.partition("_")
    if operator not in OPERATORS or measure not in _MEASURES:
        return None
    compare = comparison(operator, name, values)
    return lambda event: any(
        compare(report.get(measure)) for report in _reports(event) if not unit or report.get("uom") == unit
    )


def _extended(operator: str, rest: str, name: str, values: Sequence[str]) -> EventTest | None:
    """Extensions of the event, of its item data (`ILMD_`), and below them (`INNER_`); `EXISTS_` asks for any value."""
    inner = rest.startswith("INNER_")
    field = rest.removeprefix("INNER_")
    about_items = field.startswith("ILMD_")
    field = field.removeprefix("ILMD_")
    if operator not in OPERATORS | {"EXISTS"} or ":" not in field:
        return None
    compare = None if operator == "EXISTS" else comparison(operator, name, values)

    def test(event: Event) -> bool:
        held = event.get("ilmd") if about_items else event
        if not isinstance(held, dict):
            return False
        found = extensions(held, prefixes(event), field, inner=inner)
        return any(compare is None or compare(value) for value in found)

    return test
