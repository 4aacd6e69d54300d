"""A private PostgreSQL. Over loopback with a password: no socket file, whose path must be short."""

import fcntl
import os
import pwd
import re
import shutil
import signal
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from deploy.cluster.servers.base import PrivateServer
from deploy.cluster.servers.ports import accepts
from deploy.cluster.servers.processes import await_burial
from deploy.cluster.servers.programs import find_program, run

USER = "allibe"
"""The superuser, and the owner of everything."""

_NAME = re.compile(r"[a-z0-9_]{1,63}")

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    # Segments of "posix" would lie in /dev/shm, and stay there after a SIGKILL.
    "dynamic_shared_memory_type": "mmap",
    "log_line_prefix": "%m [%p] %d ",
}

_VOLATILE = {"fsync": "off", "full_page_writes": "off"}
"""Not `synchronous_commit`: without it a commit is in PostgreSQL's own memory for a while, and gone
with a SIGKILL."""

_AS_POSTGRES = [
    "setpriv",
    "--reuid=postgres",
    "--regid=postgres",
    "--clear-groups",
    "--inh-caps=+dac_override",
    "--ambient-caps=+dac_override",
]
"""For root, under whom PostgreSQL refuses to run. `runuser` alone would not do: our folder may
lie in one that only root can enter, as pytest's do, or root's home. The capability lets
it in; the data itself belongs to the user postgres."""


class PostgreSQL(PrivateServer):
    """One PostgreSQL with its own data, kept over restarts.

    With `durable=False` it does not wait for the disk. What it has acknowledged still survives
    a SIGKILL, since the kernel has it; only a machine that loses power could lose it. So tests
    of what the store *does* may use it, and what measures must not.
    `template` is a folder that processes share: the first one to come makes the data there, and
    all copy it, which takes a tenth of the time.
    """

    name = "PostgreSQL"
    stop_signal = signal.SIGINT  # "fast shutdown": does not wait for clients, ends them

    def __init__(
        self,
        folder: Path,
        *,
        port: int | None = None,
        durable: bool = True,
        template: Path | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(folder, port=port, home=template)
        self.data = self.folder / "data"
        self._template = template
        self._settings = _SETTINGS | ({} if durable else _VOLATILE) | dict(settings or {})

    def url(self, database: str = "postgres") -> str:
        """Return the address of a database, password included."""
        return self._address(database).replace("@", f":{self._password()}@")

    def sql(self, text: str, database: str = "postgres") -> str:
        """Run one statement and return its rows, columns split by `|`. ServerFailed on errors."""
        done = run(
            [
                find_program("psql"),
                "-XqAt",
                "-v",
                "ON_ERROR_STOP=1",
                "-c",
                text,
                self._address(database),
            ],
            environment=self._environment() | {"PGPASSWORD": self._password()},
        )
        if done.returncode:
            raise self.failure(f"refused {text!r}: {done.stderr}")
        return done.stdout.rstrip("\n")

    def create_database(self, name: str) -> str:
        """Create a database, unless it is there; return its URL."""
        if not self.sql(f"SELECT 1 FROM pg_database WHERE datname = '{_checked(name)}'"):
            self.sql(f'CREATE DATABASE "{name}"')
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Drop a database, and whoever is connected to it."""
        self.sql(f'DROP DATABASE IF EXISTS "{_checked(name)}" WITH (FORCE)')

    def terminate_backends(self, database: str | None = None) -> int:
        """Cut all connections, or those to one database; return how many there were."""
        where = "" if database is None else f" AND datname = '{_checked(database)}'"
        return int(
            self.sql(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                f" WHERE backend_type = 'client backend' AND pid <> pg_backend_pid(){where}"
            )
        )

    def _prepare(self) -> None:
        if (self.data / "PG_VERSION").exists():
            self._await_predecessor()
            return
        shutil.rmtree(self.data, ignore_errors=True)  # an earlier start did not get far
        if self._template is None:
            self._initialise(self.folder)
        else:
            self._copy(self._template)

    def _await_predecessor(self) -> None:
        """Wait for one that was killed: while its pid is taken, the next one refuses to start."""
        with suppress(FileNotFoundError, ValueError):
            await_burial(int((self.data / "postmaster.pid").read_text().partition("\n")[0]))

    def _initialise(self, folder: Path) -> None:
        """Make new data in a folder."""
        data = folder / "new"
        shutil.rmtree(data, ignore_errors=True)
        data.mkdir(mode=0o700)
        self._password()
        password = self.home / "password"
        if os.geteuid() == 0:
            _give_to_postgres(data, password)
        options = {"pgdata": data, "pwfile": password, "username": USER, "auth": "scram-sha-256"}
        done = run(
            _unprivileged(
                find_program("initdb"),
                *(f"--{name}={value}" for name, value in options.items()),
                *("--encoding=UTF8", "--no-locale", "--no-sync"),
            ),
            environment=self._environment(),
            cwd=self.folder,
        )
        if done.returncode:
            raise self.failure(f"could not be initialised:\n{done.stdout}{done.stderr}")
        data.rename(folder / "data")

    def _copy(self, template: Path) -> None:
        template.mkdir(parents=True, exist_ok=True)
        with (template / "lock").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (template / "data").exists():
                self._initialise(template)
        # cp keeps the owner, which shutil does not, and shares the blocks where it can.
        copied = run(
            ["cp", "-a", "--reflink=auto", str(template / "data"), str(self.data)],
            environment=self._environment(),
        )
        if copied.returncode:
            raise self.failure(f"could not be copied: {copied.stderr}")

    def _command(self) -> list[str]:
        options = {"port": str(self.port)} | self._settings
        return _unprivileged(find_program("postgres"), "-D", str(self.data)) + [
            f"--{name}={value}" for name, value in options.items()
        ]

    def _is_ready(self) -> bool:
        # It accepts connections before it serves them; the last line of this file says when.
        try:
            status = (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(status) >= 8 and status[7].strip() == "ready" and accepts(self.port)

    def _address(self, database: str) -> str:
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{database}"

    def _password(self) -> str:
        return self._secret("password")


def _unprivileged(*command: str) -> list[str]:
    return [*_AS_POSTGRES, *command] if os.geteuid() == 0 else list(command)


def _give_to_postgres(*paths: Path) -> None:
    user = pwd.getpwnam("postgres")
    for path in paths:
        os.chown(path, user.pw_uid, user.pw_gid)


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"not a name of a database: {name!r}")
    return name
