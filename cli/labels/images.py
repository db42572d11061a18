"""Single symbols as one-bit PNG images, for artwork and screens. Used by `uncap labels --out ….png` and its bench."""

import io
from collections.abc import Iterator, Sequence

import numpy as np
from PIL import Image

from cli.labels.qr_batch import symbols
from cli.labels.stock import QUIET_MODULES

MODULE_PX = 10


def pngs(links: Sequence[str], module_px: int = MODULE_PX) -> Iterator[bytes]:
    """One image per link with its quiet zone, `module_px` pixels a module. Raises ValueError."""
    for symbol in symbols(links):
        light = np.pad(symbol == 0, QUIET_MODULES, constant_values=True)
        picture = Image.fromarray(light.repeat(module_px, axis=0).repeat(module_px, axis=1))
        out = io.BytesIO()
        picture.save(out, format="PNG")
        yield out.getvalue()
