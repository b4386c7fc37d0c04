# SPDX-License-Identifier: AGPL-3.0-or-later
package PVE::Storage::OntapNvmeTcp::Command::Metrics;

use v5.36;

use parent qw(PVE::RESTHandler);

use PVE::Storage::OntapNvmeTcp::Border qw(native);
use PVE::Storage::OntapNvmeTcp::Command qw(EXIT_OK chosen_sections print_result say_line storage_parameter);
use PVE::Storage::OntapNvmeTcp::NodePaths qw(paths_of);

=head1 NAME

PVE::Storage::OntapNvmeTcp::Command::Metrics - what a poll sees, for Prometheus

=head1 DESCRIPTION

For the text file collector of the node exporter, or whoever else scrapes. Asks the array what a poll
does, one question a storage.

=cut

# Name, kind, what it is.
use constant METRICS => (
    [up => 'gauge', 'Whether the array answers this node.'],
    [size_bytes => 'gauge', 'What the storage can hold.'],
    [used_bytes => 'gauge', 'What of it is used.'],
    [path_live => 'gauge', 'Whether data flows on a path of this node.'],
    [paths_live => 'gauge', 'Paths of this node on which data flows.'],
);

__PACKAGE__->register_method({
    name => 'metrics',
    path => 'metrics',
    method => 'GET',
    description => 'What a poll of each storage sees, in the text format of Prometheus. Changes nothing.',
    parameters => { additionalProperties => 0, properties => { storage => storage_parameter() } },
    returns => {
        type => 'array',
        items => {
            type => 'object',
            properties => {
                metric => { type => 'string' },
                labels => { type => 'object' },
                value => { type => 'integer' },
            },
        },
    },
    code => sub ($param) { return [map { _samples_of($_->@*) } chosen_sections($param->{storage} // ())] },
});

sub _samples_of ($id, $scfg) {
    my $sample = sub ($metric, $value, %labels) {
        return { metric => "ontapnvme_$metric", labels => { storage => $id, %labels }, value => int($value) };
    };
    my @paths = paths_of($scfg);
    my $capacity = eval { native($id, $scfg, sub ($client, $) { $client->capacity() }) };
    return (
        $sample->(up => $capacity ? 1 : 0),
        # What is not known has no value: 0 would be an empty storage.
        $capacity
        ? ($sample->(size_bytes => $capacity->{total_bytes}), $sample->(used_bytes => $capacity->{used_bytes}))
        : (),
        (map { $sample->(path_live => $_->{state} eq 'live', controller => $_->{name}, address => $_->{address}) }
            @paths),
        $sample->(paths_live => scalar(grep { $_->{state} eq 'live' } @paths)),
    );
}

my sub escaped ($text) { return $text =~ s/([\\"])/\\$1/gr =~ s/\n/\\n/gr }

my sub text ($samples) {
    for my $about (METRICS) {
        my ($name, $kind, $help) = $about->@*;
        my @own = grep { $_->{metric} eq "ontapnvme_$name" } $samples->@* or next;
        say_line("# HELP ontapnvme_$name $help");
        say_line("# TYPE ontapnvme_$name $kind");
        for my $sample (@own) {
            my $labels = $sample->{labels};
            my $text = join(',', map { $_ . '="' . escaped($labels->{$_}) . '"' } sort(keys($labels->%*)));
            say_line("$sample->{metric}\{$text} $sample->{value}");
        }
    }
    return;
}

sub show ($result, $schema, $options) {
    print_result($result, $schema, $options, \&text);
    exit(EXIT_OK);
}

1;
