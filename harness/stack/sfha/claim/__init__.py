"""Who may run what must never run twice: the claim, kept by a majority and over only when released or fenced."""
