"""What every server has beneath its services: kernel settings, a firewall by role, SSH by key only, tools, folders."""
