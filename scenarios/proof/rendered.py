"""A report as a page: the template `report.html.j2` of whoever writes it."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined


def rendered(folder: Path, **given: object) -> str:
    """The template in that folder, filled in; all that is given is escaped. What it includes may
    lie in the folder above as well."""
    environment = Environment(
        loader=FileSystemLoader([folder, folder.parent]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.j2").render(**given)
