"""The web page: what there is, who serves and why, what was seen, what the edge was given. It changes nothing."""
