"""The flattened map gives what looking at every shipment would."""

from hypothesis import given
from hypothesis import strategies as st

from uncap.domain.catalog import Shipment
from uncap.domain.shipping import ShipmentMap

ranges = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 30), st.integers(0, 5)), max_size=12)


@given(ranges, st.integers(-2, 100))
def test_the_latest_shipment_over_a_unit(rows: list[tuple[int, int, int]], index: int) -> None:
    shipments = [Shipment(f"s{n}", 7, at, at + size, "d", when) for n, (at, size, when) in enumerate(rows)]
    covering = [one for one in shipments if one.start <= index < one.stop]
    expected = max(covering, key=lambda one: (one.shipped_at_ms, one.shipment_id), default=None)
    assert ShipmentMap(shipments).shipment_of(index) == expected
