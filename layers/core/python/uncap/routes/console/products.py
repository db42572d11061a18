"""Products. Mounted by `table.py`."""

from uncap.domain.catalog import Product
from uncap.domain.codes.links import check_gtin
from uncap.routes.console.endpoint import Area
from uncap.services.create_product import (
    Gtin,
    NewProduct,
    ProductEntry,
    ProductOrigin,
    create_product,
    set_origin,
)
from uncap.services.desk import Actor, Desk
from uncap.services.list_entries import Listing, PageQuery, list_entries

PRODUCTS = Area("products")


@PRODUCTS.post("/products", status=201)
def post_product(desk: Desk, actor: Actor, body: NewProduct) -> Product:
    """Declare a product."""
    return create_product(desk, actor, body)


@PRODUCTS.get("/products")
def list_products(desk: Desk, query: PageQuery) -> Listing[ProductEntry]:
    """Products by GTIN."""
    return list_entries(desk.catalog_docs, "index", "product#", ProductEntry, query)


@PRODUCTS.get("/products/{gtin}")
def read_product(desk: Desk, gtin: Gtin) -> Product:
    """One product."""
    return desk.product(check_gtin(gtin))


@PRODUCTS.put("/products/{gtin}/origin")
def put_origin(desk: Desk, actor: Actor, gtin: Gtin, body: ProductOrigin) -> Product:
    """Set how finely the product's page shows its way: not at all, by region, or by distributor."""
    return set_origin(desk, actor, check_gtin(gtin), body)
