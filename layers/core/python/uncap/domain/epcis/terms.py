"""The vocabulary of CBV 2.0 that EPCIS fields take as bare words, and the web address each word stands for.

Read by the checks (is this word known?) and by the hash (which address does it stand for?).
"""

from typing import Final

import msgspec

CBV: Final = "https://ref.gs1.org/cbv/"
GS1: Final = "https://gs1.org/voc/"


class Vocabulary(msgspec.Struct, frozen=True):
    """Bare words and the address they are short for. `refused` are prefixes of addresses that a document may not use
    for its own words, because they are another spelling of this vocabulary."""

    base: str
    words: frozenset[str]
    refused: tuple[str, ...]

    def expand(self, word: str) -> str:
        """The address of a known bare word; anything else as it is."""
        return self.base + word if word in self.words else word


_OLD_CBV: Final = ("urn:epcglobal:cbv", "http://ns.gs1.org/cbv/", "https://ns.gs1.org/cbv/")
_WEB_VOCABULARY: Final = (
    "http://gs1.org/voc/",
    "https://gs1.org/voc/",
    "http://www.gs1.org/voc/",
    "https://www.gs1.org/voc/",
)


def _cbv(prefix: str, words: str) -> Vocabulary:
    return Vocabulary(CBV + prefix, frozenset(words.split()), _OLD_CBV)


def _gs1(words: str) -> Vocabulary:
    return Vocabulary(GS1, frozenset(words.split()), _WEB_VOCABULARY)


BIZ_STEPS: Final = _cbv(
    "BizStep-",
    "accepting arriving assembling collecting commissioning consigning creating_class_instance cycle_counting"
    " decommissioning departing destroying disassembling dispensing encoding entering_exiting holding inspecting"
    " installing killing loading other packing picking receiving removing repackaging repairing replacing reserving"
    " retail_selling sampling sensor_reporting shipping staging_outbound stock_taking stocking storing transporting"
    " unloading unpacking void_shipping",
)
DISPOSITIONS: Final = _cbv(
    "Disp-",
    "active available completeness_inferred completeness_verified conformant container_closed container_open damaged"
    " destroyed dispensed disposed encoded expired in_progress in_transit inactive mismatch_class mismatch_instance"
    " mismatch_quantity needs_replacement no_pedigree_match non_conformant non_sellable_other partially_dispensed"
    " recalled reserved retail_sold returned sellable_accessible sellable_not_accessible stolen unavailable unknown",
)
BIZ_TRANSACTIONS: Final = _cbv("BTT-", "bol cert desadv inv pedigree po poc prodorder recadv rma testprd testres upevt")
SOURCES: Final = _cbv("SDT-", "location owning_party possessing_party")
ERROR_REASONS: Final = _cbv("ER-", "did_not_occur incorrect_data")
COMPONENTS: Final = _cbv(
    "Comp-",
    "x y z axial_distance azimuth height spherical_radius polar_angle elevation_angle easting northing latitude"
    " longitude altitude",
)
ALERTS: Final = _gs1("ALARM_CONDITION ERROR_CONDITION")
MEASUREMENTS: Final = _gs1(
    "AbsoluteHumidity AbsorbedDose AbsorbedDoseRate Acceleration Altitude AmountOfSubstance"
    " AmountOfSubstancePerUnitVolume Angle AngularAcceleration AngularMomentum AngularVelocity Area Capacitance"
    " Conductance Conductivity Count Density Dimensionless DoseEquivalent DoseEquivalentRate DynamicViscosity"
    " ElectricCharge ElectricCurrent ElectricCurrentDensity ElectricFieldStrength Energy Exposure Force Frequency"
    " Illuminance Inductance Irradiance KinematicViscosity Length LinearMomentum Luminance LuminousFlux"
    " LuminousIntensity MagneticFlux MagneticFluxDensity MagneticVectorPotential Mass MassConcentration MassFlowRate"
    " MassPerAreaTime MemoryCapacity MolalityOfSolute MolarEnergy MolarMass MolarVolume Power Pressure RadiantFlux"
    " RadiantIntensity Radioactivity RelativeHumidity Resistance Resistivity SolidAngle SpecificVolume Speed"
    " SurfaceDensity SurfaceTension Temperature Time Torque Voltage Volume VolumeFlowRate VolumeFraction"
    " VolumetricFlux Wavenumber"
)

# The spelling of CBV 1.x, which the hash reads as the web address of today.
URN_BASES: Final = {
    "urn:epcglobal:cbv:bizstep:": BIZ_STEPS.base,
    "urn:epcglobal:cbv:disp:": DISPOSITIONS.base,
    "urn:epcglobal:cbv:btt:": BIZ_TRANSACTIONS.base,
    "urn:epcglobal:cbv:sdt:": SOURCES.base,
    "urn:epcglobal:cbv:er:": ERROR_REASONS.base,
}

# Prefixes that the EPCIS context itself declares: a document may use them without saying so.
CONTEXT_PREFIXES: Final = frozenset({"epcis", "cbv", "cbvmda", "gs1", "rdfs", "owl", "xsd", "dcterms"})


def bare(vocabulary: Vocabulary, text: str) -> str:
    """A standard term as its bare word, whichever of its spellings it has; anything else as it is, without space."""
    text = text.strip()
    if text in vocabulary.words:
        return text
    for prefix in _spellings(vocabulary):
        word = text.removeprefix(prefix)
        if word != text and word in vocabulary.words:
            return word
    return text


def _spellings(vocabulary: Vocabulary) -> tuple[str, ...]:
    """Beginnings of the same terms: the address, 1.x URNs, and the two prefixes that EPCIS takes for granted."""
    urns = tuple(urn for urn, base in URN_BASES.items() if base == vocabulary.base)
    short = tuple(
        prefix + vocabulary.base.removeprefix(space)
        for prefix, space in (("cbv:", CBV), ("gs1:", GS1))
        if vocabulary.base.startswith(space)
    )
    return (vocabulary.base, *urns, *short)
