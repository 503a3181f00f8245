"""`doit check`: is the configuration that people edit whole, before anything is started?"""

from stack.check.configuration import load
from stack.check.problem import ProblemsFound
from stack.check.programs import Programs
from stack.check.run import Setup, find_problems
from stack.run.services import SERVICES
from stack.store.packageset import PackageSet, realise


def check() -> None:
    """Check the checkout with the programs of the store. Raises as `run`."""
    run(host_setup())


def host_setup(package_set: PackageSet | None = None) -> Setup:
    """The checkout, the lab's services, and the programs of the store, built if missing.

    Programs of another lock than the checked-in one come from its `package_set`.
    """
    built = realise(["prometheus", "alertmanager"], package_set or PackageSet())
    return Setup(
        addresses={
            f"{service.name}:{port}"
            for service in SERVICES.values()
            for port in service.ports.values()
        },
        programs=Programs(
            promtool=built["prometheus"] / "bin" / "promtool",
            amtool=built["alertmanager"] / "bin" / "amtool",
        ),
    )


def run(setup: Setup) -> None:
    """Print one line on what is good.

    Raises ProblemsFound, which is a CheckFailed, with every problem; HostCannot if promtool or
    amtool cannot be run.
    """
    configuration = load(setup.config_root)
    if problems := find_problems(setup, configuration):
        raise ProblemsFound(problems, setup.shown_from)
    print(
        f"{len(configuration.alerts)} alerts, {len(configuration.receivers)} receivers "
        f"and {len(configuration.templates)} template files are good."
    )
