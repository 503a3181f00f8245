"""Python, for the containers of the lab's own programs. (What runs on this machine runs on the
Python that `doit` itself has.)"""

from stack.store.package import Package, Program

PACKAGE = Package(
    name="python",
    debs=(
        "python3.13-minimal",
        "libpython3.13-minimal",
        "libpython3.13-stdlib",
        "libbz2-1.0",
        "libexpat1",
        "libffi8",
        "liblzma5",
        "libsqlite3-0",
        "libssl3t64",
        # Of the wheels.
        "libstdc++6",
        "libuuid1",
        "libzstd1",
        "zlib1g",
    ),
    needs=("glibc",),
    keep=("usr/bin/python3.13", "usr/lib/python3.13/*", "usr/lib/{triplet}/*.so*"),
    # What a service has no use for: 11 MB.
    drop=(
        "*/engines-3/*",
        "*/ossl-modules/*",
        "*/ensurepip/*",
        "*/idlelib/*",
        "*/lib2to3/*",
        "*/pydoc_data/*",
        "*/tkinter/*",
        "*/turtledemo/*",
        "*/lib-dynload/readline.*",
        "*/lib-dynload/_curses*",
        "*/lib-dynload/_dbm*",
        # Leads to a file of the host.
        "*/sitecustomize.py",
    ),
    programs=(Program(name="python", file="usr/bin/python3.13"),),
    on_demand=True,
)
