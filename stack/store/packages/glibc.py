"""The C library and the dynamic loader that all other packages run with."""

from stack.store.package import Package

PACKAGE = Package(
    name="glibc",
    debs=("libc6", "libgcc-s1"),
    keep=("usr/lib/{triplet}/*.so*",),
    # Character sets that nothing here converts with iconv(3): 8 MB.
    drop=("*/gconv/*",),
)
