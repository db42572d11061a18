"""Writes infra/console_openapi.yaml from the Chalice app's routes, for `make routes`; tests/contract keeps it true.

Chalice routes on `requestContext.resourcePath`, so API Gateway must know each route exactly; `{proxy+}` answers 405.
"""

import argparse
import os
import sys
from pathlib import Path
from typing import Any

import yaml

from dev.stack.config import REPOSITORY

TARGET = REPOSITORY / "infra" / "console_openapi.yaml"
HEADER = "# Written by `make routes` from functions/console_api/app.py. Do not edit: tests/contract compares the two.\n"
_INTEGRATION = (
    "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${ConsoleApi.Arn}/invocations"
)


def document(app: Any) -> dict[str, Any]:
    """The OpenAPI document of a Chalice app: every path and method goes to the ConsoleApi function."""
    return {
        "openapi": "3.0.1",
        "info": {"title": "uncap console", "version": "1"},
        "x-amazon-apigateway-binary-media-types": list(app.api.binary_types),
        "paths": {
            path: {method.lower(): _operation(path) for method in sorted(methods)}
            for path, methods in sorted(app.routes.items())
        },
    }


def _operation(path: str) -> dict[str, Any]:
    names = [part[1:-1] for part in path.split("/") if part.startswith("{") and part.endswith("}")]
    operation: dict[str, Any] = {"responses": {"default": {"description": "Answered by the function."}}}
    if names:
        operation["parameters"] = [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names
        ]
    # Long form: CloudFormation reads no short-hand tags in an included snippet.
    operation["x-amazon-apigateway-integration"] = {
        "type": "aws_proxy",
        "httpMethod": "POST",
        "uri": {"Fn::Sub": _INTEGRATION},
        "passthroughBehavior": "when_no_match",
    }
    return operation


def render(app: Any) -> str:
    """The file's whole text."""
    return HEADER + yaml.dump(document(app), Dumper=_PlainDumper, sort_keys=False, width=120)


class _PlainDumper(yaml.SafeDumper):
    """Without anchors: CloudFormation takes none in a snippet."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 -- the base class's signature
        return True


def load_app() -> Any:
    """The console's Chalice app, imported without any AWS access."""
    sys.path[:0] = [str(REPOSITORY / "layers" / "core" / "python"), str(REPOSITORY / "layers" / "web" / "python")]
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    from functions.console_api.app import app

    return app


def main() -> int:
    """Writes the file, or with --check says whether it is current."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--into", type=Path, default=TARGET)
    arguments = parser.parse_args()
    text = render(load_app())
    if arguments.check:
        return 0 if arguments.into.read_text() == text else 1
    arguments.into.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
