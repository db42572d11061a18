"""What a camera sees when it is held at a QR code: a short film for Chromium's fake device, and a photo."""

from pathlib import Path

import segno

WIDTH, HEIGHT, FRAMES = 640, 480, 3
_GREY, _WHITE, _BLACK, _NO_COLOUR = 118, 235, 16, 128


def film(path: Path, text: str) -> Path:
    """A YUV4MPEG2 file (4:2:0): the code on grey, off the middle and dim at one side, as a hand would hold it."""
    matrix = [bytes(row) for row in segno.make(text, error="m", micro=False).matrix_iter(scale=6, border=4)]
    left, top = WIDTH - len(matrix[0]) - 40, (HEIGHT - len(matrix)) // 2
    luma = bytearray([_GREY]) * (WIDTH * HEIGHT)
    for y, row in enumerate(matrix):
        for x, dark in enumerate(row):
            bright = _BLACK if dark else _WHITE - x // 8
            luma[(top + y) * WIDTH + left + x] = bright
    chroma = bytes([_NO_COLOUR]) * (WIDTH * HEIGHT // 2)
    header = f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F10:1 Ip A1:1 C420jpeg\n".encode()
    path.write_bytes(header + (b"FRAME\n" + bytes(luma) + chroma) * FRAMES)
    return path


def photo(path: Path, text: str) -> Path:
    """A PNG of it."""
    segno.make(text, error="m", micro=False).save(str(path), scale=7, border=5)
    return path
