"""The Debian package of sfha, built from the current source with nothing but dpkg-deb."""
