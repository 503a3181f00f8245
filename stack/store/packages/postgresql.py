"""PostgreSQL 17: server, client programs, and every library that they load.

Without the LLVM just-in-time compiler (a library of 130 MB) and what compiles extensions. Time
zones other than GMT come from the host's /usr/share/zoneinfo; where it may lack that, set
`timezone` and `log_timezone` to GMT. `initdb` needs no locale of the host either with
`--encoding=UTF8 --locale=C --locale-provider=builtin --builtin-locale=C.UTF-8`.

`initdb` and `pg_ctl` start the server through `/bin/sh`, whose path is compiled into them and into
the C library. `usr/bin/busybox`, linked statically, is one for a root file system without any.
"""

from stack.store.package import Package, Program

_BIN = "usr/lib/postgresql/17/bin"

_PROGRAMS = (
    "createdb",
    "createuser",
    "dropdb",
    "initdb",
    "pg_controldata",
    "pg_ctl",
    "pg_dump",
    "pg_isready",
    "pg_restore",
    "pgbench",
    "postgres",
    "psql",
)

_LIBRARIES = (
    "libaudit1",
    "libcap-ng0",
    "libcap2",
    "libcom-err2",
    "libgssapi-krb5-2",
    "libicu76",
    "libk5crypto3",
    "libkeyutils1",
    "libkrb5-3",
    "libkrb5support0",
    "libldap2",
    "liblz4-1",
    "liblzma5",
    "libpam0g",
    "libpcre2-8-0",
    "libpq5",
    "libreadline8t64",
    "libsasl2-2",
    "libselinux1",
    "libssl3t64",
    "libstdc++6",
    "libsystemd0",
    "libtinfo6",
    "libuuid1",
    "libxml2",
    "libxslt1.1",
    "libxxhash0",
    "libzstd1",
    "zlib1g",
)

PACKAGE = Package(
    name="postgresql",
    debs=("postgresql-17", "postgresql-client-17", "busybox-static", *_LIBRARIES),
    needs=("glibc",),
    keep=(
        *(f"{_BIN}/{program}" for program in _PROGRAMS),
        "usr/bin/busybox",
        "usr/lib/postgresql/17/lib/*.so",
        "usr/lib/{triplet}/*.so*",
        "usr/share/postgresql/17/*",
    ),
    drop=(
        "*/llvmjit*",
        "*/bitcode/*",
        "*/pgxs/*",
        "*/man/*",
        # Plug-ins that nothing here asks for, and that would need more libraries.
        "*/engines-3/*",
        "*/krb5/*",
        "*/libexslt*",
    ),
    programs=tuple(Program(name=name, file=f"{_BIN}/{name}") for name in _PROGRAMS),
)
