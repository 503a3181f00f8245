"""Where the runbooks are: on the project's page, and in each instance, whose inbox shows them."""

from stack.run.service import Layout

PUBLISHED = "https://github.com/residency-scheduler/monitoring/blob/main/stack/config/runbooks"
"""What the rules that people edit link; it holds wherever they are taken."""


def served(url: str, layout: Layout) -> str:
    """The page of a published runbook in an instance: it answers without a network, and shows the
    runbook as it was when the instance came up. Any other address is returned as it is.
    """
    if "inbox" not in layout.ports or not url.startswith(f"{PUBLISHED}/"):
        return url
    name = url.removeprefix(f"{PUBLISHED}/").removesuffix(".md")
    return f"{layout.url('inbox', 'http')}/runbooks/{name}"
