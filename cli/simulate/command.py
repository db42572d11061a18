"""`uncap campaign simulate`: cost, prizes, payout queue, peaks, AWS bill and fraud of a campaign before it starts."""

import json
import math
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console as Screen
from rich.table import Table

from cli.batches import Base, Login, said
from cli.campaign import loaded
from cli.clients import Console
from cli.given_files import BAD_INPUT, loaded_or_exit
from cli.simulate.assumptions import Assumptions, assumptions_schema, load_assumptions
from cli.simulate.exposure import exposures
from cli.simulate.forecast import Forecast, forecast
from cli.simulate.load import bill, drains, peaks
from uncap.domain.campaigns.rules import RulePart, joined
from uncap.domain.catalog import Campaign
from uncap.domain.errors import UncapError

_REFUSED = 1


def simulate(
    file: Annotated[
        Path | None, typer.Argument(exists=True, dir_okay=False, help="A campaign or example file, as POST /campaigns.")
    ] = None,
    campaign_id: Annotated[str, typer.Option("--campaign", help="Instead: the newest version of this one.")] = "",
    assumptions: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="examples/simulate/*.json; none: the defaults.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same forecast.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    base: Base = "",
    login: Login = "",
    password: Annotated[str, typer.Option(envvar="UNCAP_PASSWORD", help="With --campaign.")] = "",
) -> None:
    """What the campaign will cost and ask for, before it starts. With a file it needs no account and no network.

    Exit status 2 if the assumptions or the campaign cannot be read (the message names the field), 1 if the campaign
    contradicts itself.
    """
    given = _assumptions(assumptions)
    if bool(file) == bool(campaign_id):
        typer.echo("give a campaign file or --campaign, one of them", err=True)
        raise typer.Exit(BAD_INPUT)
    campaign, rules = loaded(file)[:2] if file else _from_console(campaign_id, base, login, password)
    try:
        report = report_of(forecast(campaign, rules, given, seed), given, seed)
    except UncapError as error:
        typer.echo(f"{error.where}: {error.message}", err=True)
        raise typer.Exit(_REFUSED) from error
    if as_json:
        typer.echo(json.dumps(report, ensure_ascii=False))
    else:
        show(report)


def simulate_schema() -> None:
    """Prints the JSON schema of an assumptions file."""
    typer.echo(json.dumps(assumptions_schema(), ensure_ascii=False, indent=2))


def report_of(found: Forecast, given: Assumptions, seed: int) -> dict[str, Any]:
    """What `--json` prints. Amounts in minor units of their currency; hours are null where it never ends."""
    campaign, claims = found.launch.campaign, found.claims
    currency = campaign.currency
    cost = next((line.cost.mean for line in found.costs if line.currency == currency), 0.0)
    return {
        "campaign": f"{campaign.campaign_id}@{campaign.version}",
        "assumptions": given.name,
        "seed": seed,
        "codes": given.codes.count,
        "claims": {
            "mean": round(float(claims.mean())),
            "low": int(claims.min()),
            "high": int(claims.max()),
            "refused_at_first_share": round(found.refused_share, 4),
            "lost_to_limits_share": round(1 - found.granted_share, 4),
        },
        "costs": [_plain(line) for line in found.costs],
        "expected_unconfirmed_minor": round((1 - given.rail.confirmed_share) * float(found.cash_net_minor.mean())),
        "cost_per_claim_minor": round(cost / max(1.0, float(claims.mean())), 2),
        "prizes": [_plain(line) for line in found.prizes],
        "people": _plain(found.persons),
        "payouts": [_plain(line) for line in drains(found)],
        "peaks": [{**_plain(line), "fits": line.fits} for line in peaks(found)],
        "aws_usd": _plain(bill(found)),
        "fraud": [_plain(line) for line in exposures(found)],
    }


def show(report: dict[str, Any]) -> None:
    """The report as tables."""
    screen = Screen(highlight=False)
    claims = report["claims"]
    screen.print(
        f"[bold]{report['campaign']}[/bold] under “{report['assumptions']}”, seed {report['seed']}: "
        f"{report['codes']:,} codes, {claims['mean']:,} claims ({claims['low']:,} to {claims['high']:,}); "
        f"person limits lose {claims['lost_to_limits_share']:.2%} of all tries"
    )
    costs = Table("currency", "expected", "5 %", "50 %", "95 %", "worst case, reserved", "breakage", title="cost")
    for one in report["costs"]:
        costs.add_row(one["currency"], *_four(one["cost"]), f"{one['reserved']:,}", f"{one['breakage']:,.0f}")
    screen.print(costs)
    prizes = Table("slot", "prize", "worth", "laid on", "expected", "5 %", "50 %", "95 %", title="prizes given")
    for one in report["prizes"]:
        where = {"rule": "by rule", "laid": f"{one['laid']:,}", "drawn": f"drawn, {one['most']:,} at most"}
        laid = where.get(one["how"], f"at the close, {one['most']:,}")
        prizes.add_row(one["slot"], one["prize_id"], f"{one['value_minor']:,}", laid, *_four(one["given"]))
    screen.print(prizes)
    _show_people(screen, report)
    _show_load(screen, report)


def _show_people(screen: Screen, report: dict[str, Any]) -> None:
    people = report["people"]
    screen.print(
        f"people: {people['people']:,.0f} claim, {people['winners_share']:.1%} of them win money; half get up to "
        f"{people['p50']:,.0f}, nine in ten {people['p90']:,.0f}, 99 % {people['p99']:,.0f} fen, "
        f"most {people['most']:,}"
    )
    fraud = Table(
        "fraud", "codes taken", "buyers robbed", "at risk", "more than honest", "after the gate", title="fraud"
    )
    for one in report["fraud"]:
        amounts = (f"{one[name]:,.0f}" for name in ("robbed", "at_risk_minor", "more_minor", "after_gate_minor"))
        fraud.add_row(one["name"], f"{one['taken']:,}", *amounts)
    screen.print(fraud)


def _show_load(screen: Screen, report: dict[str, Any]) -> None:
    payouts = Table("payouts", "transfers", "net", "peak queue", "longest wait h", "h after the end", "days at limit")
    for one in report["payouts"]:
        after = "never" if one["never"] else f"{one['hours_after_the_end']:,.0f}"
        wait = "never" if one["longest_wait_hours"] is None else f"{one['longest_wait_hours']:,.1f}"
        numbers = (f"{one[name]:,.0f}" for name in ("transfers", "net_minor", "peak_backlog"))
        payouts.add_row(one["scenario"], *numbers, wait, after, str(one["days_at_the_limit"]))
    screen.print(payouts)
    quotas = Table("peak", "needed", "allowed", "", "how", title="the busiest second, 95th percentile")
    for one in report["peaks"]:
        verdict = "fits" if one["fits"] else "[red]TOO MUCH[/red]"
        quotas.add_row(one["what"], f"{one['needed']:,.1f}", f"{one['allowed']:,.0f}", verdict, one["how"])
    screen.print(quotas)
    aws = report["aws_usd"]
    parts = ", ".join(f"{name} {usd:,.2f}" for name, usd in aws["parts"].items())
    screen.print(f"AWS: {aws['total']:,.2f} USD expected ({parts}), {aws['high']:,.2f} at the 95th percentile")


def _four(one: dict[str, float]) -> tuple[str, str, str, str]:
    return (f"{one['mean']:,.0f}", f"{one['p5']:,.0f}", f"{one['p50']:,.0f}", f"{one['p95']:,.0f}")


def _plain(value: msgspec.Struct) -> dict[str, Any]:
    """As JSON has it: numbers to four places, what never ends as null."""
    return {name: _rounded(one) for name, one in msgspec.to_builtins(value).items()}


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _rounded(one) for name, one in value.items()}
    if isinstance(value, float):
        return round(value, 4) if math.isfinite(value) else None
    return value


def _assumptions(path: Path | None) -> Assumptions:
    return loaded_or_exit(path, load_assumptions) if path else Assumptions()


def _from_console(campaign_id: str, base: str, login: str, password: str) -> tuple[Campaign, RulePart]:
    """The newest version and its rules, part by part."""
    with said():
        console = Console(base.rstrip("/"), login, password)
        versions = msgspec.convert(console.call("GET", f"/campaigns/{campaign_id}/versions"), tuple[Campaign, ...])
        newest = versions[-1]
        parts = [
            msgspec.convert(console.call("GET", f"/rule-parts/{digest}"), RulePart) for digest in newest.rule_set.parts
        ]
    return newest, joined(tuple(parts))
