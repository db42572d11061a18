"""A judgement in sentences with its figures, in Chinese and English: what the distributor and a court can follow. Pure.

Called by `services/show_evidence.py`.
"""

import math

from uncap.domain.catalog import Text
from uncap.domain.diversion.judgement import DiversionRule, Judgement

_MOST = 1_000_000
_LARGE = 1_000


def explained(found: Judgement | None, rule: DiversionRule | None) -> list[Text]:
    """How the evidence was weighed, threshold by threshold."""
    if found is None or rule is None:
        return [_text("此案立案时尚未保存判定过程。", "Opened before judgements were kept with their case.")]
    people, cases, scans = found.people, found.cases, found.shipment_scans
    travel, held = _percent(rule.travel_ppm), _percent(found.travel_ppm)
    odds, rest = _times(found.odds_ln), _times(found.without_top_case_ln)
    return [
        _text(
            f"共 {people} 人在当地扫了 {cases} 箱中的瓶码；立案至少需 {rule.min_people} 人、{rule.min_cases} 箱。",
            f"{people} people scanned bottles of {cases} cases there; at least {rule.min_people} people and "
            f"{rule.min_cases} cases are needed.",
        ),
        _text(
            f"仅当手机可能所在的整个范围均在授权区域外 {rule.margin_m} 米以上时才计入。",
            f"A scan counts only if the whole circle the phone may be in lies over {rule.margin_m} m outside.",
        ),
        _text(
            f"该批发货共有 {scans} 次带位置的扫码。正常出行预计将 {travel} 带往任一他地，本案按最高 {held} 计。",
            f"The shipment had {scans} located scans. Travel is expected to carry {travel} to any one other place; "
            f"here it was granted up to {held}.",
        ),
        _text(
            f"整箱被转运的可能性是出行、礼品、包裹及边界购物等正当原因合计的 {odds} 倍；立案需要 {rule.odds:g} 倍。",
            f"That whole cases were moved is {odds} times likelier than travel, presents, parcels and border shopping "
            f"together; {rule.odds:g} times is needed.",
        ),
        _text(
            f"除去最可疑的一箱后仍为 {rest} 倍；立案需要 {rule.odds_without_top:g} 倍。",
            f"Without the most telling case it is {rest} times likelier; {rule.odds_without_top:g} times is needed.",
        ),
        *_without_day(found),
        _moved(found),
    ]


def _without_day(found: Judgement) -> list[Text]:
    if found.without_top_day_ln is None:
        return []
    times = _times(found.without_top_day_ln)
    return [
        _text(
            f"除去扫码最多的一天后仍为 {times} 倍；立案需要不低于 1 倍。",
            f"Without the day with most scans it is {times} times likelier; at least 1 is needed.",
        )
    ]


def _moved(found: Judgement) -> Text:
    if not found.moved_ppm:
        return _text(
            "散瓶混装：仅流出比例一项已超出正常出行所能解释的范围。",
            "Cases were mixed: the share of the shipment alone is more than travel explains.",
        )
    share = _percent(found.moved_ppm)
    return _text(
        f"约 {share} 的箱被转运时，最能解释所见。", f"Best explained if about {share} of the cases were moved."
    )


def _percent(ppm: int) -> str:
    return f"{ppm / 10_000:.3g} %"


def _times(odds_ln: float) -> str:
    if odds_ln > math.log(_MOST):
        return f">{_MOST:,}"
    times = math.exp(odds_ln)
    return f"{times:.3g}" if times < _LARGE else f"{times:,.0f}"


def _text(chinese: str, english: str) -> Text:
    return {"zh-CN": chinese, "en": english}
