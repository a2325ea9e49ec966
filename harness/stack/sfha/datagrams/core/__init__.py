"""Bytes in, messages out, and who may have sent them. Pure."""
