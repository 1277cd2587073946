"""The parts of prove_sql.py: servers, the library files, the claims, and the probes that run in virtualenvs."""
