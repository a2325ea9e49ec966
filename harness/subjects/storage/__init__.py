"""Storage autonomy: `mfs-autonomy` on every node."""
