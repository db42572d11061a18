"""The `uncap` command: one group of commands per module."""

import typer

from cli import (
    batches,
    books,
    campaign,
    codes,
    draw,
    draw_fetch,
    epcis,
    insights,
    intake,
    keys,
    links,
    movements,
    operators,
    prove,
    qr,
    recalls,
    recipients,
    redrive,
    sample_line,
    stack_env,
    trace,
)
from cli.demo.command import demo
from cli.diversion import commands as diversion
from cli.diversion import territory
from cli.labels.command import labels
from cli.risk.command import app as risk
from cli.simulate.command import simulate, simulate_schema

app = typer.Typer(
    help="Codes, scans, rewards: the engineer's and the factory's side of uncap.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,  # locals hold serials and keys
)
app.add_typer(batches.app, name="batch")
app.add_typer(books.app, name="books")
app.add_typer(codes.app, name="code")
draw.app.command("fetch")(draw_fetch.fetch)
draw.app.command("fetch-closing")(draw_fetch.fetch_closing)
campaign.app.command("simulate")(simulate)
campaign.app.command("simulate-schema")(simulate_schema)
app.add_typer(campaign.app, name="campaign")
app.add_typer(draw.app, name="draw")
app.add_typer(diversion.app, name="diversion")
app.add_typer(epcis.app, name="epcis")
app.add_typer(insights.app, name="insights")
keys.app.command("recipient")(recipients.recipient)
app.add_typer(keys.app, name="keys")
app.add_typer(links.app, name="link")
app.add_typer(operators.app, name="operator")
app.add_typer(prove.app, name="prove")
app.add_typer(recalls.app, name="recall")
app.add_typer(redrive.app, name="redrive")
app.add_typer(risk, name="risk")
app.add_typer(territory.app, name="territory")
app.command()(demo)
app.command()(stack_env.env)
app.command()(intake.associate)
app.command()(intake.upload)
app.command("sample-line")(sample_line.sample_line)
app.command()(labels)
app.command()(movements.move)
app.command()(trace.trace)
app.command("qr")(qr.show)

if __name__ == "__main__":
    app()
