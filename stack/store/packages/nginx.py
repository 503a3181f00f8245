"""nginx: stands before what would answer anybody."""

from stack.store.package import Package, Program

PACKAGE = Package(
    name="nginx",
    debs=("nginx", "libcrypt1", "libpcre2-8-0", "libssl3t64", "libzstd1", "zlib1g"),
    needs=("glibc",),
    keep=("usr/sbin/nginx", "usr/lib/{triplet}/*.so*"),
    drop=("*/engines-3/*", "*/ossl-modules/*"),
    programs=(Program(name="nginx", file="usr/sbin/nginx"),),
)
