"""Declaring a trade item. Called by `routes/console/products.py`."""

from typing import Annotated, Literal

import msgspec

from uncap.adapters.audited_writes import doc_of
from uncap.domain.catalog import Product, Role, Text
from uncap.domain.codes.links import check_gtin
from uncap.domain.errors import InputError
from uncap.services.desk import Actor, Desk, Words, catalog_write, draft

RoleName = Literal["cap_outer", "cap_inner", "case_outer", "case_inner", "box_outer", "box_inner"]
Gtin = Annotated[str, msgspec.Meta(pattern=r"^(\d{8}|\d{12,14})$(?!\n)", max_length=14, description="8 to 14 digits")]
MAX_PACK = 10_000


class NewProduct(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A product as declared. A unit that is packed in cases names the cases' product in `case_gtin`."""

    gtin: Gtin
    name: Words
    roles: Annotated[tuple[RoleName, ...], msgspec.Meta(min_length=1, max_length=4)]
    level: Literal["unit", "case"] = "unit"
    units_per_case: Annotated[int, msgspec.Meta(ge=0, le=MAX_PACK)] = 0
    case_gtin: Annotated[str, msgspec.Meta(pattern=r"^(\d{8}|\d{12,14})?$(?!\n)", max_length=14)] = ""
    best_before_days: Annotated[int, msgspec.Meta(ge=0, le=36_500)] = 0


class ProductEntry(msgspec.Struct, frozen=True):
    """A product in a list."""

    gtin: str
    name: Text
    level: str


def create_product(desk: Desk, actor: Actor, given: NewProduct) -> Product:
    """Raises InputError (`gtin_…`, `product_invalid`), NotFoundError (`product_unknown`: the case), ConflictError
    (`product_exists`)."""
    product = Product(
        gtin=check_gtin(given.gtin),
        name=given.name,
        roles=parse_roles(given.roles),
        level=given.level,
        units_per_case=given.units_per_case,
        case_gtin=check_gtin(given.case_gtin) if given.case_gtin else "",
        best_before_days=given.best_before_days,
    )
    _check_levels(product)
    if product.case_gtin and desk.product(product.case_gtin).level != "case":
        raise InputError("product_invalid", "case_gtin must name a product of level case", where="case_gtin")
    entry = ProductEntry(product.gtin, product.name, product.level)
    desk.writes.commit(
        [
            catalog_write(f"product#{product.gtin}", "meta", doc_of(product), 1, "product_exists"),
            catalog_write("index", f"product#{product.gtin}", doc_of(entry), 0),
        ],
        draft(actor, "products.create", product.gtin, after=f"{product.level}, roles {', '.join(given.roles)}"),
    )
    return product


def parse_roles(names: tuple[RoleName, ...]) -> tuple[Role, ...]:
    """Role names as roles, in order of their number. Raises InputError (`product_invalid`) on a repeated one."""
    roles = tuple(sorted(Role[name.upper()] for name in names))
    if len(set(roles)) != len(roles):
        raise InputError("product_invalid", "a role is named once", where="roles")
    return roles


def _check_levels(product: Product) -> None:
    on_case = [role in (Role.CASE_OUTER, Role.CASE_INNER) for role in product.roles]
    if not all(is_case == (product.level == "case") for is_case in on_case):
        raise InputError(
            "product_invalid", "case roles belong to products of level case, others to units", where="roles"
        )
    packed = bool(product.case_gtin)
    if packed != (product.units_per_case > 0) or (packed and product.level != "unit"):
        raise InputError("product_invalid", "case_gtin and units_per_case come together, on units", where="case_gtin")
    if product.case_gtin == product.gtin:
        raise InputError("product_invalid", "a product is not its own case", where="case_gtin")
