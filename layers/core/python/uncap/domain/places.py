"""Where a scan says it happened: checked, moved to WGS-84, reduced to an H3 cell. Nothing finer is kept anywhere.

Used by `services/claim_code.py`. A place is the client's claim, never proof. h3 is imported when the first place comes.
"""

import math
from typing import Annotated, Literal

import msgspec

CELL_RESOLUTION = 7  # about 5 km²: a district, not a door

# Krasovsky 1940, the ellipsoid GCJ-02 is defined on.
_AXIS_M = 6_378_245.0
_ECCENTRICITY_2 = 0.006693421622965943
_INVERSE_ROUNDS = 3


class Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Degrees, metres and the datum of the degrees. Phones in China report GCJ-02 unless asked for WGS-84."""

    lat: Annotated[float, msgspec.Meta(ge=-90, le=90)]
    lng: Annotated[float, msgspec.Meta(ge=-180, le=180)]
    accuracy_m: Annotated[float, msgspec.Meta(ge=0, le=100_000)] = 0.0
    datum: Literal["wgs84", "gcj02"] = "wgs84"


def cell_of(place: Place) -> str:
    """The H3 cell at resolution 7, 15 hex characters."""
    from h3.api import basic_str  # type: ignore[import-untyped]  # here, as most scans come without a place

    lat, lng = place.lat, place.lng
    if place.datum == "gcj02":
        lat, lng = gcj02_to_wgs84(lat, lng)
    return str(basic_str.latlng_to_cell(lat, lng, CELL_RESOLUTION))


def gcj02_to_wgs84(lat: float, lng: float) -> tuple[float, float]:
    """The inverse by fixed-point iteration, good to centimetres; outside China's bounding box nothing is shifted."""
    true_lat, true_lng = lat, lng
    for _ in range(_INVERSE_ROUNDS):
        shifted_lat, shifted_lng = wgs84_to_gcj02(true_lat, true_lng)
        true_lat += lat - shifted_lat
        true_lng += lng - shifted_lng
    return true_lat, true_lng


def wgs84_to_gcj02(lat: float, lng: float) -> tuple[float, float]:
    """The published approximation of GCJ-02's offset (as in every open map library, e.g. eviltransform)."""
    if not (0.8293 <= lat <= 55.8271 and 72.004 <= lng <= 137.8347):
        return lat, lng
    east, north = lng - 105.0, lat - 35.0
    root = math.sqrt(abs(east))
    shared = (20 * math.sin(6 * east * math.pi) + 20 * math.sin(2 * east * math.pi)) * 2 / 3
    north_m = -100 + 2 * east + 3 * north + 0.2 * north * north + 0.1 * east * north + 0.2 * root + shared
    north_m += _waves(north, 20, 40, 160, 320, 3, 12, 30)
    east_m = 300 + east + 2 * north + 0.1 * east * east + 0.1 * east * north + 0.1 * root + shared
    east_m += _waves(east, 20, 40, 150, 300, 3, 12, 30)
    phi = math.radians(lat)
    curvature = 1 - _ECCENTRICITY_2 * math.sin(phi) ** 2
    meridian = _AXIS_M * (1 - _ECCENTRICITY_2) / (curvature * math.sqrt(curvature))
    parallel = _AXIS_M / math.sqrt(curvature) * math.cos(phi)
    return lat + math.degrees(north_m / meridian), lng + math.degrees(east_m / parallel)


def _waves(x: float, a: float, b: float, c: float, d: float, e: float, f: float, g: float) -> float:
    """The offset's sine terms along one axis, in metres."""
    near = a * math.sin(x * math.pi) + b * math.sin(x / e * math.pi)
    far = c * math.sin(x / f * math.pi) + d * math.sin(x / g * math.pi)
    return (near + far) * 2 / 3
