# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates for the tests that speak TLS."""

from __future__ import annotations

import pytest
from tls_doubles import make_papers


@pytest.fixture(scope="session")
def papers(tmp_path_factory):
    """A directory of certificates, made by the `openssl` command; where there is none, the test is skipped."""
    return make_papers(tmp_path_factory.mktemp("papers"))
