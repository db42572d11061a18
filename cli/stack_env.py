"""`uncap env`: a deployed function's settings as shell exports, so that a person on duty runs with the same names.

    eval "$(uncap env reward_relay --stage prod)"

Uses the caller's own AWS credentials; settings are names and tuning, never secrets (runtime/settings.py).
"""

import shlex
from typing import Annotated

import boto3
import typer
from botocore.exceptions import BotoCoreError, ClientError

PREFIX = "UNCAP_"


def env(
    function: Annotated[str, typer.Argument(help="Folder name of the function, e.g. reward_relay.")],
    stage: Annotated[str, typer.Option(help="The stage the stack was deployed with.")] = "prod",
) -> None:
    """Prints a deployed function's settings as `export` lines."""
    name = f"uncap-{stage}-{function.replace('_', '-')}"
    try:
        configuration = boto3.client("lambda").get_function_configuration(FunctionName=name)
    except (BotoCoreError, ClientError) as error:
        typer.echo(f"The settings of {name} cannot be read: {error}", err=True)
        raise typer.Exit(1) from error
    for key, value in sorted(configuration.get("Environment", {}).get("Variables", {}).items()):
        if key.startswith(PREFIX):
            typer.echo(f"export {key}={shlex.quote(value)}")
