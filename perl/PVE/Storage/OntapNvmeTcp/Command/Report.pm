# SPDX-License-Identifier: AGPL-3.0-or-later
package PVE::Storage::OntapNvmeTcp::Command::Report;

use v5.36;

use parent qw(PVE::RESTHandler);

use Fcntl qw(O_CREAT O_EXCL O_WRONLY);
use JSON::PP ();
use PVE::JSONSchema;

use PVE::Storage::OntapNvmeTcp::Border qw(native);
use PVE::Storage::OntapNvmeTcp::Checks qw(findings);
use PVE::Storage::OntapNvmeTcp::Command qw(EXIT_OK chosen_sections print_result say_line);
use PVE::Storage::OntapNvmeTcp::Masking qw(masked);
use PVE::Storage::OntapNvmeTcp::NodeFiles qw(line_of output_of);
use PVE::Storage::OntapNvmeTcp::NodePaths qw(paths_of);
use PVE::Storage::OntapNvmeTcp::Version;

=head1 NAME

PVE::Storage::OntapNvmeTcp::Command::Report - what a ticket needs to hold, in one file, without secrets

=cut

__PACKAGE__->register_method({
    name => 'report',
    path => 'report',
    method => 'GET',
    description => 'Writes what helps to find out what is wrong into one file: versions, the sections of the'
        . ' storages, what doctor finds, paths, unfinished work, given disks, messages of the journal.'
        . ' Secrets are masked. Changes nothing on the array.',
    parameters => {
        additionalProperties => 0,
        properties => {
            output => {
                type => 'string',
                description => 'The file, which must not exist yet.',
                optional => 1,
            },
            'extra-args' => PVE::JSONSchema::get_standard_option('extra-args', {
                description => 'Disks to explain: STORAGE:NAME each.',
            }),
        },
    },
    returns => {
        type => 'object',
        properties => {
            file => { type => 'string' },
            contents => {
                type => 'array',
                items => {
                    type => 'object',
                    properties => { part => { type => 'string' }, lines => { type => 'integer' } },
                },
            },
        },
    },
    code => sub ($param) { return _report($param) },
});

use constant JOURNAL_LINES => 500;

my sub as_lines ($data) { return JSON::PP->new->canonical->pretty->encode($data) }

my sub versions {
    return join('', map { "$_->[0]: $_->[1]\n" }
        ['plugin', $PVE::Storage::OntapNvmeTcp::Version::VERSION],
        ['kernel', line_of('/proc/sys/kernel/osrelease') // 'unknown'],
        ['node', line_of('/proc/sys/kernel/hostname') // 'unknown'],
        ['perl', "$^V"],
        ['time', scalar(gmtime()) . ' UTC'],
    ) . output_of('/usr/bin/pveversion', '-v');
}

my sub sections_as_text (@sections) {
    return join("\n", map {
        my ($id, $scfg) = $_->@*;
        "ontapnvme: $id\n" . join('', map {
            my $value = $scfg->{$_};
            $value = join(',', sort(keys($value->%*))) if ref($value) eq 'HASH';
            "\t$_ " . ($value // '') . "\n"
        } grep { $_ ne 'type' } sort(keys($scfg->%*)))
    } @sections);
}

my sub of_library ($section, $call, @arguments) {
    my ($id, $scfg) = $section->@*;
    return { $id => native($id, $scfg, sub ($client, $) { $client->$call(@arguments) }) };
}

# What an examination asks, and what the array answers to each, with the time it took.
my sub requests ($section) {
    my ($id, $scfg) = $section->@*;
    return native($id, $scfg, sub ($client, $) {
        my $done = eval { $client->examine(); 1 };
        my $error = $@;
        my @lines = map { "$_->{level}: $_->{text}\n" } $client->take_log()->@*;
        push(@lines, "it ended with: $error") if !$done;
        return join('', @lines);
    });
}

my sub explained ($volid) {
    my ($id, $volume) = $volid =~ m{\A([^:/]+):(.+)\z} or die "'$volid' is no volume (STORAGE:NAME)\n";
    my ($section) = chosen_sections($id);
    return as_lines(of_library($section, 'explain', $volume));
}

# Name, and what it says; a part that fails says why, and the others are there all the same.
my sub parts (@volids) {
    my @sections = chosen_sections();
    return (
        ['versions', \&versions],
        ['storages', sub { sections_as_text(@sections) }],
        ['doctor', sub { as_lines(findings(@sections)) }],
        ['paths', sub { as_lines({ map { $_->[0] => [paths_of($_->[1])] } @sections }) }],
        (map {
            my $section = $_;
            (
                ["pending of $section->[0]", sub { as_lines(of_library($section, 'pending')) }],
                ["requests to $section->[0]", sub { requests($section) }],
            )
        } @sections),
        (map { my $volid = $_; ["disk $volid", sub { explained($volid) }] } @volids),
        ['kernel', sub { output_of('/usr/sbin/nvme', 'list-subsys') }],
        ['journal', sub {
            output_of('/usr/bin/journalctl', '--no-pager', '--output=short-iso', '--lines=' . JOURNAL_LINES,
                '--grep=ontapnvme|nvme')
        }],
    );
}

sub _report ($param) {
    my @volids = ($param->{'extra-args'} // [])->@*;
    my ($file) = ($param->{output} // sprintf('/root/ontapnvme-report-%d.txt', time())) =~ m{\A(/[^\0]+)\z}
        or die "'$param->{output}' is no absolute path\n";
    my $sections = { map { $_->[0] => $_->[1] } chosen_sections() };
    my (@contents, @texts);
    for my $part (parts(@volids)) {
        my ($name, $tell) = $part->@*;
        my $text = eval { $tell->() } // "could not be found out: $@";
        push(@contents, { part => $name, lines => scalar(my @lines = split(/\n/, $text)) });
        push(@texts, "==== $name\n$text\n");
    }
    my $text = masked(join('', @texts), $sections);
    sysopen(my $handle, $file, O_CREAT | O_EXCL | O_WRONLY, 0600) or die "cannot make '$file': $!\n";
    binmode($handle, ':encoding(UTF-8)');
    print {$handle} $text or die "cannot write '$file': $!\n";
    close($handle) or die "cannot write '$file': $!\n";
    return { file => $file, contents => \@contents };
}

my sub text ($result) {
    say_line(sprintf('%6d lines  %s', $_->{lines}, $_->{part})) for $result->{contents}->@*;
    say_line("in $result->{file}: read it before you give it away");
    return;
}

sub show ($result, $schema, $options) {
    print_result($result, $schema, $options, \&text);
    exit(EXIT_OK);
}

1;
