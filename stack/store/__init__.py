"""The store: lock -> fetch -> unpack -> relocate -> store path, in the manner of Nix.

Packages are described in `packages/`, in the words of `package`; nothing gets in whose hash
`stack/lock.toml` does not name. Begin with `packageset`, which is what all others call; `realisation`
is the heart, `builder` what it does. Whole subjects besides: `reproduce` (the same anywhere?),
`verify` (still the same?), `gc`, `repin` (how the lock is made), `bundle` and `imports` (to a machine
offline), `sbom`.

Not here: what runs (`stack.run`), what is printed (`stack.tasks`). May import only the loose modules
of `stack`; `archive` and `requirements`, which `bootstrap` reads, only those of them that need
nothing but the standard library.
"""
