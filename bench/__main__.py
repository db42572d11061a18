"""`python -m bench [name ...]`: runs the benchmarks of `BENCHES` (all, or those named) and prints their rows."""

import importlib
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from bench import report

BENCHES = {
    "codes_generate": "bench.codes:codes_generate",
    "code_verify": "bench.codes:code_verify",
    "code_reject": "bench.scan:code_reject",
    "claim_cost": "bench.scan:claim_cost",
    "claim_growth": "bench.scan:claim_growth",
    "scan_cpu": "bench.scan_speed:scan_cpu",
    "scan_init": "bench.scan_speed:scan_init",
    "scan_page": "bench.page:scan_page",
    "prize_lay": "bench.prizes:prize_lay",
    "rule_evaluation": "bench.rules:rule_evaluation",
    "linked_rebate_writes": "bench.rules:linked_rebate_writes",
    "budget_contention": "bench.budgets:budget_contention",
    "intake_read": "bench.intake:intake_read",
    "association_ingest": "bench.association:association_ingest",
    "association_lookup": "bench.association:association_lookup",
    "association_cost": "bench.association:association_cost",
    "diversion_check": "bench.diversion:diversion_check",
    "ledger_put": "bench.relay:ledger_put",
    "relay_rate": "bench.relay:relay_rate",
    "payout_pipeline": "bench.payout:payout_pipeline",
    "payout_schedule": "bench.payout_schedule:payout_schedule",
    "label_pdf": "bench.labels:label_pdf",
    "qr_image": "bench.labels:qr_image",
    "epcis_capture": "bench.epcis:epcis_capture",
    "epcis_query": "bench.epcis:epcis_query",
    "usd_per_million": "bench.usd:usd_per_million",
}
"""name -> "module:function"; the function takes nothing and yields rows (see report.py)."""

_ROOT = Path(__file__).resolve().parent.parent
_ITSELF, _PART = (sys.executable, "-m", "bench"), "--part"
_LAYERS = ("layers/core/python", "layers/web/python")


def main(names: list[str]) -> int:
    """Exit status 2 for an unknown name, 1 if a benchmark failed; the others are run all the same.

    Each benchmark has a process of its own: what one imported, bound or kept warm is no part of the next one's figure.
    """
    unknown = [name for name in names if name not in BENCHES]
    if unknown:
        print(f"unknown: {', '.join(unknown)}; there are: {', '.join(BENCHES)}", file=sys.stderr)
        return 2
    report.emit([report.machine()])
    failed = [name for name in names or BENCHES if subprocess.run([*_ITSELF, _PART, name], check=False).returncode]
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def part(name: str) -> int:
    """One benchmark, in this process."""
    module, _, function = BENCHES[name].partition(":")
    bench: Callable[[], Iterable[report.Row]] = getattr(importlib.import_module(module), function)
    report.emit(bench())
    return 0


if __name__ == "__main__":
    # In Lambda the layers' contents stand on the path; here they are put there.
    sys.path[:0] = [str(_ROOT), *(str(_ROOT / layer) for layer in _LAYERS)]
    arguments = sys.argv[1:]
    sys.exit(part(arguments[1]) if arguments[:1] == [_PART] else main(arguments))
