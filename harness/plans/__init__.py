"""Plans: faults in time, as data. What is here is pure; :mod:`harness.chaos` performs it on real clusters."""
