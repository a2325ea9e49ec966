"""The daemon: looks, tells, asks, mends, and writes down what it did and who wanted it."""
