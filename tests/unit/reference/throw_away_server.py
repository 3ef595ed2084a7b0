"""A PostgreSQL server of a test's own, to be stopped and killed at will."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from pathlib import Path


class ThrowAwayServer:
    def __init__(self, programs, folder):
        self.programs, self.data = programs, folder / "data"
        self.command = []
        if os.geteuid() == 0:  # a server refuses to run as root
            self.command = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
            shutil.chown(folder, "postgres")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.dsn = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"
        self.run("initdb", "--auth=trust", "--username=postgres", "--no-sync")
        with (self.data / "postgresql.conf").open("a") as settings:
            settings.write(f"port = {self.port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\n")

    def run(self, program, *arguments):
        command = [*self.command, str(self.programs / program), "-D", str(self.data), *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=60, cwd=self.data.parent)

    def start(self):
        self.run("pg_ctl", "--wait", "--silent", "--log", str(self.data / "log"), "start")

    def stop(self, mode):
        self.run("pg_ctl", "--wait", "--silent", "--mode", mode, "stop")


def server_programs():
    """Return the folder of initdb and pg_ctl, None if there is none that this user can run."""
    found = shutil.which("initdb")
    folders = [Path(found).parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    able = os.name == "posix" and (os.geteuid() != 0 or shutil.which("setpriv"))
    return next((folder for folder in folders if (folder / "initdb").exists()), None) if able else None
