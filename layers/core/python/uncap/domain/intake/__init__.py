"""Files from factory lines and warehouses: what a row may look like, how a fault is told, how an upload moves. Pure."""
