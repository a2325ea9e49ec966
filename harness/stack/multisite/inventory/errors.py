"""What can be wrong with what was asked of the inventory; each says so in one line."""


class InventoryError(Exception):
    """Of all of them."""


class NotThere(InventoryError):
    """There is no such thing."""


class Conflict(InventoryError):
    """It contradicts what is there."""


class Stale(InventoryError):
    """What was to be changed is no longer what the asker knows."""


class DatabaseError(InventoryError):
    """The database cannot be reached, or is of no use."""
