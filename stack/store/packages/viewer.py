"""The viewer's page: Grafana's dashboards shown by Grafana's own libraries, without Grafana.

Its sources are `stack/programs/viewer/page`; what it is bundled from is in `stack/npm-lock.json`.
Served below `/public/`, where the libraries look for icons and fonts.
"""

from stack.store.package import Copy, Package, Page

_ICONS = "build/img/icons"
_FONTS = "node_modules/@fontsource"

_STUBS = (
    # Editors, maps and drag-and-drop, which a page that only shows dashboards never opens.
    "@codemirror/autocomplete",
    "@codemirror/lang-go",
    "@codemirror/lang-html",
    "@codemirror/lang-javascript",
    "@codemirror/lang-json",
    "@codemirror/lang-markdown",
    "@codemirror/lang-sql",
    "@codemirror/lang-xml",
    "@codemirror/lang-yaml",
    "@codemirror/language",
    "@codemirror/state",
    "@codemirror/view",
    "@hello-pangea/dnd",
    "@lezer/highlight",
    "@monaco-editor/react",
    "@rc-component/cascader",
    "@rc-component/drawer",
    "@rc-component/slider",
    "@uiw/react-codemirror",
    "immutable",
    "is-hotkey",
    "monaco-editor",
    "ol",
    "prismjs",
    "react-dropzone",
    "slate",
    "slate-plain-serializer",
    "slate-react",
    # What reports to somebody else, and what Grafana's server would answer.
    "@grafana/faro-web-sdk",
    "@openfeature/ofrep-web-provider",
    "@openfeature/react-sdk",
    "@openfeature/web-sdk",
    "i18next-pseudo",
    "jquery",
    "papaparse",
    "react-highlight-words",
)

_INTER = {
    "400-normal": "Regular",
    "500-normal": "Medium",
    "400-italic": "Italic",
    "500-italic": "MediumItalic",
}
_ROBOTO_MONO = "L0xTDF4xlVMF-BfR8bXMIhJHg45mwgGEFl0_3vrtSM1J-gEPT5Ese6hmHSh0mQ"
"""The name under which @grafana/ui asks for it."""

PACKAGE = Package(
    name="viewer",
    page=Page(
        folder="stack/programs/viewer",
        sources=(
            "page/**/*.css",
            "page/**/*.html",
            "page/**/*.js*",
            "page/**/*.svg",
            "supported.json",
        ),
        entry="page/main.jsx",
        into="share/viewer",
        version_of="@grafana/scenes",
        options=(
            "--entry-names=[name]",
            "--chunk-names=chunks/[name]-[hash]",
            "--define:global=globalThis",
            "--define:process.env={}",
            "--loader:.svg=text",
            # These ask Grafana's core, or render on a server: nothing here does either.
            "--alias:@grafana/plugin-compat/datasources=./page/shims/plugin-compat.js",
            "--alias:react-dom/server=./page/shims/react-dom-server.js",
            # Ten years of time zones instead of two hundred: 690 kB less.
            "--alias:moment-timezone="
            "moment-timezone/builds/moment-timezone-with-data-10-year-range.js",
        ),
        stubs=_STUBS,
        copies=(
            Copy(what="page/index.html", to="index.html"),
            Copy(what="page/boot.js", to="boot.js"),
            Copy(what="page/page.css", to="page.css"),
            # For pages of figures that are to be read without the viewer.
            Copy(what="node_modules/uplot/dist/uPlot.iife.min.js", to="plots/uPlot.iife.min.js"),
            Copy(what="node_modules/uplot/dist/uPlot.min.css", to="plots/uPlot.min.css"),
            Copy(what="node_modules/@grafana/ui/dist/public/img/icons", to=_ICONS),
            # The package lacks these.
            Copy(what="page/icons", to=f"{_ICONS}/unicons"),
            *(
                Copy(
                    what=f"{_FONTS}/inter/files/inter-latin-{cut}.woff2",
                    to=f"fonts/inter/Inter-{name}.woff2",
                )
                for cut, name in _INTER.items()
            ),
            Copy(
                what=f"{_FONTS}/roboto-mono/files/roboto-mono-latin-400-normal.woff2",
                to=f"fonts/roboto/{_ROBOTO_MONO}.woff2",
            ),
        ),
    ),
)
