"""What others ask of the daemon: REST under /v1, described by /openapi.json, and metrics for Prometheus."""
