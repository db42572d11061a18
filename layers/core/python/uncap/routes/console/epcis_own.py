"""Our own facts as EPCIS: what uncap knows of a batch, in the standard's words. Mounted by `table.py`."""

from typing import Final

from uncap.routes.console.endpoint import Area, RawInput, Text
from uncap.routes.console.epcis_http import JSON_TYPES, VERSIONS, told
from uncap.services.desk import BatchNo, Desk
from uncap.services.export_events import OwnQuery, export_events

EPCIS_OWN: Final = Area("epcis")


@EPCIS_OWN.get("/epcis/batches/{batch_no}/events", media_types=JSON_TYPES)
def get_own_events(desk: Desk, raw: RawInput, batch_no: BatchNo, query: OwnQuery) -> Text:
    """What uncap knows of a batch as an EPCIS document, a thousand units at a time; `Link` says where it goes on."""
    made, following = export_events(desk, batch_no, query)
    answer = told(made, raw)
    if not following:
        return answer
    stop = "" if query.stop is None else f"&stop={query.stop}"
    link = f'<{raw.address}?start={following}{stop}>; rel="next"'
    return Text(answer.body, answer.media_type, {**VERSIONS, "Link": link})
