"""Loads the plugins, nothing else (harness.pytest_plugin is an entry point of the package)."""

pytest_plugins = ("fixtures.plugin",)
