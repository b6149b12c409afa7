"""From what a site really has to evidence: exports, option files, certificates, listings."""
