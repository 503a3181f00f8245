"""Starts and stops the stack under Compose."""

import os
import re
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

from stack.deploy.compose.engine import Engine
from stack.deploy.compose.files import STORE, Project
from stack.deploy.compose.rendering import compose, rendered
from stack.deploy.compose.rules import (
    ADDRESS,
    AT_ONE_ADDRESS,
    Problem,
    problems,
    secret_values,
)
from stack.deploy.images.assembly import Assembled
from stack.errors import BadInput, CheckFailed, HostCannot
from stack.run.services import SERVICES

HEALTHY_S = 120
"""How long `up` waits until all is healthy."""

_DOWN_TIMEOUT_S = 300

_TAKEN = re.compile(r"(?:[0-9.]+|\[::\]):(?P<port>[0-9]+)\b.*(?:already allocated|already in use)")
_NO_IMAGE = re.compile(r"No such image: (?P<image>\S+)")


def meant() -> Mapping[str, frozenset[int]]:
    """Service → ports that people open in development; what only services ask is not among them."""
    own = {
        name: frozenset(port for what, port in service.ports.items() if what != "grpc")
        for name, service in SERVICES.items()
    }
    shared = frozenset[int]().union(*(own.pop(name) for name in AT_ONE_ADDRESS))
    return {**own, ADDRESS: shared}


def found_wrong(project: Project, release: str = "") -> list[Problem]:
    """What is wrong with the project as it is rendered for the images that it names, and for the
    other ones. `release` stands in for a tag that `.env` does not have yet."""
    wrong: dict[Problem, None] = {}
    for images in (STORE, "upstream"):
        variables = {"IMAGES": images}
        if not project.value("STORE_RELEASE"):
            variables["STORE_RELEASE"] = release
        document = rendered(project, variables)
        wrong |= dict.fromkeys(
            problems(
                document,
                meant(),
                production=project.production,
                secrets=secret_values(project.secrets),
            )
        )
    return list(wrong)


def prepare(project: Project) -> str:
    """Have `.env` and the secrets written, and return what that said.

    Raises BadInput for an `.env` that cannot be used, with its line, and HostCannot.
    """
    ran = subprocess.run(
        [str(project.script("make-secrets.sh"))],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if ran.returncode:
        what, _, cure = ran.stderr.strip().partition("\n")
        raise (HostCannot if ran.returncode == HostCannot.exit_code else BadInput)(
            what or "the secrets could not be made.", cure=cure.strip()
        )
    return ran.stdout.strip()


def load(project: Project, engine: Engine, made: Assembled) -> int:
    """Give Docker the images that it has not, and have `.env` name their release. Returns how many
    it had not.

    Raises CheckFailed where Docker has another image under one of their names afterwards.
    """
    wanted = {image.references[-1]: image for image in made.images}

    def missing() -> list[str]:
        # The ID is the configuration's digest, or the manifest's where containerd keeps images.
        return [
            name
            for name, image in wanted.items()
            if engine.image(name) not in (image.config.digest, image.manifest.digest)
        ]

    lacking = missing()
    if lacking:
        for archive in made.archives:
            engine.load(archive)
        if still := missing():
            raise CheckFailed(f"Docker has something else than was made as {', '.join(still)}.")
    project.put("STORE_RELEASE", made.release)
    return len(lacking)


def up(project: Project, engine: Engine) -> None:
    """Start what does not run yet, and wait until all is healthy.

    Raises HostCannot for a port that is taken, an image that is not there, and what does not become
    healthy in time. What was started then goes on running, to be looked at.
    """
    wait = ["--wait", "--wait-timeout", str(HEALTHY_S)]
    quiet = ["--quiet-pull", "--remove-orphans"]
    code, said = _run(compose(project, "up", "--detach", *wait, *quiet), engine, HEALTHY_S + 60)
    if code:
        raise _why(project, said)


def down(project: Project, engine: Engine, *, wipe: bool) -> None:
    """Stop and remove the containers; with `wipe`, what they kept as well. Raises HostCannot."""
    volumes = ["--volumes"] if wipe else []
    command = compose(project, "down", "--remove-orphans", *volumes)
    code, said = _run(command, engine, _DOWN_TIMEOUT_S)
    if code:
        raise HostCannot(f"Compose could not stop the stack: {_last(said)}")


def _run(command: list[str], engine: Engine, timeout_s: float) -> tuple[int, str]:
    """Exit code and what it said on stderr. It is stopped with whoever asked for it."""
    environment = {**os.environ, "DOCKER_HOST": engine.address}
    with subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    ) as running:
        try:
            _, said = running.communicate(timeout=timeout_s)
        except BaseException:
            running.send_signal(signal.SIGTERM)
            raise
    return running.returncode, said


def _why(project: Project, said: str) -> HostCannot:
    if taken := _TAKEN.search(said):
        variable = _variable(project, taken["port"])
        return HostCannot(
            f"port {taken['port']} is taken on this machine.",
            cure=f"Stop what holds it (`ss -ltnp` names it), or write another one for `{variable}` "
            f"in `{project.env}`.",
        )
    if lacking := _NO_IMAGE.search(said):
        return HostCannot(
            f"Docker has no image `{lacking['image']}`.",
            cure=f"`IMAGES={STORE}` in `{project.env}` runs the store's, which need no registry.",
        )
    return HostCannot(
        f"not all became healthy: {_last(said)}",
        cure="`docker ps` shows what did not, `docker logs CONTAINER` what it said.",
    )


def _variable(project: Project, port: str) -> str:
    """The variable of `.env` that says so, or would."""
    for name in (".env", ".env.example"):
        file: Path = project.root / name
        if file.exists() and (
            match := re.search(rf"(?m)^([A-Z_]+_PORT)=[\"']?{port}\b", file.read_text())
        ):
            return match[1]
    return "…_PORT"


def _last(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return lines[-1] if lines else "it does not say why"
