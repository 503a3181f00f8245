"""Prometheus and promtool, with the classic web page and the scripts that it loads."""

from stack.store.package import Package, Program, Replacement

PACKAGE = Package(
    name="prometheus",
    debs=(
        "prometheus",
        "promtool",
        "fonts-glyphicons-halflings",
        "libjs-bootstrap4",
        "libjs-d3",
        "libjs-eonasdan-bootstrap-datetimepicker",
        "libjs-jquery",
        "libjs-jquery-hotkeys",
        "libjs-moment",
        "libjs-moment-timezone",
        "libjs-mustache",
        "libjs-popper.js",
        "libjs-rickshaw",
    ),
    needs=("glibc",),
    keep=(
        "usr/bin/*",
        "usr/share/prometheus/*",
        "usr/share/javascript/*",
        "usr/share/nodejs/*",
        "usr/share/fonts*",
    ),
    # Sources of the scripts and a second copy of the time zones: 16 MB that no page loads.
    drop=("*.map", "*.map.*", "*/moment-timezone/data*"),
    replacements=(
        # Compiled in. The working directory stands in for it, so that no location is baked in.
        Replacement(
            file="usr/bin/prometheus",
            old="/usr/share/prometheus/",
            new="/proc/self/cwd////////",
        ),
        # What stands there is a module, which a page of scripts cannot read; its twin is none.
        Replacement(
            file="usr/share/prometheus/web/templates/_base.html",
            old="/popper.js/popper.min.js",
            new="/popper.js/umd/popper.min.js",
        ),
        # The links of alerts lead to `/graph?…`, where this build has only a page that says so.
        Replacement(
            file="usr/share/prometheus/web/no-ui/index.html",
            old="<title>Prometheus</title>",
            new="<title>Prometheus</title>\n    <script>"
            'location.replace("/classic" + location.pathname + location.search)</script>',
        ),
    ),
    programs=(
        Program(name="prometheus", file="usr/bin/prometheus", cwd="usr/share/prometheus"),
        Program(name="promtool", file="usr/bin/promtool"),
    ),
)
