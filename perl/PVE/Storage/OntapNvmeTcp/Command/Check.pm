# SPDX-License-Identifier: AGPL-3.0-or-later
package PVE::Storage::OntapNvmeTcp::Command::Check;

use v5.36;

use parent qw(PVE::RESTHandler);

use PVE::Storage::OntapNvmeTcp::Checks qw(findings);
use PVE::Storage::OntapNvmeTcp::Command qw(chosen_sections print_result say_line storage_parameter);

=head1 NAME

PVE::Storage::OntapNvmeTcp::Command::Check - what the doctor finds, as monitoring systems read it

=head1 DESCRIPTION

By the Monitoring Plugins' guidelines: one line with performance data, the exit code, and then the
lines of what complains.

=cut

use constant { OK => 0, WARNING => 1, CRITICAL => 2, UNKNOWN => 3 };
use constant WORDS => qw(OK WARNING CRITICAL UNKNOWN);

__PACKAGE__->register_method({
    name => 'check',
    path => 'check',
    method => 'GET',
    description => 'The same checks as doctor, in one line and with the exit codes that monitoring systems'
        . ' expect. Changes nothing.',
    parameters => { additionalProperties => 0, properties => { storage => storage_parameter() } },
    returns => {
        type => 'object',
        properties => {
            state => { type => 'string', enum => [WORDS] },
            summary => { type => 'string' },
            counts => {
                type => 'object',
                properties => { map { $_ => { type => 'integer' } } qw(ok warn fail skipped) },
            },
            problems => { type => 'array', items => { type => 'string' } },
        },
    },
    code => sub ($param) {
        my $findings = eval { findings(chosen_sections($param->{storage} // ())) };
        return {
            state => 'UNKNOWN', summary => $@ =~ s/\n\z//r, problems => [],
            counts => { map { $_ => 0 } qw(ok warn fail skipped) },
        } if !$findings;
        my %counts = map { $_ => 0 } qw(ok warn fail skipped);
        $counts{ $_->{outcome} }++ for $findings->@*;
        my @problems = map {
            my $about = defined($_->{storage}) ? "storage $_->{storage}" : 'this node';
            "$_->{outcome}: $about: $_->{check}: $_->{text}"
        } sort { $a->{outcome} cmp $b->{outcome} } grep { $_->{outcome} =~ /\A(?:warn|fail)\z/ } $findings->@*;
        my $state = (WORDS)[$counts{fail} ? CRITICAL : $counts{warn} ? WARNING : OK];
        return {
            state => $state,
            summary => @problems ? $problems[0] =~ s/\A\w+: //r : "$counts{ok} checks",
            counts => \%counts,
            problems => \@problems,
        };
    },
});

# A bar begins the performance data, wherever it stands.
my sub without_bars ($text) { return $text =~ tr{|}{/}r }

my sub text ($result) {
    my $data = join(' ', map { "$_=$result->{counts}{$_}" } qw(ok warn fail skipped));
    my @more = $result->{problems}->@*;
    my $others = @more > 1 ? ' (and ' . (@more - 1) . ' more)' : '';
    say_line("ONTAPNVME $result->{state} - " . without_bars($result->{summary}) . "$others | $data");
    say_line(without_bars($_)) for @more;
    return;
}

sub show ($result, $schema, $options) {
    print_result($result, $schema, $options, \&text);
    my %code;
    @code{ (WORDS) } = (OK, WARNING, CRITICAL, UNKNOWN);
    exit($code{ $result->{state} });
}

1;
