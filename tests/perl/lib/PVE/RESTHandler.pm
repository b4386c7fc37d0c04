# SPDX-License-Identifier: AGPL-3.0-or-later
# Stand-in: a class of methods that Proxmox VE's programs call by name.
package PVE::RESTHandler;

use v5.36;

my %methods; # class => name => what it registered

sub register_method ($class, $info) {
    $methods{$class}{ $info->{name} } = $info;
    return;
}

sub map_method_by_name ($class, $name) { return $methods{$class}{$name} }

1;
