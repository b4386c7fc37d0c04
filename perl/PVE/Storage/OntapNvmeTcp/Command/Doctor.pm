# SPDX-License-Identifier: AGPL-3.0-or-later
package PVE::Storage::OntapNvmeTcp::Command::Doctor;

use v5.36;

use parent qw(PVE::RESTHandler);

use PVE::Storage::OntapNvmeTcp::Checks qw(findings);
use PVE::Storage::OntapNvmeTcp::Checks::Cluster qw(on_every_node compare_nodes);
use PVE::Storage::OntapNvmeTcp::Command qw(
    EXIT_OK EXIT_FAILED EXIT_WARNED chosen_sections storage_parameter print_result say_line
);

=head1 NAME

PVE::Storage::OntapNvmeTcp::Command::Doctor - what is wrong around the storages of this node

=cut

__PACKAGE__->register_method({
    name => 'doctor',
    path => 'doctor',
    method => 'GET',
    description => 'Looks at everything around a storage that is known to go wrong, and says what to do'
        . ' about it. Changes nothing.',
    parameters => {
        additionalProperties => 0,
        properties => {
            storage => storage_parameter(),
            'all-nodes' => {
                type => 'boolean',
                description => 'On every node of the cluster that is online, and what they must have in common.',
                optional => 1,
            },
        },
    },
    returns => {
        type => 'array',
        items => {
            type => 'object',
            properties => {
                node => { type => 'string', optional => 1 },
                storage => { type => 'string', optional => 1 },
                check => { type => 'string' },
                outcome => { type => 'string', enum => [qw(ok warn fail skipped)] },
                text => { type => 'string' },
                remedy => { type => 'string', optional => 1 },
            },
        },
    },
    code => sub ($param) {
        my @named = $param->{storage} // ();
        my @sections = chosen_sections(@named);
        return findings(@sections) if !$param->{'all-nodes'};
        my @results = on_every_node(
            sub { findings(@sections) }, ['doctor', map { $_->[0] } @named ? @sections : ()],
            @named ? $sections[0][1]{nodes} : undef,
        );
        return [@results, compare_nodes(@results)];
    },
});

# What stands before it fills 27 of the 80 columns that a terminal has at least.
use constant { MARGIN => 27, TEXT_WIDTH => 52 };

my sub wrapped ($text) {
    my @lines = ('');
    for my $word (split(/ /, $text)) {
        push(@lines, '') if $lines[-1] ne '' && length("$lines[-1] $word") > TEXT_WIDTH;
        $lines[-1] .= $lines[-1] eq '' ? $word : " $word";
    }
    return @lines;
}

my sub subject ($result, $is_cluster) {
    my @parts = (
        defined($result->{node}) ? "node $result->{node}" : (),
        defined($result->{storage}) ? "storage $result->{storage}" : (),
    );
    return @parts ? join(', ', @parts) : $is_cluster ? 'all nodes' : 'this node';
}

my sub text ($results) {
    my $subject = '';
    my $is_cluster = grep { defined($_->{node}) } $results->@*;
    for my $result ($results->@*) {
        my $about = subject($result, $is_cluster);
        if ($about ne $subject) {
            say_line('') if $subject ne '';
            say_line("$about:");
            $subject = $about;
        }
        my ($first, @more) = wrapped($result->{text});
        my $outcome = $result->{outcome} eq 'skipped' ? '-' : $result->{outcome};
        say_line(sprintf('  %-4s %-19s %s', $outcome, $result->{check}, $first));
        say_line(' ' x MARGIN . $_) for @more;
        # In one piece, however long, so that it can be pasted.
        say_line("       > $result->{remedy}") if defined($result->{remedy});
    }
    return;
}

sub show ($result, $schema, $options) {
    print_result($result, $schema, $options, \&text);
    my %seen = map { $_->{outcome} => 1 } $result->@*;
    exit($seen{fail} ? EXIT_FAILED : $seen{warn} ? EXIT_WARNED : EXIT_OK);
}

1;
