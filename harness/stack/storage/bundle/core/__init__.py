"""What of a text or of settings may be shown. Pure."""
