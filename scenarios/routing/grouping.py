"""Many alerts of one group are one message."""

from scenarios.routing.bench import Bench

HOSTS = [f"host-{number}" for number in range(1, 11)]


def prove(bench: Bench) -> None:
    """Ten alerts, posted one by one, arrive as one message that names all ten; so does the end."""
    ten = [bench.fire("RoutedTogether", "critical", "database", instance=host) for host in HOSTS]
    bench.hears(ten[0], naming=HOSTS)
    bench.quiet()
    healed = bench.heal(*ten)
    bench.hears_end(ten[0], healed, naming=HOSTS)
    bench.quiet()
