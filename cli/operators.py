"""`uncap operator`: who may sign in to the console. For the deployment's owner, with AWS credentials of their own.

Reads UNCAP_PARTIES_TABLE (see `uncap env console_api`). The password is asked for, never an argument: those end up in
shell histories and process lists.
"""

from typing import Annotated

import typer

from uncap.domain.errors import UncapError
from uncap.domain.operators import PERMISSIONS
from uncap.runtime.wiring_console import open_operators

app = typer.Typer(help="People who may sign in to the console.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keeps `ensure` a command of its own while it is the only one."""


@app.command()
def ensure(
    login: Annotated[str, typer.Argument(help="Their name at sign-in.")],
    role: Annotated[str, typer.Option(help="admin, brand, factory, logistics, finance, inspector or auditor.")],
    parties_table: Annotated[
        str, typer.Option(envvar="UNCAP_PARTIES_TABLE", help='Set by `eval "$(uncap env console_api)"`.')
    ],
) -> None:
    """Creates the operator, or changes role and password; their earlier tokens then end."""
    if role not in PERMISSIONS:  # said before a password is asked for in vain
        raise typer.BadParameter(f"roles are {', '.join(sorted(PERMISSIONS))}", param_hint="--role")
    password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    try:
        operator = open_operators(parties_table).ensure(login, password, role)
    except UncapError as error:
        typer.echo(f"not done: {error}", err=True)
        raise typer.Exit(1) from error
    typer.echo(f"{operator.login} is {operator.role}")
