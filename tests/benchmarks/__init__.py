"""Measures the engine against pandas and Polars, on equal results."""
