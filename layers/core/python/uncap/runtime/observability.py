"""Log and metrics of a function: Powertools' Logger, and counts that leave as one EMF line per invocation.

No serial, openid, phone or coordinate goes into either: an unexpected error is logged by its type and its place in the
code, never by its message, which may quote what it was about.
"""

import traceback

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

NAMESPACE = "uncap"


class Observer:
    """Counts and logs for one function (`service`); `flush` at the end of every invocation."""

    def __init__(self, service: str) -> None:
        self._logger = Logger(service=service)
        self._metrics = Metrics(namespace=NAMESPACE, service=service)
        self._counts: dict[str, int] = {}

    def count(self, name: str) -> None:
        """Adds one to a metric of this invocation."""
        self._counts[name] = self._counts.get(name, 0) + 1

    def counted(self, name: str) -> int:
        """How often, in this invocation so far."""
        return self._counts.get(name, 0)

    def unexpected(self, error: Exception) -> None:
        """One log line for an error nobody planned for, and a count."""
        self.count("UnexpectedError")
        frames = traceback.extract_tb(error.__traceback__)[-8:]
        trail = [f"{frame.filename.rpartition('/python/')[2]}:{frame.lineno} {frame.name}" for frame in frames]
        cause = error.__cause__
        self._logger.error(
            "unexpected error",
            extra={"error": type(error).__name__, "cause": type(cause).__name__ if cause else "", "trail": trail},
        )

    def flush(self) -> None:
        """Prints this invocation's metrics, if there are any."""
        if not self._counts:
            return
        for name, value in self._counts.items():
            self._metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)
        self._counts.clear()
        self._metrics.flush_metrics()
