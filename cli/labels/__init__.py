"""Label sheets: QR symbols by the thousand, drawn as vector paths on label stock, proved by reading them back."""
