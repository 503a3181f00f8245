"""Every reader of foreign bytes that is fuzzed, by name. A new one is a line in its room's list."""

from tests.fuzz import archives, files, http, logs, notifications
from tests.fuzz.harness import Target

TARGETS: dict[str, Target] = {
    target.name: target
    for room in (logs, notifications, files, archives, http)
    for target in room.targets()
}
