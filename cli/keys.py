"""`uncap keys`: writes each secret of a stage once. Called by people after a first deployment, and by `make up`.

A secret that has a value is never overwritten: lost code keys would make every printed code unreadable.
"""

import json
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import boto3
import typer
from botocore.exceptions import BotoCoreError, ClientError

from uncap.adapters.rails.registry import fleet_of
from uncap.domain.errors import InputError

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

app = typer.Typer(help="Keys of a stage, in Secrets Manager.", no_args_is_help=True)

RAIL_FIELDS = (
    "mchid",
    "appid",
    "serial_no",
    "private_key_pem",
    "api_v3_key",
    "platform_serial",
    "platform_public_key_pem",
)
WECHAT_FIELDS = ("appid", "secret")
_KEY_BYTES = 32


def _key() -> str:
    return secrets.token_hex(_KEY_BYTES)


# Shapes as in docs/architecture.md, "Secrets".
GENERATORS: dict[str, Callable[[], dict[str, Any]]] = {
    "code-keys": lambda: {"epochs": {"1": {"state": "minting", "key": _key()}}},
    "session-keys": lambda: {"current": "1", "keys": {"1": _key()}},
    "payee-keys": lambda: {"hash": _key(), "seal": _key()},
    "address-keys": lambda: {"seal": _key()},
    "draw-keys": lambda: {"master": _key()},
    "operator-keys": lambda: {"current": "1", "keys": {"1": _key()}},
    "alert-keys": lambda: {"master": _key()},
}


def secret_name(stage: str, kind: str) -> str:
    """The name infra/identity.yaml gives the secret; the functions' policies are written on it."""
    return f"uncap/{stage}/{kind}"


def ensure_secrets(
    client: "SecretsManagerClient",
    stage: str,
    rail_keys: dict[str, Any] | None = None,
    wechat_app: dict[str, str] | None = None,
) -> list[str]:
    """Fills every empty secret of `stage`; returns the kinds written. `rail_keys` None leaves the rail's secret alone,
    `wechat_app` None that of signing in by WeChat.

    Raises ValueError if one of them lacks a field, botocore's ClientError if a secret was not deployed.
    """
    makers = dict(GENERATORS)
    if rail_keys is not None:
        rail_secret = _rail_secret(rail_keys)
        makers["rail-keys"] = lambda: rail_secret
    if wechat_app is not None:
        missing = [name for name in WECHAT_FIELDS if not wechat_app.get(name)]
        if missing or wechat_app.get("kind", "page") not in ("page", "mini"):
            raise ValueError(f"the WeChat app lacks {', '.join(missing)}" if missing else "kind is page or mini")
        makers["wechat-app"] = lambda: {
            name: wechat_app[name] for name in (*WECHAT_FIELDS, "kind") if name in wechat_app
        }
    written = []
    for kind, make in makers.items():
        name = secret_name(stage, kind)
        if not _has_value(client, name):
            client.put_secret_value(SecretId=name, SecretString=json.dumps(make()))
            written.append(kind)
    return written


def _rail_secret(given: dict[str, Any]) -> dict[str, Any]:
    """One merchant's keys, or several with their limits and routes; ValueError where they could not be used."""
    several = given.get("merchants")
    for one in several if isinstance(several, list) else [given]:
        missing = [name for name in RAIL_FIELDS if not isinstance(one, dict) or not one.get(name)]
        if missing:
            raise ValueError(f"rail keys lack {', '.join(missing)}")
    if "merchants" not in given:
        return {name: given[name] for name in RAIL_FIELDS}
    try:
        fleet_of(given)
    except InputError as error:
        raise ValueError(f"{error.message} (at {error.where or 'merchants'})") from error
    return given


def _has_value(client: "SecretsManagerClient", name: str) -> bool:
    """A secret made by the template has no version on AWS and an empty one on the local stack."""
    client.describe_secret(SecretId=name)  # a secret that is not there at all must not look like an empty one
    try:
        text = client.get_secret_value(SecretId=name).get("SecretString", "")
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") == "ResourceNotFoundException":
            return False
        raise
    return text.strip() not in ("", "{}")


@app.command("init")
def init(
    stage: Annotated[str, typer.Option(help="The stage the stack was deployed with.")] = "prod",
    rail_keys: Annotated[
        Path | None,
        typer.Option(help="JSON file with the merchant's keys at the payout rail.", exists=True, dir_okay=False),
    ] = None,
    wechat_app: Annotated[
        Path | None,
        typer.Option(
            help="JSON file with appid, secret and kind (page, mini) of the app.", exists=True, dir_okay=False
        ),
    ] = None,
) -> None:
    """Writes the keys that are still empty; existing ones stay as they are."""
    try:
        rail = json.loads(rail_keys.read_bytes()) if rail_keys else None
        app_keys = json.loads(wechat_app.read_bytes()) if wechat_app else None
        written = ensure_secrets(boto3.client("secretsmanager"), stage, rail, app_keys)
    except ValueError as error:
        typer.echo(f"{rail_keys or wechat_app}: {error}", err=True)
        raise typer.Exit(2) from error
    except (BotoCoreError, ClientError) as error:
        typer.echo(f"Secrets of stage {stage} cannot be written: {error}", err=True)
        raise typer.Exit(1) from error
    typer.echo(f"written: {', '.join(written)}" if written else "nothing to do: every secret has a value")
    if rail is None:
        typer.echo("the rail's keys were left alone; give them with --rail-keys FILE")


@app.command("names")
def names(stage: Annotated[str, typer.Option()] = "prod") -> None:
    """Lists the secrets of a stage."""
    for kind in (*GENERATORS, "rail-keys", "wechat-app"):
        typer.echo(secret_name(stage, kind))
