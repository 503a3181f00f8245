"""The stack under Compose: its files rendered, judged, started and stopped.

The files are `stack/config/docker-compose.monitoring.yml` and its neighbours. `files` says which
belong together, and what `.env` says; `rendering` has the store's own Compose merge them, so that
any machine renders alike, with Docker or without; `rules` says what is wrong with the result;
`engine` is Docker's daemon; `running` starts and stops.

Not here: what is printed (`stack.tasks.compose`). May import what `stack.deploy` may.
"""
