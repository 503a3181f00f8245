"""Prints what the front costs, and how exactly it counts.

    python -m tests.bench.bench_front [--requests N]

Through the front and past it in turns, over one kept connection each; the median of the differences
counts. Requests a second are wrk's, where it is installed, on one core, without the front's limits:
with a password, which is hashed for each request, and without.
"""

import argparse
import re
import shutil
import statistics
import subprocess
import time

import httpx
import psutil

from stack.run import front
from stack.run.instance import Instance
from stack.run.lifecycle import running
from stack.run.services import SERVICES

PATH = "/prometheus/-/healthy"


def timed_ms(client: httpx.Client, url: str) -> float:
    began = time.perf_counter()
    client.get(url).raise_for_status()
    return (time.perf_counter() - began) * 1000


def added(instance: Instance, requests: int) -> None:
    url = f"{instance.url('prometheus')}/-/healthy"
    with front.client(instance.layout, "viewer") as through, httpx.Client(trust_env=False) as past:
        pairs = [(timed_ms(through, PATH), timed_ms(past, url)) for _ in range(requests)]
    difference = statistics.median(one - other for one, other in pairs)
    plain = statistics.median(other for _, other in pairs)
    print(f"the front adds {difference:.2f} ms to {plain:.2f} ms")


def without_limits(instance: Instance) -> None:
    file = instance.config_dir / "proxy" / "nginx.conf"
    file.write_text(re.sub(r"(?m)^ *limit_(req|conn) .*$", "", file.read_text()))
    master = psutil.Process(instance.pid("proxy"))
    before = set(master.children())
    reload = SERVICES["proxy"].reload
    assert reload
    assert reload(instance.layout) is None
    while before & set(master.children()):
        time.sleep(0.05)


def requests_a_second(instance: Instance, *headers: str, path: str) -> None:
    wrk = shutil.which("wrk")
    if not wrk:
        print("requests a second: not measured, wrk is not installed")
        return
    words = [word for header in headers for word in ("-H", header)]
    worker = psutil.Process(instance.pid("proxy")).children()[0]
    before, began = sum(worker.cpu_times()[:2]), time.monotonic()
    done = subprocess.run(
        [wrk, "-t1", "-c16", "-d10s", *words, front.url(instance.layout) + path],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    share = (sum(worker.cpu_times()[:2]) - before) / (time.monotonic() - began)
    rate = float(re.findall(r"Requests/sec: +([0-9.]+)", done.stdout)[0])
    print(f"{path} {'with' if headers else 'without'} a password: {rate:,.0f} requests/s"
          f" with {share:.0%} of a core")  # fmt: skip


def exact(instance: Instance) -> None:
    """How many of three hundred at once are served: a hundred and one, and thirty a second."""
    with front.client(instance.layout, source="127.0.3.1") as flood:
        flood.get("/-/healthy")
        time.sleep(0.1)  # which is given back
        began = time.perf_counter()
        served = sum(flood.get("/-/healthy").status_code == 200 for _ in range(300))
        allowed = 101 + 30 * (time.perf_counter() - began)
    print(f"of 300 at once {served} were served, {allowed:.1f} may be")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=500)
    options = parser.parse_args()
    with running("bench-front", speed=1) as instance:
        exact(instance)
        without_limits(instance)
        added(instance, options.requests)
        basic = httpx.BasicAuth(
            "viewer", front.password_file(instance.layout, "viewer").read_text()
        )
        said = next(basic.auth_flow(httpx.Request("GET", "http://x"))).headers["Authorization"]
        requests_a_second(instance, f"Authorization: {said}", path=PATH)
        requests_a_second(instance, path="/-/healthy")


if __name__ == "__main__":
    main()
