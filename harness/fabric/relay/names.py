"""What the relay and those who talk to it call things alike."""

SOCKET_NAME = "relay.socket"
ENTERS, LISTENS = "relay-in", "relay-out"
"""The cable that leads to the relay: where the fabric's rules send packets into, and where they come out."""
CLASS_SHIFT = 16
"""The lower half of a packet's mark says where it entered the fabric, the upper half which class it is of."""
MAX_CLASSES = (1 << 16) - 1
