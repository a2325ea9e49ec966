"""`multisite agent`: on each machine of a site, between the platform and its Docker."""
