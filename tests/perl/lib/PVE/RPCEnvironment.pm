# SPDX-License-Identifier: AGPL-3.0-or-later
# Stand-in: what a program of Proxmox VE begins with.
package PVE::RPCEnvironment;

use v5.36;

sub setup_default_cli_env ($class) { return }

1;
