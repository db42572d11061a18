"""The judgement's thresholds as command line options, shared by `evaluate` and `backtest`."""

from typing import Annotated

import typer

from uncap.domain.diversion.judgement import DiversionRule

_DEFAULT = DiversionRule()

MinPeople = Annotated[int, typer.Option(min=2, max=100, help="Distinct people, at least.")]
MinCases = Annotated[int, typer.Option(min=2, max=100, help="Distinct cases, at least.")]
TravelPpm = Annotated[
    int, typer.Option(min=1, max=500_000, help="Of a shipment's scans, how many innocents carry to any one place.")
]
MarginM = Annotated[int, typer.Option(min=0, max=20_000, help="Metres beyond the border before anything counts.")]
Odds = Annotated[float, typer.Option(min=1, help="How many times likelier diversion must be than innocence.")]
OddsWithoutTop = Annotated[float, typer.Option(min=1, help="The same without the most telling case.")]

MIN_PEOPLE, MIN_CASES = _DEFAULT.min_people, _DEFAULT.min_cases
TRAVEL_PPM, MARGIN_M = _DEFAULT.travel_ppm, _DEFAULT.margin_m
ODDS, ODDS_WITHOUT_TOP = _DEFAULT.odds, _DEFAULT.odds_without_top
