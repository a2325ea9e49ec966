"""The inventory on several machines: one of them leads and changes it, a majority keeps each change."""
