"""`python -m dev.stack up|down|clean|status|outputs`: the local stack from the command line. Called by the Makefile."""

import argparse
import sys
import time

from rich.console import Console

from dev.seed.main import ensure_seed
from dev.stack import lifecycle
from dev.stack.config import StackConfig, StackError, from_environment
from dev.stack.outputs import StackOutputs, load

console = Console(highlight=False)
errors = Console(stderr=True, highlight=False)


def main() -> int:
    """Exit code 1 with one clear line where something is in the way."""
    parser = argparse.ArgumentParser(prog="python -m dev.stack", description=__doc__)
    parser.add_argument("command", choices=sorted(COMMANDS))
    parser.add_argument("--no-seed", action="store_true", help="deploy only; leave the tables empty")
    arguments = parser.parse_args()
    try:
        return COMMANDS[arguments.command](from_environment(), arguments)
    except StackError as error:
        errors.print(f"[red]✗[/red] {error}", markup=True)
        return 1
    except KeyboardInterrupt:
        errors.print("stopped; nothing was left half-started")
        return 130


def up(config: StackConfig, arguments: argparse.Namespace) -> int:
    """Brings everything up, seeds it, and says where to look."""
    begun = time.monotonic()
    with console.status("Local stack") as line:

        def say(text: str) -> None:
            console.print(f"[dim]{time.monotonic() - begun:5.1f} s[/dim]  {text}")
            line.update(text)

        def seed(outputs: StackOutputs) -> object:
            say("Seeding the demo brand")
            return ensure_seed(outputs)

        outputs, facts = lifecycle.up(config, say, None if arguments.no_seed else seed)
    console.print(f"[green]✓[/green] up after {time.monotonic() - begun:.1f} s")
    _tell(outputs, facts)
    return 0


def _tell(outputs: StackOutputs, facts: object) -> None:
    """What a person needs next. `facts` is what dev.seed returned: a mapping of strings, in the order to be printed."""
    console.print(f"  scan API      {outputs.scan_base}")
    console.print(f"  console API   {outputs.console_base}")
    console.print(f"  rail          {outputs.sim_base}")
    if isinstance(facts, dict):
        for name, value in facts.items():
            if name != "link":
                console.print(f"  {str(name).replace('_', ' '):<13} {value}")
        if link := facts.get("link"):
            _show_link(str(link))
    console.print(
        "  stop with [bold]make down[/bold], forget with [bold]make clean[/bold], try it with [bold]make demo[/bold]"
    )


def _show_link(link: str) -> None:
    """A winning bottle's link as text and as a QR code.

    The text has the host in lower case, as curl and the local gateway need it; printed codes are upper case throughout.
    """
    from cli.qr import terminal

    base, slash, path = link.partition("/01/")
    console.print(f"\nA winning bottle: {base.lower()}{slash}{path}", soft_wrap=True)
    console.print(terminal(link))


def down(config: StackConfig, _: argparse.Namespace) -> int:
    """Stops; data is kept."""
    console.print("stopped; `make up` continues where it was" if lifecycle.down(config) else "nothing was running")
    return 0


def clean(config: StackConfig, _: argparse.Namespace) -> int:
    """Stops and forgets."""
    lifecycle.clean(config)
    console.print("stopped and forgotten")
    return 0


def status(config: StackConfig, _: argparse.Namespace) -> int:
    """Exit code 0 only if everything runs."""
    for name, state in lifecycle.status(config).items():
        console.print(f"  {name:<10} {state}")
    return 0 if lifecycle.is_up(config) else 1


def outputs(config: StackConfig, _: argparse.Namespace) -> int:
    """The stack's outputs as JSON on standard output."""
    import msgspec

    sys.stdout.write(msgspec.json.format(msgspec.json.encode(load(config))).decode() + "\n")
    return 0


COMMANDS = {"up": up, "down": down, "clean": clean, "status": status, "outputs": outputs}

if __name__ == "__main__":
    sys.exit(main())
