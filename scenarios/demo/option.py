"""How an instance is named on a command line."""


def option(instance: str) -> str:
    """Nothing for the one that is meant anyway."""
    return "" if instance == "default" else f" --instance {instance}"
