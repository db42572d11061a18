"""One view per face of the product safety page, by name. Used by its tests and `python -m dev.page_server`."""

from dev.page_gallery import CLAIMABLE, GTIN
from webui.about_page import AboutView, WayStep

_ITEM = AboutView(
    issued=True,
    path=f"/about/{GTIN}/PLAIN",
    back=f"/01/{GTIN}/21/CLAIMABLE",
    gtin=GTIN,
    product=CLAIMABLE.product,
    lot=CLAIMABLE.lot,
    produced_on=CLAIMABLE.produced_on,
    best_before=CLAIMABLE.best_before,
)


def _gallery() -> dict[str, AboutView]:
    changed: dict[str, dict[str, object]] = {
        "PLAIN": {},
        "REGION": {
            "way": (
                WayStep("out", "2026-09-12", {"zh-CN": "四川成都", "en": "Chengdu, Sichuan"}),
                WayStep("out", "2026-09-20", {"zh-CN": "四川绵阳", "en": "Mianyang, Sichuan"}),
            )
        },
        "DISTRIBUTOR": {
            "way": (
                WayStep("out", "2026-09-12", {"zh-CN": "成都锦江酒水商贸有限公司", "en": "Chengdu Jinjiang Beverages"}),
                WayStep("back", "2026-09-30", {}),
                WayStep("out", "2026-10-08", {"zh-CN": "重庆渝中商贸", "en": "Chongqing Yuzhong Trading"}),
            )
        },
        "RECALLED": {
            "recalled": True,
            "notice": {
                "zh-CN": "部分瓶盖密封不严。请勿饮用，可到任意门店退款。客服 400-000-0000。",
                "en": "Some caps do not seal. Do not drink it; any shop refunds it. Hotline 400-000-0000.",
            },
        },
        "BARE": {"lot": "", "produced_on": "", "best_before": "", "product": {}},
    }
    faces = {name: _named(name, changes) for name, changes in changed.items()}
    return faces | {"NOT-ISSUED": AboutView(issued=False, path=f"/about/{GTIN}/NOT-ISSUED")}


def _named(name: str, changes: dict[str, object]) -> AboutView:
    fields = {field: getattr(_ITEM, field) for field in AboutView.__struct_fields__}
    return AboutView(**{**fields, **changes, "path": f"/about/{GTIN}/{name}"})


ABOUT = _gallery()
