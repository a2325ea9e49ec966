"""The servers there are, by role and site: what `servers.tsv` says."""
