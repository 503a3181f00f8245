"""The store: lock -> fetch -> unpack -> relocate -> store path, in the manner of Nix.

Packages are described in `packages/`, in the words of `package`; nothing gets in whose hash
`stack/lock.toml` does not name. Begin with `packageset`, which all others call, then `realisation`
and `builder`. Whole subjects beside them: `reproduce` (the same anywhere?), `verify` (still the
same?), `gc`, `repin` (makes the lock), `bundle` and `imports` (to a machine offline), `sbom`.
`page` bundles a web page from the lab's own sources and npm's tarballs (`npmlock`, `npmpin`,
`registry`).

Not here: what runs (`stack.run`), what is printed (`stack.tasks`). May import only the loose
modules of `stack`; `archive` and `requirements`, which `stack.bootstrap` uses before anything is
installed, only the standard library.
"""
