"""How node_exporter is made to read the simulated host, and nothing of this machine.

Flags: `node_exporter --help`, version 1.9.0.
"""

from pathlib import Path


def node_exporter_arguments(root: Path) -> list[str]:
    """Arguments of node_exporter for the simulated host in `root`; where it listens is another's.

    Left out on purpose: `uname` asks the kernel, not a file, and so would show this machine's
    name; all other default collectors read files that the simulated host does not have.
    """
    root = root.absolute()
    return [
        f"--path.procfs={root}/proc",
        f"--path.sysfs={root}/sys",
        f"--path.rootfs={root}/root",
        # node_disk_info would otherwise look the simulated disks up in this machine's /run/udev.
        f"--path.udev.data={root}/udev",
        "--collector.disable-defaults",
        "--collector.cpu",  # HighCPUUsage, CriticalCPUUsage
        "--collector.meminfo",  # HighMemoryUsage, CriticalMemoryUsage
        "--collector.filesystem",  # DiskSpaceWarning, DiskSpaceCritical, DiskWillFillIn4Hours
        "--collector.netdev",  # HighNetworkTraffic
        # Netlink would answer with this machine's interfaces; proc/net/dev is the simulated host's.
        "--no-collector.netdev.netlink",
        "--collector.diskstats",  # disk I/O on the system dashboard
        "--collector.loadavg",  # load on the system dashboard
        "--collector.stat",  # boot time, context switches, interrupts
        "--collector.time",  # with the boot time: uptime; also shows a clock that is wrong
        # Its own Go runtime's metrics: half of all series, and nobody looks at them.
        "--web.disable-exporter-metrics",
    ]
