"""The lab's log shipper: stands in for Promtail where it is not available, and reads the same file.

It tails files and pushes their lines to Loki or to the lab's own store. No line is lost or stored
twice, whatever is killed or rotated:

- positions are saved only once the store has acknowledged, so that a crash sends lines again;
- a line that is sent again keeps its timestamp, and the store keeps only one of the two.

Anything in Promtail's configuration that it does not know it refuses, naming file and key.

- `settings`, `sections`: the configuration; `stages`, `times`: what is done with a line
- `reader`, `trail`, `watch`: files and what becomes of them; `blocks`: lines that belong together
- `positions`: how far they were sent; `shipment`, `sender`: how; `shipper`: the loop
- `web`, `metrics`: what it shows of itself

Not here: where logs are kept (`stack.programs.logstore`, or Loki). Imports what the programs share
and the loose modules.
"""
