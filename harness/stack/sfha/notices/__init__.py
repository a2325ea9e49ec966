"""Telling a program of this node that another one is proven to have no power, and that it is back."""
