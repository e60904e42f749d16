# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The certificates of the modules that look at SIP servers over TLS."""

from __future__ import annotations


class ModuleDocFragment:
    """Option `sip_tls`; its argument specification is SIP_TLS in sip/certificates.py."""

    DOCUMENTATION = r"""
options:
  sip_tls:
    description:
      - Certificates for what is asked over TLS. All files are PEM, on this host.
      - A server's certificate must hold its C(server_name), or its address where that is left out. One that does not
        pass, or a file here that cannot be read, makes the answer unknown, never down.
    type: dict
    default: {}
    suboptions:
      ca_file:
        description: The authorities to trust; the system's when left out.
        type: path
      certificate:
        description: Our own certificate, where servers ask for one.
        type: path
      key:
        description:
          - Its key, without a passphrase. Looked for in O(sip_tls.certificate) when left out.
          - Only the user that the module runs as, root above all, should be able to read it.
        type: path
"""
