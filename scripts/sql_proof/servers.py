"""The servers: started in a temporary folder, on 127.0.0.1 and free ports, with a way to cut connections."""

import glob
import os
import shutil
import socket
import subprocess
import tempfile
import time


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_until(test, what, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if test():
            return
        time.sleep(0.1)
    raise SystemExit(f"{what} did not start")


def accepts(port):
    with socket.socket() as s:
        s.settimeout(0.5)
        return s.connect_ex(("127.0.0.1", port)) == 0


def program(*names):
    """A server's program: on the path, or where Debian puts it."""
    for name in names:
        path = shutil.which(name) or next(iter(sorted(glob.glob(name), reverse=True)), None)
        if path:
            return path
    raise SystemExit(f"{names[0]} is missing: see the head of prove_sql.py")


def output(command):
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


class Server:
    """`cut()` gives commands that end every client connection and print a `t` or the number for it; probes run them."""

    def __init__(self, folder):
        self.folder = folder
        self.port = free_port()
        self.processes = []
        folder.mkdir()

    def run(self, command, **options):
        with (self.folder / "log").open("ab") as log:
            self.processes.append(subprocess.Popen(command, stdout=log, stderr=log, **options))

    def stop(self):
        for process in reversed(self.processes):
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


class Redis(Server):
    """A Redis, and a Sentinel that watches it."""

    name = "redis"

    def __init__(self, folder):
        super().__init__(folder)
        redis = program("redis-server")
        self.run([redis, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)])
        wait_until(lambda: accepts(self.port), "redis-server")
        self.sentinel = free_port()
        config = folder / "sentinel.conf"
        config.write_text(
            f"port {self.sentinel}\nbind 127.0.0.1\ndir {folder}\nsentinel monitor prove 127.0.0.1 {self.port} 1\n"
        )
        self.run([redis, str(config), "--sentinel"])
        wait_until(lambda: accepts(self.sentinel), "redis-server --sentinel")
        # Its first question to the master has to be answered, or it knows of none.
        time.sleep(2)

    def cut(self):
        kill = [program("redis-cli"), "-p", str(self.port), "CLIENT", "KILL", "TYPE"]
        return [[*kill, "normal", "SKIPME", "yes"], [*kill, "pubsub"]]

    def version(self):
        return "Redis " + output([program("redis-server"), "--version"]).split("v=")[1].split()[0]


class MariaDB(Server):
    name = "mysql"

    def __init__(self, folder):
        super().__init__(folder)
        self.short = tempfile.mkdtemp(prefix="prove")  # the path of a socket must be short
        as_root = ["--user=root"] if os.geteuid() == 0 else []
        data = f"--datadir={folder}/data"
        install = [program("mariadb-install-db"), "--no-defaults", data, "--auth-root-authentication-method=normal"]
        subprocess.run([*install, *as_root], check=True, capture_output=True)
        server = [program("mariadbd", "/usr/sbin/mariadbd"), "--no-defaults", data, f"--socket={self.short}/s"]
        listen = [f"--port={self.port}", "--bind-address=127.0.0.1", f"--pid-file={folder}/pid"]
        self.run([*server, *listen, *as_root])
        wait_until(lambda: output(self.ask("SELECT 1")) == "1", "mariadbd")
        accounts = "CREATE DATABASE t; CREATE USER app@'127.0.0.1' IDENTIFIED BY 'pw'; GRANT ALL ON t.* TO app@'127.0.0.1'"
        subprocess.run(self.ask(accounts), check=True, capture_output=True)

    def ask(self, sql):
        return [program("mariadb"), "--no-defaults", f"--socket={self.short}/s", "-uroot", "-NBe", sql]

    def cut(self):
        each = "SELECT id FROM information_schema.processlist WHERE user = 'app'"
        kill = "EXECUTE IMMEDIATE CONCAT('KILL ', c.id); SELECT 't';"
        return [[*self.ask(f"BEGIN NOT ATOMIC FOR c IN ({each}) DO {kill} END FOR; END"), "--delimiter=//"]]

    def version(self):
        return "MariaDB " + output(self.ask("SELECT VERSION()")).split("-")[0]

    def stop(self):
        super().stop()
        shutil.rmtree(self.short, ignore_errors=True)


class PostgreSQL(Server):
    name = "postgresql"

    def __init__(self, folder):
        super().__init__(folder)
        as_other = {"cwd": "/"}
        if os.geteuid() == 0:  # it refuses to run as root
            as_other |= {"user": "postgres", "group": "postgres", "extra_groups": []}
            shutil.chown(folder, "postgres", "postgres")
        initdb = program("/usr/lib/postgresql/*/bin/initdb", "initdb")
        data = f"{folder}/data"
        subprocess.run([initdb, "-D", data, "-A", "trust", "-U", "postgres"], check=True, capture_output=True, **as_other)
        server = os.path.join(os.path.dirname(initdb), "postgres")
        listen = ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]
        self.run([server, "-D", data, "-p", str(self.port), *listen], **as_other)
        wait_until(lambda: output(self.ask("SELECT 1")) == "1", "postgres")

    def ask(self, sql):
        return [program("psql"), "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "-Atc", sql]

    def cut(self):
        others = "pid <> pg_backend_pid() AND backend_type = 'client backend'"
        return [self.ask(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")]

    def version(self):
        return "PostgreSQL " + output(self.ask("SHOW server_version")).split()[0]


SERVERS = {server.name: server for server in (Redis, MariaDB, PostgreSQL)}
