"""What was packed into what: units, boxes, cases, pallets. Pure; see docs/adr/0010."""
