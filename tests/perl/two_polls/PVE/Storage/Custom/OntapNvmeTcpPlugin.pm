# SPDX-License-Identifier: AGPL-3.0-or-later
# Another plugin of the same type, for tools/bench to compare: it has the hooks of the one that comes after
# it in Perl's search path, and looks whether the array is there twice where once suffices.
package PVE::Storage::Custom::OntapNvmeTcpPlugin;

use v5.36;

BEGIN {
    my $own = __FILE__;
    my ($next) = grep { $_ ne $own && -e } map { "$_/PVE/Storage/Custom/OntapNvmeTcpPlugin.pm" } @INC;
    my $loaded = do($next);
    die $@ || "cannot load $next: $!\n" if !$loaded;
}

my $check_connection = __PACKAGE__->can('check_connection');
{
    no warnings 'redefine';
    *check_connection = sub {
        my ($class, @arguments) = @_;

        $class->$check_connection(@arguments);
        return $class->$check_connection(@arguments);
    };
}

1;
