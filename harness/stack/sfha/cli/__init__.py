"""The commands of `sfha`; each one is a module with ``register(subparsers)``."""
