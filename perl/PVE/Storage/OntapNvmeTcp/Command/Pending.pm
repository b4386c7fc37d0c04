# SPDX-License-Identifier: AGPL-3.0-or-later
package PVE::Storage::OntapNvmeTcp::Command::Pending;

use v5.36;

use parent qw(PVE::RESTHandler);

use PVE::JSONSchema;

use PVE::Storage::OntapNvmeTcp::Border qw(native);
use PVE::Storage::OntapNvmeTcp::Command qw(
    EXIT_OK EXIT_FAILED chosen_sections complete_storages print_result say_line say_error
);

=head1 NAME

PVE::Storage::OntapNvmeTcp::Command::Pending - what is not finished on the array

=cut

__PACKAGE__->register_method({
    name => 'pending',
    path => 'pending',
    method => 'GET',
    description => 'What is not finished on the array: what interrupted tasks left, what waits to be'
        . ' deleted, snapshots that are shown as devices. Changes nothing.',
    parameters => {
        additionalProperties => 0,
        properties => {
            'extra-args' => PVE::JSONSchema::get_standard_option('extra-args', {
                description => 'Storages of the type ontapnvme; without any, all that are enabled here.',
                completion => \&complete_storages,
            }),
        },
    },
    returns => {
        type => 'array',
        items => {
            type => 'object',
            properties => {
                storage => { type => 'string' },
                pending => { type => 'array', items => { type => 'string' }, optional => 1 },
                error => { type => 'string', optional => 1 },
            },
        },
    },
    code => sub ($param) {
        return [
            map {
                my ($id, $scfg) = $_->@*;
                my $lines = eval { native($id, $scfg, sub ($client, $) { $client->pending() }) };
                +{ storage => $id, $lines ? (pending => $lines) : (error => $@ =~ s/\n\z//r) };
            } chosen_sections(($param->{'extra-args'} // [])->@*)
        ];
    },
});

sub show ($result, $schema, $options) {
    print_result($result, $schema, $options, sub ($storages) {
        for my $storage ($storages->@*) {
            my $lines = $storage->{pending} or next;
            say_line("$storage->{storage}: $_")
                for $lines->@* ? $lines->@* : ('nothing is pending');
        }
    });
    my @failed = grep { defined($_->{error}) } $result->@*;
    say_error($_->{error}) for @failed;
    exit(@failed ? EXIT_FAILED : EXIT_OK);
}

1;
