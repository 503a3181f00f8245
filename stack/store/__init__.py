"""The store: lock -> fetch -> unpack -> relocate -> store path, in the manner of Nix.

A package is described by one module in `packages/`, in the words of `package`; nothing gets in
whose hash `stack/lock.toml` does not name. `packageset` is the way in: `realise(["prometheus"])`.

- `lock`, `derivation`: what is wanted; `mirrors`, `fetch`: where it comes from
- `deb`, `builder`, `launcher`, `tree`: how an output is made, and what it is
- `realisation`: how it gets into the store; `repin`: how the lock is made
- `upstream`, `optional`: releases that no mirror has, and what to do where they are unavailable
- `reproduce` with `variations`, `rebuild`, `bytediff`: whether it comes out the same anywhere
- `verify`, `repair`: whether it still is what it was; `guard`, `references`, `gc`: what may go
- `bundle`, `imports` with `archive`, `requirements`, `wheels`: the way to a machine offline
- `sbom`, `licences`: what it is made of

Not here: what runs (`stack.run`) and what tasks print (`stack.tasks`). May import the loose modules
of `stack` alone.
"""
