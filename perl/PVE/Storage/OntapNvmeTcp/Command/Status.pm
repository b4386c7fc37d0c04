# SPDX-License-Identifier: AGPL-3.0-or-later
package PVE::Storage::OntapNvmeTcp::Command::Status;

use v5.36;

use parent qw(PVE::RESTHandler);

use PVE::Storage::OntapNvmeTcp::Border qw(native);
use PVE::Storage::OntapNvmeTcp::Command qw(
    EXIT_OK EXIT_FAILED chosen_sections storage_parameter print_result say_line say_error
);
use PVE::Storage::OntapNvmeTcp::NodePaths qw(paths_of);

=head1 NAME

PVE::Storage::OntapNvmeTcp::Command::Status - the storages of this node on one screen

=cut

__PACKAGE__->register_method({
    name => 'status',
    path => 'status',
    method => 'GET',
    description => 'Capacity, disks, paths and unfinished work of each storage. Changes nothing.',
    parameters => {
        additionalProperties => 0,
        properties => {
            storage => storage_parameter(),
        },
    },
    returns => {
        type => 'array',
        items => {
            type => 'object',
            properties => {
                storage => { type => 'string' },
                paths_live => { type => 'integer' },
                paths => { type => 'integer' },
                total_bytes => { type => 'integer', optional => 1 },
                used_bytes => { type => 'integer', optional => 1 },
                disks => { type => 'integer', optional => 1 },
                allocated_bytes => { type => 'integer', optional => 1 },
                pending => { type => 'integer', optional => 1 },
                error => { type => 'string', optional => 1 },
            },
        },
    },
    code => sub ($param) {
        return [
            map {
                my ($id, $scfg) = $_->@*;
                my @paths = paths_of($scfg);
                my %seen = (
                    storage => $id,
                    paths => scalar(@paths),
                    paths_live => scalar(grep { $_->{state} eq 'live' } @paths),
                );
                # The first question that fails ends it: an array that does not answer is waited for once.
                my $done = eval {
                    native($id, $scfg, sub ($client, $) {
                        my $capacity = $client->capacity();
                        @seen{qw(total_bytes used_bytes)} = $capacity->@{qw(total_bytes used_bytes)};
                        my $disks = $client->list(undef);
                        $seen{disks} = scalar($disks->@*);
                        $seen{allocated_bytes} = 0;
                        $seen{allocated_bytes} += $_->{size_bytes} for $disks->@*;
                        $seen{pending} = scalar($client->pending()->@*);
                        return;
                    });
                    1;
                };
                $seen{error} = $@ =~ s/\n\z//r if !$done;
                \%seen;
            } chosen_sections($param->{storage} // ())
        ];
    },
});

my sub gib ($bytes) { return defined($bytes) ? sprintf('%.1f', $bytes / 2**30) : '?' }

my sub text ($storages) {
    my $form = '%-20s %7s %10s %10s %6s %10s %7s';
    say_line(sprintf($form, 'storage', 'paths', 'used GiB', 'of GiB', 'disks', 'alloc. GiB', 'pending'));
    for my $storage ($storages->@*) {
        say_line(sprintf(
            $form, $storage->{storage}, "$storage->{paths_live}/$storage->{paths}",
            gib($storage->{used_bytes}), gib($storage->{total_bytes}), $storage->{disks} // '?',
            gib($storage->{allocated_bytes}), $storage->{pending} // '?',
        ));
    }
    return;
}

sub show ($result, $schema, $options) {
    print_result($result, $schema, $options, \&text);
    my @failed = grep { defined($_->{error}) } $result->@*;
    say_error($_->{error}) for @failed;
    my $is_cut_off = grep { !$_->{paths_live} } $result->@*;
    exit(@failed || $is_cut_off ? EXIT_FAILED : EXIT_OK);
}

1;
