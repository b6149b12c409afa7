"""Tables that a person can open and judge; `python -m tests.golden` writes them anew."""
