"""`uncap campaign`: the schema, checks and dry runs of campaign files, and why a claim came to what it did."""

from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console as Screen
from rich.table import Table

from cli.batches import Base, Login, Password, said
from cli.clients import Console
from uncap.domain.campaign_rules import check_campaign
from uncap.domain.campaigns.explaining import Explanation, RuleTrace, explain
from uncap.domain.campaigns.index import RuleIndex
from uncap.domain.campaigns.rules import RulePart
from uncap.domain.catalog import Campaign
from uncap.domain.errors import UncapError
from uncap.services.campaign_forms import NewCampaign, campaign_of, campaign_schema, reference_to, rules_in
from uncap.services.explain_claim import NewFacts

app = typer.Typer(help="Campaign files: schema, check, dry run; why a claim won.", no_args_is_help=True)

_REFUSED, _UNREADABLE = 1, 2
_INLINE = ("inline",)
File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A campaign as POST /campaigns takes it.")]


class Scan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An imagined claim of an example file: its facts, and per slot "no.beneficiary" the prize it is to get."""

    name: str
    facts: NewFacts
    expect: dict[str, str]


class Example(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file under examples/campaigns: a campaign, what it is for, and claims with what they come to."""

    about: str
    campaign: NewCampaign
    scans: tuple[Scan, ...] = ()


@app.command()
def schema() -> None:
    """Prints the JSON schema of a campaign version."""
    typer.echo(msgspec.json.format(msgspec.json.encode(campaign_schema()), indent=2).decode())


@app.command()
def check(file: File) -> None:
    """Says whether the campaign contradicts itself or the law; exit status 1 and the field if so."""
    campaign, rules = loaded(file)[:2]
    typer.echo(f"{campaign.campaign_id}: {len(rules.rules)} rules, {len(campaign.effects)} unconditional effects, good")


@app.command("explain")
def explain_file(
    file: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="A campaign or example file.")],
    facts: Annotated[
        str, typer.Option(help='An imagined claim as JSON, e.g. {"role":"cap_inner","outlet":"o-1"}.')
    ] = "",
    scan: Annotated[
        str, typer.Option(help="Name of a scan in the example file; all of them if neither is given.")
    ] = "",
    rule: Annotated[int, typer.Option(min=0, help="A rule to account for even if it was not considered.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Which rules an imagined claim would meet, which would win, and why. Needs no account and no network."""
    campaign, rules, scans = loaded(file)
    index = RuleIndex(rules)
    for name, imagined in _wanted(scans, facts, scan):
        told = explain(campaign, index, imagined.value(), ask=[rule] if rule else [])
        show(told, name, as_json=as_json)


@app.command()
def claim(
    code_key: Annotated[str, typer.Argument(help="The code as batch.index.role, e.g. 7.3.1.")],
    base: Base,
    login: Login,
    password: Password,
    rule: Annotated[int, typer.Option(min=0, help="A rule to account for in any case.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Why a claim that was made came to what it did, as recorded and as explained again now."""
    with said():
        console = Console(base.rstrip("/"), login, password)
        answer: dict[str, Any] = console.call("GET", f"/claims/{code_key}/explanation", rule=rule)
    if as_json:
        typer.echo(msgspec.json.encode(answer).decode())
        return
    show(msgspec.convert(answer["explanation"], Explanation), code_key)
    typer.echo("as decided then" if answer["agrees"] else "NOT as decided then: see the decision's record")
    for line in answer["rewards"]:
        typer.echo(f"  {line['no']}.{line['beneficiary']}: {line['state'] or 'not created'} {line['reason']}")


def loaded(file: Path) -> tuple[Campaign, RulePart, tuple[Scan, ...]]:
    """A campaign file or an example file, checked. Exits with one line if it is neither, or contradicts itself."""
    try:
        text = file.read_bytes()
        is_example = "campaign" in msgspec.json.decode(text, type=dict[str, Any])
        example = msgspec.json.decode(text, type=Example) if is_example else None
        given = example.campaign if example else msgspec.json.decode(text, type=NewCampaign)
        rules = rules_in(given)
        campaign = campaign_of(given, given.effective_at_ms or 0, reference_to(rules, _INLINE if rules.rules else ()))
        check_campaign(campaign, rules)
    except (msgspec.MsgspecError, OSError) as error:
        typer.echo(f"{file}: not a campaign: {error}", err=True)
        raise typer.Exit(_UNREADABLE) from error
    except UncapError as error:
        typer.echo(f"{file}: {error.where}: {error.message}", err=True)
        raise typer.Exit(_REFUSED) from error
    return campaign, rules, example.scans if example else ()


def show(told: Explanation, name: str, *, as_json: bool = False) -> None:
    """One explanation on the screen, or as a line of JSON."""
    if as_json:
        typer.echo(msgspec.json.encode(told).decode())
        return
    screen = Screen()
    screen.print(f"[bold]{name}[/bold]: {told.considered} of {told.rules} rules considered")
    table = Table("rule", "name", "precedence", "", show_edge=False)
    for trace in told.traces:
        table.add_row(str(trace.rule_no), trace.name, str(trace.precedence), _verdict(trace))
    if told.traces:
        screen.print(table)
    for one in told.outcomes:
        why = {0: "for every claim", -1: "nothing matched"}.get(one.rule_no, f"rule {one.rule_no}")
        prize = one.prize_id or ("what is laid on the code" if one.kind == "laid" else "nothing")
        screen.print(f"  slot {one.no} {one.beneficiary} {one.party}: {prize} ({why})")
    for slot in told.waiting:
        screen.print(f"  slot {slot.no} {slot.beneficiary}: waits for the goods' place in the channel")


def _verdict(trace: RuleTrace) -> str:
    if not trace.matched:
        return "no: " + ", ".join(trace.missed)
    lost = [f"{one.no}.{one.beneficiary} lost to rule {one.to_rule} ({one.precedence})" for one in trace.lost]
    won = [f"{slot.no}.{slot.beneficiary} won" for slot in trace.won]
    return "; ".join(won + lost) or "matched"


def _wanted(scans: tuple[Scan, ...], facts: str, scan: str) -> list[tuple[str, NewFacts]]:
    if facts:
        try:
            return [("imagined claim", msgspec.json.decode(facts, type=NewFacts))]
        except msgspec.MsgspecError as error:
            typer.echo(f"--facts: {error}", err=True)
            raise typer.Exit(_UNREADABLE) from error
    chosen = [(one.name, one.facts) for one in scans if scan in ("", one.name)]
    if not chosen:
        typer.echo("there is no such scan in the file; give --facts", err=True)
        raise typer.Exit(_UNREADABLE)
    return chosen
