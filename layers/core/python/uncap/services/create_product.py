"""Declaring a trade item. Called by `routes/console/products.py`."""

from typing import Annotated, Literal

import msgspec

from uncap.adapters.audited_writes import doc_of
from uncap.domain.catalog import Pack, Product, Role, Text
from uncap.domain.codes.links import check_gtin
from uncap.domain.errors import InputError
from uncap.domain.packing import MAX_LEVELS, MAX_PACK, check_packs, packs_of
from uncap.services.desk import Actor, Desk, Words, catalog_write, draft

RoleName = Literal["cap_outer", "cap_inner", "case_outer", "case_inner", "box_outer", "box_inner"]
Gtin = Annotated[str, msgspec.Meta(pattern=r"^(\d{8}|\d{12,14})$(?!\n)", max_length=14, description="8 to 14 digits")]
Origin = Literal["none", "region", "distributor"]
OptionalGtin = Annotated[str, msgspec.Meta(pattern=r"^(\d{8}|\d{12,14})?$(?!\n)", max_length=14)]


class NewPack(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One level of packing. Give `holds`, or a `layout` like "6x4" that multiplies to it. Pallets have no `gtin`."""

    level: Literal["box", "case", "pallet"]
    holds: Annotated[int, msgspec.Meta(ge=0, le=MAX_PACK)] = 0
    gtin: OptionalGtin = ""
    layout: Annotated[str, msgspec.Meta(max_length=20)] = ""


class NewProduct(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A product as declared, from the top down: what it is packed in exists before it.

    `packs` names the next level (the levels above follow from it, and must agree where they are given too);
    `case_gtin` with `units_per_case` is the short form. `blank`: a technical GTIN for codes assigned later.
    """

    gtin: Gtin
    name: Words
    roles: Annotated[tuple[RoleName, ...], msgspec.Meta(min_length=1, max_length=4)]
    level: Literal["unit", "box", "case"] = "unit"
    units_per_case: Annotated[int, msgspec.Meta(ge=0, le=MAX_PACK)] = 0
    case_gtin: OptionalGtin = ""
    best_before_days: Annotated[int, msgspec.Meta(ge=0, le=36_500)] = 0
    packs: Annotated[tuple[NewPack, ...], msgspec.Meta(max_length=MAX_LEVELS)] = ()
    blank: bool = False
    origin: Origin = "none"


class ProductOrigin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How finely a product's page shows its way to whoever holds it."""

    origin: Origin


class ProductEntry(msgspec.Struct, frozen=True):
    """A product in a list."""

    gtin: str
    name: Text
    level: str


def create_product(desk: Desk, actor: Actor, given: NewProduct) -> Product:
    """Raises InputError (`gtin_…`, `product_invalid`, `pack_invalid`), NotFoundError (`product_unknown`: the case),
    ConflictError (`product_exists`)."""
    packs = _packs(desk, given)
    product = Product(
        gtin=check_gtin(given.gtin),
        name=given.name,
        roles=parse_roles(given.roles),
        level=given.level,
        units_per_case=packs[0].holds if packs else 0,
        case_gtin=packs[0].gtin if packs else "",
        best_before_days=given.best_before_days,
        packs=packs,
        blank=given.blank,
        origin=given.origin,
    )
    _check_roles(product)
    entry = ProductEntry(product.gtin, product.name, product.level)
    desk.writes.commit(
        [
            catalog_write(f"product#{product.gtin}", "meta", doc_of(product), 1, "product_exists"),
            catalog_write("index", f"product#{product.gtin}", doc_of(entry), 0),
        ],
        draft(actor, "products.create", product.gtin, after=f"{product.level}, roles {', '.join(given.roles)}"),
    )
    return product


def set_origin(desk: Desk, actor: Actor, gtin: str, given: ProductOrigin) -> Product:
    """The product with its setting; pages follow within the catalog's age. NotFoundError, ConflictError."""
    product = desk.product(gtin)
    changed = msgspec.structs.replace(product, origin=given.origin, version=product.version + 1)
    desk.writes.commit(
        [catalog_write(f"product#{gtin}", "meta", doc_of(changed), changed.version)],
        draft(actor, "products.origin", gtin, before=product.origin, after=given.origin),
    )
    return changed


def parse_roles(names: tuple[RoleName, ...]) -> tuple[Role, ...]:
    """Role names as roles, in order of their number. Raises InputError (`product_invalid`) on a repeated one."""
    roles = tuple(sorted(Role[name.upper()] for name in names))
    if len(set(roles)) != len(roles):
        raise InputError("product_invalid", "a role is named once", where="roles")
    return roles


def _check_roles(product: Product) -> None:
    on_case = {role in (Role.CASE_OUTER, Role.CASE_INNER) for role in product.roles}
    on_box = {role in (Role.BOX_OUTER, Role.BOX_INNER) for role in product.roles}
    if on_case != {product.level == "case"} or (product.level == "box" and on_box != {True}):
        raise InputError(
            "product_invalid",
            "case roles belong to products of level case, box roles to boxes and units",
            where="roles",
        )


def _packs(desk: Desk, given: NewProduct) -> tuple[Pack, ...]:
    """The whole structure above the product. A blank product has none: nobody knows yet what it will be."""
    declared = _declared(desk, given)
    if not declared:
        return ()
    if given.blank:
        raise InputError("product_invalid", "what is packed is a product, not blank codes", where="packs")
    if declared[0].gtin == check_gtin(given.gtin):
        raise InputError("product_invalid", "a product is not its own case", where="case_gtin")
    first = check_packs(given.level, declared[:1])[0]
    above: tuple[Pack, ...] = ()
    if first.gtin:
        parent = desk.product(first.gtin)
        if parent.level != first.level:
            raise InputError("pack_invalid", f"{first.gtin} is a {parent.level}", where="packs")
        above = packs_of(parent)
    packs = check_packs(given.level, (first, *above))
    if len(declared) > 1 and check_packs(given.level, declared) != packs:
        raise InputError("pack_invalid", "the levels above are packed otherwise", where="packs")
    return packs


def _declared(desk: Desk, given: NewProduct) -> tuple[Pack, ...]:
    short = bool(given.case_gtin)
    if short != (given.units_per_case > 0) or (short and given.packs):
        raise InputError("product_invalid", "give case_gtin and units_per_case together, or packs", where="case_gtin")
    if short:
        gtin = check_gtin(given.case_gtin)
        level = "case" if gtin == check_gtin(given.gtin) else desk.product(gtin).level
        return (Pack(level, given.units_per_case, gtin),)
    return tuple(
        Pack(one.level, one.holds, check_gtin(one.gtin) if one.gtin else "", one.layout) for one in given.packs
    )
