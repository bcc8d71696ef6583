"""A picture inside Dagster's metadata: a PNG as a data URI in Markdown, which the UI renders.

Here belong size and escaping; what is drawn is ``round_pictures`` and ``seller_pictures``. Pictures
lie in the event log, so each is bounded.
"""

from __future__ import annotations

import base64
import io
from typing import Any

import dagster as dg

MOST_BYTES = 60_000
_COLOURS = 48  # enough for flat colours and smooth letters, at a third of the bytes


def picture(png: bytes | None, instead: str) -> Any:
    """A picture as metadata; the sentence ``instead`` where there is none, or it is too large.

    Args:
        png: the picture; None where there is nothing to draw.
        instead: why there is none, in words of this project, never of a seller.

    >>> picture(None, "nothing was granted").value
    'nothing was granted'
    """
    if png is None:
        return dg.MetadataValue.text(instead)
    encoded = base64.b64encode(_with_few_colours(png)).decode("ascii")
    if len(encoded) > MOST_BYTES:
        return dg.MetadataValue.text(
            f"the picture would take {len(encoded):,} bytes of the event log, more than "
            f"{MOST_BYTES:,}, so it was left out"
        )
    return dg.MetadataValue.md(f"![picture](data:image/png;base64,{encoded})")


def _with_few_colours(png: bytes) -> bytes:
    from PIL import Image

    written = io.BytesIO()
    with Image.open(io.BytesIO(png)) as drawn:
        drawn.convert("RGB").quantize(_COLOURS).save(written, format="png", optimize=True)
    return written.getvalue()
