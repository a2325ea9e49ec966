"""What clients do to a store: loads, the operations they are made of, and the clients that carry them out."""
