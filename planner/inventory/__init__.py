"""Readers and writers of what a site has: the fleet folder, plans, and certificate files."""
