# SPDX-License-Identifier: AGPL-3.0-or-later
package PVE::Storage::OntapNvmeTcp::Secrets;

use v5.36;

use PVE::Storage::OntapNvmeTcp::PrivateFiles qw(make_directories read_line set_line secret_file);
use PVE::Storage::OntapNvmeTcp::SettingsTable;

=head1 NAME

PVE::Storage::OntapNvmeTcp::Secrets - what must not stand in storage.cfg

=head1 DESCRIPTION

The secrets of each storage, in files of L<PVE::Storage::OntapNvmeTcp::PrivateFiles>. Storage ids given
to these functions are clean already.

=over

=item names

The settings that are secrets.

=item load($storeid)

A hash reference of the secrets that are there.

=item store($storeid, \%changes)

Writes each secret (removes it where the value is undef), all or none: when one fails, those before
it are put back. Returns a function that puts everything back, for the caller whose next step fails.

=back

=cut

my %extension = map { $_->{name} => $_->{secret_suffix} }
    grep { defined($_->{secret_suffix}) } PVE::Storage::OntapNvmeTcp::SettingsTable::rows();

sub names {
    my @names = sort(keys(%extension));
    return @names;
}

sub load ($storeid) {
    my %secrets;
    for my $name (names()) {
        my $value = read_line(secret_file($storeid, $extension{$name}));
        $secrets{$name} = $value if length($value // '');
    }
    return \%secrets;
}

sub store ($storeid, $changes) {
    make_directories();
    my @before;
    my $put_back = sub {
        # Each as far as possible: one that fails must not keep the others from being put back.
        for my $file (reverse(@before)) {
            eval { set_line($file->@*) };
            warn "$@" if $@;
        }
        return;
    };
    for my $name (sort(keys($changes->%*))) {
        my $path = secret_file($storeid, $extension{$name});
        # An unreadable old file is replaced all the same.
        my $old = eval { read_line($path) };
        $old = undef if !length($old // '');
        my $done = eval { set_line($path, $changes->{$name}); 1 };
        if (!$done) {
            my $error = $@;
            $put_back->();
            die $error;
        }
        push(@before, [$path, $old]);
    }
    return $put_back;
}

1;
