"""The indexes of NBD devices: which is free, whose each is, who has the lock of it."""
