# SPDX-License-Identifier: AGPL-3.0-or-later
package Lab::Test::Plugin;

# A stand-in for a storage plugin: one method for each thing that the hook agent promises.

use v5.36;

use Scalar::Util qw(tainted);

my $count = 0;

sub count ($class) { return ++$count }

sub context ($class) { return wantarray ? ('list', 'of', 'four', 'words') : 'scalar' }

sub is_tainted ($class, $argument) { return tainted($argument) ? 1 : 0 }

sub echo ($class, @arguments) { return @arguments }

sub refuse ($class) { die "storage 'x': no\n" }

sub refuse_with_object ($class) { die bless({}, 'Lab::Test::Error') }

sub warn_and_print ($class) {
    warn "careful\n";
    print "on standard output\n";
    return 'done';
}

sub process ($class) { return $$ }

sub linger ($class) {
    1 while select(undef, undef, undef, 10);
    return;
}

sub vanish ($class) { kill('KILL', $$) }

1;
