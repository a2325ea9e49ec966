"""What other hosts have mapped, as far as they said so: advice before a map, and a view for people. It is no lock."""
