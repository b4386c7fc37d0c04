# SPDX-License-Identifier: AGPL-3.0-or-later
package PVE::Storage::OntapNvmeTcp::Command::Explain;

use v5.36;

use parent qw(PVE::RESTHandler);

use PVE::Storage::OntapNvmeTcp::Border qw(native);
use PVE::Storage::OntapNvmeTcp::Command qw(
    EXIT_OK EXIT_WARNED chosen_sections complete_volumes print_result say_line
);
use PVE::Storage::OntapNvmeTcp::GuestConfigs qw(lines_with read_configs);
use PVE::Storage::OntapNvmeTcp::NodeFiles qw(line_of);

=head1 NAME

PVE::Storage::OntapNvmeTcp::Command::Explain - everything behind one disk

=cut

__PACKAGE__->register_method({
    name => 'explain',
    path => 'explain',
    method => 'GET',
    description => 'Every object behind a disk, on the array, on this node and in the configurations of'
        . ' guests, and what of it is odd. Changes nothing.',
    parameters => {
        additionalProperties => 0,
        properties => {
            object => {
                type => 'string',
                description => 'A volume (STORAGE:NAME), a device of this node, the UUID of a namespace or'
                    . ' FlexVol, or the name of a FlexVol.',
                completion => \&complete_volumes,
            },
        },
    },
    returns => {
        type => 'object',
        properties => {
            storage => { type => 'string' },
            volume => { type => 'string' },
            facts => {
                type => 'array',
                items => {
                    type => 'object',
                    properties => {
                        part => { type => 'string' },
                        name => { type => 'string' },
                        value => { type => 'string' },
                        odd => { type => 'boolean' },
                    },
                },
            },
        },
    },
    code => sub ($param) { return _explained($param->{object}) },
});

my sub plain ($error) { return "$error" =~ s/\n\z//r }

# What the library is asked for, and in which storages: what one of them calls its own, or each one
# until it is found.
my sub candidates ($object) {
    if (my ($device) = $object =~ m{\A/dev/(nvme[0-9]+n[0-9]+)(?:p[0-9]+)?\z}) {
        my $uuid = line_of("/sys/block/$device/uuid") // die "there is no device '$object' here\n";
        return ($uuid, chosen_sections());
    }
    # The links that activation makes: the folder is the storage's.
    if (my ($id, $leaf) = $object =~ m{\A/dev/ontapnvme/([^/]+)/([^/\@]+)(?:\@[^/]*)?\z}) {
        return ($leaf, chosen_sections($id));
    }
    die "'$object' is no device of this plugin\n" if $object =~ m{\A/};
    if (my ($id, $volume) = $object =~ m{\A([^:/]+):(.+)\z}) {
        return ($volume, chosen_sections($id));
    }
    return ($object, chosen_sections());
}

my sub guests_facts ($id, $volume) {
    my $leaf = $volume =~ s{.*/}{}r;
    my ($owner) = $leaf =~ /\A(?:vm|base)-([0-9]+)-/;
    my $lines = eval { lines_with($id, $leaf, read_configs()) };
    return { part => 'guest', name => 'unknown', value => plain($@), odd => 1 } if !$lines;
    return { part => 'guest', name => 'none', value => 'it stands in no configuration', odd => 1 }
        if !$lines->@*;
    return map {
        my ($vmid, $section, $line) = $_->@*;
        my $is_others = $vmid != $owner;
        +{
            part => 'guest', name => $vmid . (length($section) ? " [$section]" : ''),
            value => $line . ($is_others ? "  (its name is of guest $owner)" : ''), odd => $is_others ? 1 : 0,
        }
    } $lines->@*;
}

sub _explained ($object) {
    my ($what, @sections) = candidates($object);
    my @refusals;
    for my $section (@sections) {
        my ($id, $scfg) = $section->@*;
        my $facts = eval { native($id, $scfg, sub ($client, $) { $client->explain($what) }) };
        if (!$facts) {
            push(@refusals, plain($@));
            next;
        }
        my ($named) = map { $_->{value} } grep { $_->{part} eq 'volume' } $facts->@*;
        my $volume = $named // $what;
        # What holds a disk is a FlexVol on the arrays that there are; the library does not say so.
        my @facts = map {
            my $part = $_->{part} eq 'container' ? 'FlexVol' : $_->{part};
            +{ part => $part, $_->%{qw(name value)}, odd => $_->{is_odd} ? 1 : 0 }
        } grep { $_->{part} ne 'volume' } $facts->@*;
        return { storage => $id, volume => $volume, facts => [guests_facts($id, $volume), @facts] };
    }
    die "no storage of the type ontapnvme is enabled here\n" if !@sections;
    die join("\n", @refusals) . "\n";
}

my sub text ($result) {
    say_line("$result->{storage}:$result->{volume}");
    my $part = '';
    for my $fact ($result->{facts}->@*) {
        my $shown = $fact->{part} eq $part ? '' : $fact->{part};
        $part = $fact->{part};
        say_line(sprintf('%s %-10s %-12s %s', $fact->{odd} ? '!' : ' ', $shown, $fact->{name}, $fact->{value}));
    }
    return;
}

sub show ($result, $schema, $options) {
    print_result($result, $schema, $options, \&text);
    exit((grep { $_->{odd} } $result->{facts}->@*) ? EXIT_WARNED : EXIT_OK);
}

1;
