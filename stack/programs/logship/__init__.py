"""The lab's log shipper: stands in for Promtail where it cannot be had, and reads the same file.

`python -m stack.programs.logship --config promtail-config.yml` tails files and pushes their lines
to Loki or to the lab's own store. No line is lost, and none is there twice, whatever is killed and
rotated:

- positions are kept only once the store has acknowledged, so that a crash sends lines again;
- a line that is sent again has the timestamp that it had, and the store keeps one of both.

What it does not know of Promtail's configuration it refuses, naming file and key.

- `settings`, `sections`: the configuration; `stages`, `times`: what is done with a line
- `reader`, `trail`, `watch`: files and what becomes of them; `blocks`: lines that belong together
- `positions`: how far they were sent; `shipment`, `sender`: how; `shipper`: the loop
- `web`, `metrics`: what is told of it
"""
