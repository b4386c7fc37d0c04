# SPDX-License-Identifier: AGPL-3.0-or-later
# Stand-in: what a plugin asks of the loader.
package PVE::Storage;

use v5.36;

our $api_version = 15;
our $config = { ids => {} };

sub APIVER { return $api_version }

sub config { return $config }

1;
