#!/usr/bin/env python3
"""Proves the library files of the SQL and Redis drivers against live servers.

For each library and version in `sql_proof/claims.py` it makes a throw-away virtualenv, connects to a server that it has
started itself, has the server cut the connection (CLIENT KILL, KILL USER, pg_terminate_backend), calls again, and compares
what happens with what `rules/python/drivers/*.toml` says: how often the driver repeats a call, whether a connection comes back,
which classes are raised, whether an option or a method heals, whether something is known not to work.

    python3 scripts/prove_sql.py                        # everything: about half an hour, 3 GB of temporary files
    python3 scripts/prove_sql.py --only redis,pymysql   # some library files
    python3 scripts/prove_sql.py --write                # and writes the table in rules/PROOF.md

Not part of the quick tests. Needs Python 3.11 (old releases of some drivers do not build on newer ones) with venv and pip, a C
compiler, pkg-config and libmariadb-dev (for mysqlclient), and the servers of Debian's packages redis-server, mariadb-server
and postgresql. The servers run in a temporary folder, on 127.0.0.1 and free ports only, and are stopped at the end, however it
comes. Exit status: 0 if every claim held, 1 if one did not.
"""

import argparse
import json
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import tempfile

from sql_proof.claims import CLAIMS
from sql_proof.library import Library
from sql_proof.servers import SERVERS

HERE = pathlib.Path(__file__).resolve().parent
TABLE = HERE.parent / "rules" / "PROOF.md"
PROBES = HERE / "sql_proof" / "probes"
START, END = "<!-- prove_sql.py: start -->", "<!-- prove_sql.py: end -->"


class Environments:
    """Virtualenvs, one per set of requirements, kept while they are used."""

    def __init__(self, folder):
        self.folder = folder
        self.made = {}

    def python(self, requirements):
        key = tuple(requirements)
        if key not in self.made:
            self.drop()
            env = self.folder / f"env{len(list(self.folder.glob('env*')))}"
            python = env / "bin" / "python"
            subprocess.run([sys.executable, "-m", "venv", "--without-pip", env], check=True)
            install = [sys.executable, "-m", "pip", "--python", python, "install", "-q", "--disable-pip-version-check"]
            done = subprocess.run([*install, *requirements], capture_output=True, text=True, check=False)
            error = done.stderr.strip().splitlines()[-1:] if done.returncode else []
            self.made[key] = (python, error)
        return self.made[key]

    def drop(self):
        for python, _ in self.made.values():
            shutil.rmtree(python.parent.parent, ignore_errors=True)
        self.made.clear()


def outcome(python, probe, server, version, requirements):
    """What the calls of a probe did, or a text if it could not be run."""
    here = {"port": server.port, "cut": server.cut(), "server": server.name, "version": version}
    here["sentinel"] = getattr(server, "sentinel", None)
    here["driver"] = next((r.split("=")[0].split("[")[0] for r in requirements), None)
    command = [python, "-B", PROBES, probe, json.dumps(here)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, cwd="/")
    except subprocess.TimeoutExpired:
        return "no answer in two minutes"
    for line in done.stdout.splitlines():
        if line.startswith("outcome: "):
            return json.loads(line.removeprefix("outcome: "))
    return (done.stderr.strip().splitlines() or ["nothing"])[-1]


def shown(did):
    """Outcomes for the table: the class that each call raised."""
    if isinstance(did, str):
        return did
    return ", ".join(d[0] if d else "works" for d in did)


def prove(only, folder):
    """Yields a row per claim and version: (probe, version, with, claim, what happened, whether it held)."""
    servers = {}
    environments = Environments(folder)
    try:
        for name, package, versions, more, kind, claims in CLAIMS:
            if only and name not in only:
                continue
            if kind not in servers:
                servers[kind] = SERVERS[kind](folder / kind)
            for version in versions:
                base, _, extra = package.partition("[")
                pinned = f"{base}{'[' + extra if extra else ''}=={version}"
                python, error = environments.python([pinned, *more])
                library = Library(name, version, {m.split("=")[0].split("[")[0] for m in more})
                seen = {}
                for probe, claim in claims:
                    if probe not in seen:
                        seen[probe] = error[0] if error else outcome(python, probe, servers[kind], version, more)
                    did = seen[probe]
                    usable = not isinstance(did, str)
                    text, held = claim(library, did) if usable else (probe, False)
                    if held is not None:
                        others = [m for m in more if "==" in m]
                        yield probe, f"{base} {version}", [servers[kind].version(), *others], text, shown(did), held
    finally:
        environments.drop()
        for server in servers.values():
            server.stop()


def table(rows):
    """One line per claim: the versions with which it was tried, and what happened."""
    grouped = {}
    for probe, version, around, text, did, held in rows:
        key = (probe, version.split()[0], ", ".join(around), text, did, held)
        grouped.setdefault(key, {})[version.split()[1]] = None
    lines = ["| probe | library | versions | server, driver | the file says | what happened | |", "|---|---|---|---|---|---|---|"]
    for (probe, package, around, text, did, held), versions in grouped.items():
        end = "held" if held else "**not**"
        lines.append(f"| {probe} | {package} | {', '.join(versions)} | {around} | {text} | {did} | {end} |")
    return "\n".join(lines)


def write(rows):
    text = TABLE.read_text()
    before, rest = text.split(START)
    after = rest.split(END)[1]
    held = sum(row[-1] for row in rows)
    head = f"Python {platform.python_version()}: {held} of {len(rows)} claims held."
    TABLE.write_text(f"{before}{START}\n{head}\n\n{table(rows)}\n{END}{after}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", help="library files, with commas between them")
    parser.add_argument("--write", action="store_true", help="write the table into rules/PROOF.md")
    options = parser.parse_args()
    only = set(options.only.split(",")) if options.only else None
    if unknown := (only or set()) - {c[0] for c in CLAIMS}:
        parser.error(f"nothing is claimed of {', '.join(sorted(unknown))}")
    rows = []
    folder = pathlib.Path(tempfile.mkdtemp(prefix="prove_sql"))
    os.chmod(folder, 0o755)  # noqa: S103  PostgreSQL runs as another user
    try:
        for row in prove(only, folder):
            rows.append(row)
            _, version, around, text, did, held = row
            print(f"{'ok  ' if held else 'NOT '} {version}, {', '.join(around)}: {text} [{did}]", flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if options.write:
        write(rows)
    failed = [row for row in rows if not row[-1]]
    print(f"{len(rows) - len(failed)} claims held, {len(failed)} did not")
    return 1 if failed or not rows else 0


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    sys.exit(main())
