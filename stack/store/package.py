"""The words in which a package describes itself; `packages/` is written in them."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Program:
    """A program that can be started from `bin/NAME`.

    `file` is its path in the output. `cwd`, a folder in the output, becomes its working
    directory: only for programs that are given absolute paths.
    """

    name: str
    file: str
    cwd: str = ""
    starts_itself: bool = False
    """It starts more of itself, by way of /proc/self/exe, so that it cannot be handed to a loader:
    its folder becomes its working directory, where its loader is, and its libraries are named in
    its environment. The package must have `usr/bin/busybox`, which sets that."""
    libraries: tuple[str, ...] = ()
    """More folders of the output with libraries, for such a program."""
    environment: tuple[str, ...] = ()
    """`NAME=VALUE` for such a program; `{output}` stands for the output's folder."""


@dataclass(frozen=True, kw_only=True)
class Replacement:
    """In `file`, `old` becomes `new` wherever it stands; in a binary both have the same length."""

    file: str
    old: str
    new: str


@dataclass(frozen=True, kw_only=True)
class Copy:
    """A file or folder that a page needs as it is: from `what`, below the sources' folder or in
    `node_modules/`, to the path `to` in the page."""

    what: str
    to: str


@dataclass(frozen=True, kw_only=True)
class Page:
    """A web page that esbuild bundles from sources of the lab's own and packages of npm.

    Which packages those are, the lock of npm's tarballs says; all of it belongs to the page.
    """

    folder: str
    """The sources' folder in the repository."""
    sources: tuple[str, ...]
    """Shell patterns of the sources in it; what else lies there is none of the page's."""
    entry: str
    """The script to begin with, in that folder."""
    into: str
    """Folder of the output."""
    version_of: str
    """The package of npm that gives the version."""
    options: tuple[str, ...] = ()
    """For esbuild, besides those that every page is bundled with."""
    stubs: tuple[str, ...] = ()
    """Packages that the page does without, though others ask for them: an empty module stands
    in."""
    copies: tuple[Copy, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Package:
    """The recipe for an output, before the lock says from which artifacts.

    `{system}`, `{triplet}` and `{loader}` in a path stand for the system's (`amd64`,
    `x86_64-linux-gnu`, …).
    """

    name: str
    debs: tuple[str, ...] = ()
    """Artifacts, unpacked into one tree. The first one gives the version."""
    zips: tuple[str, ...] = ()
    """Artifacts of upstream projects, unpacked in the same way; a package has these, or `tars`, or
    `debs`."""
    tars: tuple[str, ...] = ()
    """The same, as `.tar.gz` archives that hold everything in one folder, which is left out."""
    page: Page | None = None
    """A web page to bundle; such a package has no other artifacts and no programs."""
    optional: bool = False
    """The lab does without it where its artifacts are not available."""
    on_demand: bool = False
    """Nothing of the stack runs from it: it is built only for those who name it."""
    needs: tuple[str, ...] = ()
    """Packages that its programs need at run time: where their libraries are looked for next."""
    keep: tuple[str, ...] = ("*",)
    """Shell patterns of the paths to keep; `*` crosses slashes."""
    drop: tuple[str, ...] = ()
    """Shell patterns of paths to leave out after all."""
    replacements: tuple[Replacement, ...] = ()
    programs: tuple[Program, ...] = ()

    @property
    def by_default(self) -> bool:
        """Whether it is meant where no package is named."""
        return not (self.optional or self.on_demand)

    @property
    def releases(self) -> tuple[str, ...]:
        """Artifacts that upstream projects released."""
        return (*self.zips, *self.tars)
