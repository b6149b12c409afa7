"""Mutation testing of the core: `python -m tests.mutation`, told in CONTRIBUTING.md."""
