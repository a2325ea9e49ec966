"""One builder of packages and images for all products of harness.stack; a folder a product says what is in its own."""
