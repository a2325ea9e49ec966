"""State of TPMs: a folder that swtpm can start on, on plain storage and on a mapped device alike."""
