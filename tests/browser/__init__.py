"""Tests in a real browser: the planning room as a web page, and the notebooks in JupyterLab."""
