"""QR images of item codes: what the exporter prints and the demo scans. Used by `uncap qr`, the demo and `make up`.

A printed link is upper case without `?`, `=` or `&`, so the whole of it fits QR's alphanumeric mode: with a host of at
most 14 characters it is a version 3 symbol at error correction M (ISO/IEC 18004; 61 characters of capacity).
"""

import io
from pathlib import Path
from typing import Annotated

import qrcode
import typer
from qrcode.constants import ERROR_CORRECT_M
from qrcode.image.pil import PilImage
from qrcode.image.svg import SvgPathImage

QUIET_ZONE_MODULES = 4  # ISO/IEC 18004 asks for four light modules on every side


def symbol(link: str) -> "qrcode.QRCode[PilImage]":
    """The smallest symbol at level M that holds `link`; `.version` tells its size."""
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_M, border=QUIET_ZONE_MODULES, image_factory=PilImage)
    code.add_data(link, optimize=0)
    code.make(fit=True)
    return code


def png(link: str, *, module_px: int = 4) -> bytes:
    """A one-bit PNG of the symbol, `module_px` pixels a module."""
    code = symbol(link)
    code.box_size = module_px
    out = io.BytesIO()
    code.make_image().get_image().convert("1").save(out, format="PNG", optimize=True)
    return out.getvalue()


def svg(link: str) -> bytes:
    """The symbol as one SVG path, a module a unit, to be scaled by whoever places it."""
    code = qrcode.QRCode(
        error_correction=ERROR_CORRECT_M, border=QUIET_ZONE_MODULES, box_size=10, image_factory=SvgPathImage
    )
    code.add_data(link, optimize=0)
    code.make(fit=True)
    out = io.BytesIO()
    code.make_image().save(out)
    return out.getvalue()


def terminal(link: str) -> str:
    """The symbol in half-block characters, dark on light, for a terminal of any colour scheme."""
    rows = symbol(link).get_matrix()
    if len(rows) % 2:
        rows.append([False] * len(rows[0]))
    glyph = {(False, False): "█", (False, True): "▀", (True, False): "▄", (True, True): " "}
    pairs = zip(rows[0::2], rows[1::2], strict=True)
    return "\n".join("".join(glyph[bool(a), bool(b)] for a, b in zip(up, down, strict=True)) for up, down in pairs)


def show(
    link: Annotated[str, typer.Argument(help="A code's link, as exported.")],
    out: Annotated[
        Path | None, typer.Option(help="Write a .png or .svg here instead of drawing in the terminal.")
    ] = None,
) -> None:
    """Draws a link's QR code, at the size a printer would use."""
    try:
        version = symbol(link).version
        if out is None:
            typer.echo(terminal(link))
        else:
            out.write_bytes(svg(link) if out.suffix == ".svg" else png(link))
    except ValueError as error:  # what `qrcode` raises for a text beyond version 40
        typer.echo(f"no QR code holds {len(link)} characters", err=True)
        raise typer.Exit(1) from error
    except OSError as error:
        typer.echo(f"{out} cannot be written: {error.strerror}", err=True)
        raise typer.Exit(1) from error
    typer.echo(f"version {version}, level M", err=out is None)
