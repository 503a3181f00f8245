"""What the measuring of a Prometheus needs of an instance, without one; and figures that are made
up."""

from dataclasses import replace
from pathlib import Path

from scenarios.capacity.answer import Machine
from scenarios.capacity.metrics.answer import Answer, Asked, Found
from scenarios.capacity.metrics.sizes import Size, Storage, Window
from stack.paths import CONFIG_ROOT
from stack.programs.scheduler.app import create_app
from stack.programs.scheduler.settings import Settings
from stack.run.instance import Record, layout_of
from stack.run.ports import free
from stack.run.service import Layout
from stack.run.services import SERVICES
from stack.store.packageset import realise

EACH = 650
"""Series of a made-up scheduler."""

ASKED = Asked(
    size=50, steps=3, reach=10, interval_s=5.0, rate=2.0, churn_instances=0.05, churn_labels=0.05,
    seed=1, settle_s=45.0, window_s=20.0, windows=3, repeats=1, remote_write=False,
)  # fmt: skip

MACHINE = Machine(cpu="a CPU", cores=2, memory_bytes=24_000_000_000, system="Linux")


def layout(folder: Path) -> Layout:
    """Of an instance that nobody starts."""
    packages = {name: str(path) for name, path in realise(["prometheus"]).items()}
    record = Record(
        name="made", speed=1.0, ports=free(SERVICES.values()), packages=packages,
        config_root=str(CONFIG_ROOT), hash="", created=0.0,
    )  # fmt: skip
    return layout_of(record, folder)


def shape(file: Path) -> Path:
    """What a stub scheduler that nobody asked answers, in a file."""
    app = create_app(Settings(conninfo="host=127.0.0.1 port=1 dbname=x"))
    file.write_bytes(app.state.services.metrics.text())
    return file


def size(
    targets: int, *, memory: float | None = None, missed: float = 0.0, others: float = 0.0
) -> Size:
    """As a Prometheus would be that takes 100 MB, 4 KB a series, and 5 µs a sample."""
    series = float(targets * EACH)
    resident = memory if memory is not None else 100e6 + 4000 * series
    window = Window(
        seconds=20.0, samples_per_s=series / 5, series=series, scrape_s=0.002,
        slowest_scrape_s=0.01, rules_s=1e-6 * series, cores=0.01 + 5e-6 * series / 5,
        memory_bytes=resident, peak_bytes=1.2 * resident, fleet_cores=0.01, other_cores=others,
        missed=missed,
    )  # fmt: skip
    storage = Storage(
        wal_bytes=round(200 * series), wal_samples=20 * series, restart_s=0.3 + 1e-5 * series,
        block_samples=round(20 * series), block_series=round(series),
        chunk_bytes=round(60 * series), index_bytes=round(120 * series),
        later_samples=round(26 * series), later_chunk_bytes=round(66 * series),
    )  # fmt: skip
    return Size(targets=targets, windows=[window, replace(window, memory_bytes=resident)],
                storage=storage)  # fmt: skip


def answer(found: Found, **asked: object) -> Answer:
    """A run that is over."""
    return Answer(
        asked=replace(ASKED, **asked), found=found, machine=MACHINE,  # type: ignore[arg-type]
        versions="prometheus-2.53.3+ds1-2", instance="Instance `capacity-metrics`, 0123456789ab",
        started=1.8e9, took_s=600.0,
    )  # fmt: skip
