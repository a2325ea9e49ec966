"""An API and a front, two small services of our own, on each server of their role; and the failover that proves it."""
