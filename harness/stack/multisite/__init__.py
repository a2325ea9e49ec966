"""multisite: one public endpoint, backends on several sites, traffic that moves by itself when a site dies."""

VERSION = "0.1.0"
