"""What there is: sites, services, backends, what was seen of their health, tokens and edge configurations."""
