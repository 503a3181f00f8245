"""`doit compose`: the stack in containers; its files rendered, checked, started and stopped."""

import time

from stack.deploy.compose import running
from stack.deploy.compose.engine import Engine
from stack.deploy.compose.files import Project
from stack.deploy.compose.rendering import rendered_text
from stack.deploy.images.assembly import assemble
from stack.errors import BadInput, CheckFailed
from stack.names import choose
from stack.paths import REPO
from stack.progress import result

ACTIONS = ("config", "up", "down", "verify")


def actions() -> tuple[str, ...]:
    """For completion."""
    return ACTIONS


def compose(action: list[str], production: bool, wipe: bool) -> None:
    """Do one of the four. Raises BadInput for another word, and what each of them raises."""
    chosen = choose(action, ACTIONS, what="action")
    if len(chosen) != 1:
        raise BadInput("say what to do.", cure=f"One of {', '.join(ACTIONS)}.")
    if wipe and chosen != ["down"]:
        raise BadInput("`--wipe` is for `down` alone.")
    project = Project(production=production)
    match chosen[0]:
        case "config":
            print(rendered_text(project), end="")
        case "verify":
            _verify(project)
        case "up":
            with Engine() as engine:
                _up(project, engine)
        case "down":
            with Engine() as engine:
                running.down(project, engine, wipe=wipe)
            result("stopped" + (", and what was kept is gone" if wipe else ""))


_UNBUILT = "0" * 12
"""Stands for the tag of images that were not made yet."""


def _verify(project: Project) -> None:
    wrong = running.found_wrong(project, _UNBUILT)
    for problem in wrong:
        result(str(problem), "problem", said=str(problem))
    what = "production" if project.production else "development"
    if wrong:
        raise CheckFailed(f"{len(wrong)} problems in the Compose files for {what} as rendered.")
    if not project.secrets.is_dir():
        result("no secrets are there yet, so none was looked for; `doit compose up` makes them")
    result(
        f"the Compose files for {what} are what they have to be, with upstream's images and with"
        " the store's"
    )


def _up(project: Project, engine: Engine) -> None:
    if said := running.prepare(project):
        result(said)
    # Upstream's need some of them, too: what only the lab has.
    made = assemble(REPO / "images")
    loaded = running.load(project, engine, made)
    result(f"{len(made.images)} images of the store, {loaded} of them loaded")
    if wrong := running.found_wrong(project):
        raise CheckFailed(
            "\n".join(map(str, wrong)),
            cure="Nothing was started; `doit compose verify` checks again.",
        )
    began = time.monotonic()
    running.up(project, engine)
    result(f"all healthy after {time.monotonic() - began:.1f} s")
    for line in _addresses(project):
        result(line)


def _addresses(project: Project) -> list[str]:
    port = project.value("PROXY_PORT") or "8443"
    lines = [f"https://localhost:{port}  users and passwords: {project.secrets}/proxy_password_*"]
    if not project.production:
        for name, default in (("GRAFANA", 3001), ("PROMETHEUS", 9090), ("INBOX", 8025)):
            lines.append(
                f"http://127.0.0.1:{project.value(f'{name}_PORT') or default}  {name.lower()}"
            )
    return lines
