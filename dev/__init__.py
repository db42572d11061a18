"""Development only: the local stack, the rail's simulator, seeds and build steps. Nothing here is deployed."""

import sys
from pathlib import Path

# Lambda finds these packages by its layers; `python -m dev.…` finds them here.
_LAYERS = Path(__file__).resolve().parents[1] / "layers"
sys.path[:0] = [path for path in (str(_LAYERS / "core/python"), str(_LAYERS / "web/python")) if path not in sys.path]
