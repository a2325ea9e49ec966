"""Taking the power from nodes that may still run what must never run twice."""
