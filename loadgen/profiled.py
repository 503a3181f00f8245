"""A locustfile with a shape alone: `--load-profile` over `--run-time`, up to `--users`."""

from locust import LoadTestShape

from loadgen.profiles import users_at

SPAWN_PER_S = 100.0


class Profiled(LoadTestShape):
    """Ends with `--run-time`, without which there is no telling how far it is."""

    use_common_options = True

    def tick(self) -> tuple[int, float] | None:
        options = self.runner.environment.parsed_options if self.runner else None
        now_s: float = self.get_run_time()  # type: ignore[no-untyped-call]
        if options is None or not options.run_time or now_s >= options.run_time:
            return None
        over = now_s / options.run_time
        return users_at(options.load_profile, options.num_users or 1, over), SPAWN_PER_S
