"""sfha beside a program on its nodes that breaks it after certain faults together: what a search has to find."""
