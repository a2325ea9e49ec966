"""What a node is told: config.yml, mesh.json, and the times that follow from a profile."""
