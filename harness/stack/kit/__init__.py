"""What the products share. It knows none of them."""
