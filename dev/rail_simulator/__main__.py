"""`python -m dev.rail_simulator --port P --state-dir DIR`: serve the simulated rail on 127.0.0.1 until stopped."""

import argparse
from pathlib import Path

import uvicorn

from dev.rail_simulator.app import SimulatorConfig, create_app


def main() -> None:
    """Parse the command line and serve."""
    defaults = SimulatorConfig(state_dir=Path())
    parser = argparse.ArgumentParser(prog="dev.rail_simulator", description="A stand-in for WeChat Pay on loopback.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--state-dir", type=Path, required=True)
    for name in ("transfer_ms", "confirm_ttl_ms", "hold_ms", "rate_per_s", "callback_backoff_ms", "balance_minor"):
        parser.add_argument("--" + name.replace("_", "-"), type=int, default=getattr(defaults, name))
    options = vars(parser.parse_args())
    port = options.pop("port")
    app = create_app(SimulatorConfig(**options))
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", ws="none", timeout_graceful_shutdown=1)


if __name__ == "__main__":
    main()
