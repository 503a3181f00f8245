"""Which paths of a data source may be asked through the viewer, and by which method.

Everybody who reaches the viewer's port may ask: so these are the paths that read, nothing that
reloads, deletes or silences, and no page.
"""

import re

_PART = r"[A-Za-z0-9_.:-]+"

_READ = {
    "prometheus": (
        rf"api/v1/(query|query_range|query_exemplars|series|labels|label/{_PART}/values|metadata"
        r"|rules|alerts|alertmanagers|targets|targets/metadata|format_query|parse_query"
        r"|status/(buildinfo|runtimeinfo|tsdb))"
        r"|-/(healthy|ready)"
    ),
    "loki": (
        rf"loki/api/v1/(query|query_range|series|labels|label/{_PART}/values|format_query"
        rf"|index/(stats|volume|volume_range)|patterns|detected_labels|detected_fields"
        rf"|detected_field/{_PART}/values|drilldown-limits|status/buildinfo)"
        r"|prometheus/api/v1/(rules|alerts)"
        r"|ready"
    ),
    "alertmanager": (
        rf"api/v2/(alerts|alerts/groups|silences|silence/{_PART}|receivers|status)|-/(healthy|ready)"
    ),
}
"""Type of data source → what may be asked by GET."""

_QUERY = {
    "prometheus": r"api/v1/(query|query_range|query_exemplars|series|labels|format_query"
    r"|parse_query)",
    "loki": r"loki/api/v1/(query|query_range|series|labels|format_query)",
    "alertmanager": r"(?!)",
}
"""What may be asked by POST: queries that may be too long for an address."""

_SUSPECT = re.compile(r"(^|/)\.{1,2}(/|$)|//|^/|[%\\@\x00-\x20\x7f-\xff]|^[a-z][a-z0-9+.-]*:", re.I)


class Refused(Exception):
    """The path may not be asked: `status` is 400, 403 or 405, `allowed` the methods of a 405."""

    def __init__(self, status: int, why: str, allowed: tuple[str, ...] = ()) -> None:
        super().__init__(why)
        self.status = status
        self.allowed = allowed


def check(kind: str, method: str, path: str) -> None:
    """Raise Refused unless a data source of that type may be asked for `path`, as it came over the
    wire: below the source's address, without a slash before it.

    Whatever could be read in two ways is refused: dots, empty parts, anything encoded.
    """
    if _SUSPECT.search(path):
        raise Refused(400, f"`{path}` is not a plain path below the data source")
    reads = re.fullmatch(_READ[kind], path)
    queries = re.fullmatch(_QUERY[kind], path)
    if not reads:
        raise Refused(403, f"`{path}` of {kind} cannot be asked through the viewer")
    allowed = ("GET", "HEAD", "POST") if queries else ("GET", "HEAD")
    if method not in allowed:
        raise Refused(405, f"`{path}` of {kind} cannot be asked with {method}", allowed)
