"""The texts of the simulated `/proc` and `/sys`: pure functions of state and levels.

Formats: proc(5), `Documentation/admin-guide/iostats.rst` and `Documentation/filesystems/proc.rst`
of the Linux kernel. Only what node_exporter's enabled collectors read.
"""

from stack.programs.simhost.model import CPUS, MEMORY_BYTES, Levels, State

_HZ = 100  # USER_HZ: the unit of proc/stat on every Linux that node_exporter knows
_SECTOR_BYTES = 512  # of proc/diskstats, whatever the disk's own

# user, nice, system, iowait, irq, softirq, steal: shares of the time that is not idle. iowait is
# among them because the CPU alerts count everything but idle as used.
_BUSY_SHARES = (0.66, 0.01, 0.23, 0.05, 0.0, 0.04, 0.01)


def proc_files(state: State, levels: Levels) -> dict[str, str]:
    """Texts of the moving files, by path below `proc/`."""
    return {
        "stat": _stat(state, levels),
        "meminfo": _meminfo(levels.memory_used),
        "loadavg": _loadavg(state, levels),
        "diskstats": _diskstats(state),
        "net/dev": _net_dev(state, levels.leftover_interfaces),
    }


def sys_files() -> dict[str, str]:
    """Texts of the fixed files, by path below `sys/`. Without them the cpu collector panics."""
    cpus = "devices/system/cpu"
    files = {f"{cpus}/online": f"0-{CPUS - 1}\n", f"{cpus}/isolated": "\n"}
    for index in range(CPUS):
        files[f"{cpus}/cpu{index}/online"] = "1\n"
        files[f"{cpus}/cpu{index}/topology/physical_package_id"] = "0\n"
        files[f"{cpus}/cpu{index}/topology/core_id"] = f"{index}\n"
    return files


def _stat(state: State, levels: Levels) -> str:
    rows = [_jiffies(*times) for times in zip(state.busy_s, state.idle_s, strict=True)]
    busy_s = sum(state.busy_s)
    total = [sum(column) for column in zip(*rows, strict=True)]
    lines = [_cpu_line("cpu ", total)]
    lines += [_cpu_line(f"cpu{index}", row) for index, row in enumerate(rows)]
    return "\n".join(
        [
            *lines,
            f"intr {int(busy_s * 6000)} 0",
            f"ctxt {int(busy_s * 11000)}",
            f"btime {state.boot_time_s}",
            f"processes {int(state.uptime_s * 5) + 400}",
            f"procs_running {max(1, round(levels.load))}",
            "procs_blocked 0",
            "softirq 0 0 0 0 0 0 0 0 0 0 0",
            "",
        ]
    )


def _jiffies(busy_s: float, idle_s: float) -> list[int]:
    """One CPU's columns: user nice system idle iowait irq softirq steal guest guest_nice."""
    user, nice, system, iowait, irq, softirq, steal = (
        int(busy_s * share * _HZ) for share in _BUSY_SHARES
    )
    return [user, nice, system, int(idle_s * _HZ), iowait, irq, softirq, steal, 0, 0]


def _cpu_line(name: str, columns: list[int]) -> str:
    return f"{name} {' '.join(map(str, columns))}"


def _meminfo(used: float) -> str:
    total = MEMORY_BYTES // 1024
    available = round(total * (1 - used))
    sizes = {
        "MemTotal": total,
        "MemFree": int(available * 0.3),
        "MemAvailable": available,
        "Buffers": int(available * 0.05),
        "Cached": int(available * 0.6),
        "SwapCached": 0,
        "Active": int((total - available) * 0.8),
        "Inactive": int(available * 0.4),
        "SwapTotal": 0,
        "SwapFree": 0,
        "Dirty": 2048,
        "Writeback": 0,
        "AnonPages": int((total - available) * 0.9),
        "Mapped": int((total - available) * 0.1),
        "Shmem": int((total - available) * 0.02),
        "SReclaimable": int(available * 0.05),
        "SUnreclaim": int((total - available) * 0.03),
    }
    return "".join(f"{name + ':':<16}{size:>8} kB\n" for name, size in sizes.items())


def _loadavg(state: State, levels: Levels) -> str:
    running = max(1, round(levels.load))
    averages = f"{levels.load:.2f} {state.load5:.2f} {state.load15:.2f}"
    return f"{averages} {running}/312 {int(state.uptime_s * 5) % 32000 + 400}\n"


def _diskstats(state: State) -> str:
    # The system disk carries a tenth of the traffic, the data disk the rest.
    return _disk_line(0, "vda", state, 0.1) + _disk_line(16, "vdb", state, 0.9)


def _disk_line(minor: int, name: str, state: State, share: float) -> str:
    reads, writes = int(state.read_bytes * share / 16384), int(state.written_bytes * share / 8192)
    columns = [
        *(reads, 0, int(state.read_bytes * share / _SECTOR_BYTES), int(reads * 0.4)),
        *(writes, writes // 3, int(state.written_bytes * share / _SECTOR_BYTES), writes),
        *(0, int(state.disk_busy_s * share * 1000), int(state.disk_busy_s * share * 1300)),
        *(0, 0, 0, 0),  # discards
        *(writes // 40, writes // 40),  # flushes
    ]
    return f" 253 {minor:>7} {name} {' '.join(map(str, columns))}\n"


def _net_dev(state: State, leftover: int) -> str:
    loopback = state.uptime_s * 60_000
    return (
        "Inter-|   Receive                                                |  Transmit\n"
        " face |bytes    packets errs drop fifo frame compressed multicast"
        "|bytes    packets errs drop fifo colls carrier compressed\n"
        + _interface("lo", loopback, loopback)
        + _interface("eth0", state.received_bytes, state.transmitted_bytes)
        + "".join(_interface(f"veth{number:04x}", 0, 0) for number in range(leftover))
    )


def _interface(name: str, received: float, transmitted: float) -> str:
    half = " ".join(["0"] * 6)
    return (
        f"{name:>6}: {int(received)} {int(received / 900)} {half}"
        f" {int(transmitted)} {int(transmitted / 900)} {half}\n"
    )
