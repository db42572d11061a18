"""`uncap redrive`: parked records and dead reward messages, tried again once their cause is gone. For people on duty.

Uses the caller's own AWS credentials and the relay's environment variables (UNCAP_…, see runtime/settings.py).
"""

from typing import Annotated

import msgspec
import typer
from botocore.exceptions import BotoCoreError, ClientError

from uncap.adapters.reward_queue import SqsInbox, SqsRewardQueue, sqs_client
from uncap.domain.errors import UncapError
from uncap.runtime.settings import RelaySettings, read
from uncap.runtime.wiring_back import relay_tools
from uncap.services.redrive_parked import Redriven, redrive_dead, redrive_parked

app = typer.Typer(help="Try parked records and dead messages again.", no_args_is_help=True)
Limit = Annotated[int, typer.Option(min=1, help="Stop after so many messages.")]
_FAILED = 1


@app.command()
def parked(limit: Limit = 100) -> None:
    """Grants the claims that parked stream records name, as the Scans table has them now."""
    try:
        settings, tools = read(RelaySettings), relay_tools()
        inbox = SqsInbox(sqs_client(), settings.parked_queue_url)
        _report(redrive_parked(inbox, tools.scans, tools.granter, limit))
    except msgspec.ValidationError as error:
        typer.echo(f'redrive stopped: {error}; set by eval "$(uncap env reward_relay --stage STAGE)"', err=True)
        raise typer.Exit(_FAILED) from error
    except (UncapError, BotoCoreError, ClientError) as error:
        typer.echo(f"redrive stopped: {error}", err=True)
        raise typer.Exit(_FAILED) from error


@app.command()
def dead(
    dlq_url: Annotated[str, typer.Option(envvar="UNCAP_REWARD_DLQ_URL", help="The dead-letter queue.")],
    queue_url: Annotated[str, typer.Option(envvar="UNCAP_REWARD_QUEUE_URL", help="The queue they go back to.")],
    limit: Limit = 100,
) -> None:
    """Sends dead reward messages to RewardQueue again; a reward is never paid twice by that."""
    try:
        client = sqs_client()
        _report(redrive_dead(SqsInbox(client, dlq_url), SqsRewardQueue(client, queue_url), limit))
    except (UncapError, BotoCoreError, ClientError) as error:
        typer.echo(f"redrive stopped: {error}", err=True)
        raise typer.Exit(_FAILED) from error


def _report(result: Redriven) -> None:
    typer.echo(f"{result.done} redriven, {len(result.kept)} kept")
    for receipt, reason in result.kept:
        typer.echo(f"  {receipt}… {reason}")
