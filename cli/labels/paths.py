"""Symbols as vector paths: one rectangle for each run of dark modules in a row, merged into one path per symbol.

A path stays sharp at any resolution, where viewers blur small images. Every possible rectangle's text is made once.
"""

import functools
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import numpy as np

from cli.labels.qr_tables import U8

Style = Literal["pdf", "svg"]


def paths(symbols: Sequence[U8], style: Style) -> list[str]:
    """The path of each symbol in units of a module: `pdf` operators with y upwards from its lower edge, or `svg` data
    with y downwards from its upper edge."""
    if len({symbol.shape for symbol in symbols}) > 1:
        return [path for symbol in symbols for path in paths([symbol], style)]
    if not symbols:
        return []
    size = len(symbols[0])
    edged = np.zeros((len(symbols), size, size + 2), np.int8)
    edged[:, :, 1:-1] = symbols
    steps = np.diff(edged, axis=2)
    owner, row, start = np.nonzero(steps == 1)
    stop = np.nonzero(steps == -1)[2]
    pieces = _pieces(size, style)
    texts = [pieces[at] for at in ((row * size + start) * (size + 1) + stop - start).tolist()]
    ends = np.searchsorted(owner, np.arange(len(symbols) + 1)).tolist()
    return ["".join(texts[first:last]) for first, last in pairwise(ends)]


@functools.lru_cache(maxsize=8)
def _pieces(size: int, style: Style) -> list[str]:
    """By (row * size + start) * (size + 1) + length."""
    return [
        f"{start} {size - 1 - row} {length} 1 re\n" if style == "pdf" else f"M{start} {row}h{length}v1h-{length}z"
        for row in range(size)
        for start in range(size)
        for length in range(size + 1)
    ]
