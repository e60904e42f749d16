# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The option by which a module reaches the Configuration Layer."""

from __future__ import annotations


class ModuleDocFragment:
    """Option `layer`; its argument specification is LAYER_OPTION in module_utils/configuration_layer/registry.py."""

    DOCUMENTATION = r"""
options:
  layer:
    description: The interface through which configuration objects are read and written.
    type: dict
    suboptions:
      driver:
        description:
          - V(gax) is the REST interface of Genesys Administrator Extension, which the vendor does not document.
          - V(gws) is the Platform Configuration API of Genesys Web Services, with HTTP Basic.
        type: str
        choices: [gax, gws]
        default: gax
      url:
        description:
          - Its base address, ending with C(/gax/api/) for V(gax) and C(/api/v2/) for V(gws).
          - The certificate of an https address is verified. A redirection is not followed.
        type: str
        required: true
      user:
        description: Who logs in.
        type: str
        required: true
      password:
        description: Password of O(layer.user).
        type: str
        required: true
      ca_file:
        description: Certificates that vouch for an https address; left out, the system's own.
        type: path
      timeout:
        description: Seconds for one request.
        type: float
        default: 5
      shape:
        description:
          - The driver's own names where this installation has others, for what no document that we could read shows.
          - For V(gax) C(application_options), C(dn_options), C(dn_query), C(switch_query).
          - For V(gws) C(log_in), C(dbid), C(name_quotes), C(applications), C(application_options), C(dns),
            C(dn_options), C(dn_number), C(dn_query), C(dn_switch), C(switch_query), C(options_as_list), C(put_path),
            C(put_wrapper).
        type: dict
        default: {}
"""
