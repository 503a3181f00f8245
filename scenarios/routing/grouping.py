"""Many alerts of one group are one message."""

from scenarios.routing.bench import Bench

HOSTS = [f"host-{number}" for number in range(1, 11)]


def prove(bench: Bench) -> None:
    """Ten alerts of one rule arrive as one message that names all ten; so does the end."""
    each = [{"instance": host} for host in HOSTS]
    ten = bench.fire_each("RoutedTogether", "critical", "database", each)
    bench.hears(ten[0], naming=HOSTS)
    bench.quiet()
    healed = bench.heal(*ten)
    bench.hears_end(ten[0], healed, naming=HOSTS)
    bench.quiet()
