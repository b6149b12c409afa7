"""Slips: what becomes of a plan whose upgrades and imports come later than planned."""
