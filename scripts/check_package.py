"""Check what users install: build the packages, install the wheel into an empty environment and use it there."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
import venv
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

ROOT = Path(__file__).parent.parent
PATIENCE_SECONDS = 60
IN_WHEEL = ("coal_mine/py.typed", "LICENSE")
IN_SDIST = ("setup.py", "LICENSE", "README.rst", "coal-mine.ini.example")


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="coal-mine-package-") as name:
        work = Path(name)
        wheel, sdist = build(work / "dist")
        check_files(wheel, sdist)
        environment = install(wheel, work / "venv")
        empty = work / "empty"
        empty.mkdir()
        with served(environment, empty) as url:
            use(environment, empty, url)


@contextmanager
def step(title: str) -> Iterator[None]:
    print(f"\n----- {title}", flush=True)
    begin = time.monotonic()
    yield
    print(f"----- done in {time.monotonic() - begin:.1f} s", flush=True)


def build(dist: Path) -> tuple[Path, Path]:
    """The wheel and the source package; the wheel is made from the latter."""
    with step("Build the packages and check their metadata"):
        run(sys.executable, "-m", "build", "--outdir", str(dist), str(ROOT), quiet=True)
        (wheel,), (sdist,) = list(dist.glob("*.whl")), list(dist.glob("*.tar.gz"))
        run(sys.executable, "-m", "twine", "check", "--strict", str(wheel), str(sdist))
    return wheel, sdist


def check_files(wheel: Path, sdist: Path) -> None:
    with step("Look for files that must be inside"):
        has_all(wheel, zipfile.ZipFile(wheel).namelist(), IN_WHEEL)
        has_all(sdist, run("tar", "-tzf", str(sdist), quiet=True).splitlines(), IN_SDIST)


def has_all(package: Path, names: list[str], wanted: tuple[str, ...]) -> None:
    for name in wanted:
        if not any(found == name or found.endswith(f"/{name}") for found in names):
            sys.exit(f"{package.name} lacks {name}; it has:\n" + "\n".join(names))
        print(f"{package.name} has {name}")


def install(wheel: Path, environment: Path) -> Path:
    """The directory of its commands."""
    with step("Install the wheel into an empty environment"):
        venv.create(environment, with_pip=True)
        commands = environment / "bin"
        run(str(commands / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", str(wheel))
        run(str(commands / "python"), "-m", "pip", "--disable-pip-version-check", "check")
    return commands


@contextmanager
def served(commands: Path, directory: Path) -> Iterator[str]:
    """The address of the installed server, without any configuration, started in an empty directory."""
    log = directory.with_suffix(".log")
    with step("Start the installed server and ask for /health"), log.open("wb") as file:
        process = subprocess.Popen(
            [commands / "coal-mine", "--port", "0"],
            cwd=directory, env=surroundings(directory), stdin=subprocess.DEVNULL, stdout=file, stderr=file,
        )  # fmt: skip
    try:
        url = address(process, log)
        with urlopen(url + "/health", timeout=PATIENCE_SECONDS) as response:
            health = json.load(response)
        print(f"{url}/health: {health}")
        check(health["status"] == "ok", "the server is not healthy")
        yield url
        process.terminate()
        check(process.wait(PATIENCE_SECONDS) == 0, "the server did not end with status 0")
    except BaseException:
        print(log.read_text())
        raise
    finally:
        process.kill()
        process.wait()


def address(process: subprocess.Popen[bytes], log: Path) -> str:
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end and process.poll() is None:
        found = re.search(r"listening on (http://\S+:\d+)", log.read_text())
        if found and answers(found[1]):
            return found[1]
        time.sleep(0.05)
    sys.exit("the server did not start")


def answers(url: str) -> bool:
    try:
        urlopen(url + "/health", timeout=PATIENCE_SECONDS).close()
    except OSError:
        return False
    return True


def use(commands: Path, directory: Path, url: str) -> None:
    with step("Use it with the installed cmcli"):

        def cmcli(*arguments: str) -> str:
            return run(str(commands / "cmcli"), "--host", url, *arguments, quiet=True, environment=surroundings(directory))

        run(str(commands / "cmcli"), "--version", environment=surroundings(directory))
        canary = json.loads(cmcli("create", "--name", "My First Canary", "--periodicity", "3600"))["canary"]
        check(json.loads(cmcli("trigger", "--id", canary["id"]))["status"] == "ok", "the trigger failed")
        listed = json.loads(cmcli("list", "--verbose"))["canaries"]
        check([text for _, text in listed[0]["history"]] == ["Triggered", "Canary created"], f"unexpected history: {listed}")
        print("created, triggered and listed a canary")


def surroundings(directory: Path) -> dict[str, str]:
    """Nothing of this checkout or its user."""
    return {"PATH": os.environ["PATH"], "HOME": str(directory), "XDG_STATE_HOME": str(directory / "state"), "LANG": "C.UTF-8"}


def run(*command: str, quiet: bool = False, environment: dict[str, str] | None = None) -> str:
    """What it prints; a command that fails ends everything, with all that it has printed."""
    done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0 or not quiet:
        print(done.stdout + done.stderr, end="", flush=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} ended with status {done.returncode}")
    return done.stdout


def check(holds: bool, complaint: str) -> None:
    if not holds:
        sys.exit(complaint)


if __name__ == "__main__":
    main()
