"""`doit images`: OCI images of the services."""

import time
from shlex import quote

from stack.deploy.images.assembly import assemble
from stack.paths import given


def images(services: list[str], output: str) -> None:
    """Write the images of the services (of all that have one), and print their digests.

    Raises BadInput for a service without an image, and for a folder that holds something else.
    """
    began = time.monotonic()
    folder = given(output)
    made = assemble(folder, services or None)
    for image in made.images:
        size = sum(layer.blob.size_bytes for layer in image.layers)
        print(f"{image.reference:50} {size / 1e6:6.1f} MB  {image.manifest.digest}")
    for service, reason in made.left_out.items():
        print(f"{service}: left out: {reason}")
    archive = made.archives[0] if len(made.archives) == 1 else folder / "SERVICE.tar"
    print(
        f"{len(made.images)} images in {folder} ({time.monotonic() - began:.1f} s); "
        f"`docker load --input {quote(str(archive))}` loads {'them' if not services else 'one'}"
    )
