"""What ships to customers: each folder is a product of its own, which imports only itself and the kit."""
