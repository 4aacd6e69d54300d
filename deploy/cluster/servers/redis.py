"""A private Redis: everything in memory, nothing on disk."""

from pathlib import Path

from deploy.cluster.servers.base import PrivateServer
from deploy.cluster.servers.programs import find_program, run

_CONFIGURATION = """\
bind 127.0.0.1
port {port}
requirepass {password}
databases {databases}
dir {folder}
save ""
appendonly no
set-proc-title no
"""
# Its title would overwrite its environment, and with it our mark.

DATABASES = 64
"""More than a process's tests need at once; an empty one costs a few hundred bytes."""


class Redis(PrivateServer):
    """One Redis. Its memory is lost on stop and kill, as in the deployment."""

    name = "Redis"

    def url(self, database: int = 0) -> str:
        """Return the address of a database, password included."""
        return f"redis://:{self._secret('password')}@127.0.0.1:{self.port}/{database}"

    def command(self, *words: str, database: int = 0) -> str:
        """Run a command and return what redis-cli prints. ServerFailed when it is refused."""
        done = run(
            [find_program("redis-cli"), "-e", "-p", str(self.port), "-n", str(database), *words],
            environment=self._environment() | {"REDISCLI_AUTH": self._secret("password")},
        )
        if done.returncode:
            raise self.failure(f"refused {words[0]}: {done.stdout}{done.stderr}")
        return done.stdout.rstrip("\n")

    def flush(self, database: int | None = None) -> None:
        """Forget everything, or everything of one database."""
        if database is None:
            self.command("FLUSHALL", "SYNC")
        else:
            self.command("FLUSHDB", "SYNC", database=database)

    def _prepare(self) -> None:
        self._write(
            "redis.conf",
            _CONFIGURATION.format(
                port=self.port,
                password=self._secret("password"),
                databases=DATABASES,
                folder=_quoted(self.folder),
            ),
        )

    def _command(self) -> list[str]:
        # The password is in the file: arguments can be read by every user of the machine.
        return [find_program("redis-server"), str(self.folder / "redis.conf")]


def _quoted(path: Path) -> str:
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
