"""One running stack: what its services are, and how they are started, watched and stopped.

`service` and `services/` describe, `instance` is one that was made, `lifecycle` makes and ends it
(`up`, `down`), `startup` brings services up in order, `supervisor` speaks to supervisord. `ports`,
`secrets`, `probes` and `render` are what they need. `guard` has those that answer anybody listen
where nginx alone reaches them. `generations` and `rollback` go back to what ran before, with the
programs that `moved` finds; `reload` takes over what was edited, as `reloads` says of each service.
`keeper` starts a supervisord again that ended by itself, through `revival`. `health` asks whether
all gets through. `choice` says whether a real program runs or the lab's own.

Not here: the programs themselves (`stack.programs`, `stack.store.packages`), what tasks print
(`stack.tasks`). May import `stack.store`, `stack.speed` and the loose modules; a service of the
lab's own programs may import its program.
"""
