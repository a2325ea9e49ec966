"""What sfha says to people, in English and in French: the sentences are data, a file per part of the stack."""

PARTS = (
    "frame",
    "helps",
    "configuration",
    "events",
    "administration",
    "reaching",
    "reluctance",
    "refusals",
    "resources",
    "taking_up",
    "fencing",
    "notices",
    "doctor",
    "manual",
)
"""The modules here with ``TEXTS``: key -> (English, French)."""
