"""Debian's names of licences become SPDX expressions where there are such, and stay what they are
where there are none."""

import pytest

from stack.store.licences import ELSEWHERE, declared, spdx

HEAD = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n"


@pytest.mark.parametrize(
    ("debian", "expression"),
    [
        pytest.param("Apache-2.0", "Apache-2.0", id="quiet: the same in both"),
        pytest.param("apache-2.0", "Apache-2.0", id="another case"),
        pytest.param("Expat", "MIT", id="another name"),
        pytest.param("GPL-2", "GPL-2.0-only", id="GPL"),
        pytest.param("LGPL-2.1+", "LGPL-2.1-or-later", id="or later"),
        pytest.param("GFDL-NIV-1.3+", "GFDL-1.3-or-later", id="GFDL without invariants"),
        pytest.param("GPL-2+ or Artistic", "GPL-2.0-or-later OR Artistic-1.0-Perl", id="or"),
        pytest.param("Expat and Zlib", "MIT AND Zlib", id="and"),
        pytest.param("Expat and Zlib or ISC", "MIT AND Zlib OR ISC", id="and binds closer than or"),
        pytest.param(
            "GPL-3+ with Bison exception", "GPL-3.0-or-later WITH Bison-exception-2.2", id="with"
        ),
        pytest.param("GPL-3+ with Moon exception", "", id="an unknown exception"),
        pytest.param("Custom-regex", "", id="none"),
        pytest.param("Expat or Custom-regex", "", id="a part without one"),
        pytest.param("GPL", "", id="no version"),
    ],
)
def test_spdx_of_debian_names(debian: str, expression: str) -> None:
    assert spdx(debian) == expression


@pytest.mark.parametrize(
    ("text", "licences"),
    [
        pytest.param("This is free software.\nLicense: GPL-2\n", [], id="quiet: free text"),
        pytest.param(HEAD, [], id="quiet: nothing declared"),
        pytest.param(
            f"{HEAD}\nFiles: *\nCopyright: me\nLicense: Expat\n It may be\n .\n used.\n",
            ["MIT"],
            id="with its text",
        ),
        pytest.param(
            f"{HEAD}\nFiles: a\n b\nLicense: ISC\n\nFiles: debian/*\nLicense: GPL-3+\n",
            ["ISC"],
            id="without that of the packaging",
        ),
        pytest.param(
            f"{HEAD}\nFiles: *\nLicense: ISC\n\nLicense: GPL-3\n Text for a file above.\n",
            ["ISC"],
            id="a text alone declares nothing",
        ),
        pytest.param(f"{HEAD}License: Zlib\n", ["Zlib"], id="in the header"),
        pytest.param(
            f"{HEAD}\nFiles: *\nLicense: Expat and Moon\n", ["MIT", "?Moon"], id="one by one"
        ),
        pytest.param(
            f"{HEAD}\nFiles: *\nLicense: ISC or Moon\n", ["?ISC or Moon"], id="a choice as it is"
        ),
    ],
)
def test_declared_licences(text: str, licences: list[str]) -> None:
    found = declared(text)
    assert [each.name if each.spdx else f"?{each.name}" for each in found] == licences


def test_licences_known_from_elsewhere_are_expressions() -> None:
    from cyclonedx.spdx import is_expression

    assert all(map(is_expression, ELSEWHERE.values()))
    assert not is_expression("Moon")
