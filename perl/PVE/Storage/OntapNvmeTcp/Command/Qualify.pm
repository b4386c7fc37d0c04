# SPDX-License-Identifier: AGPL-3.0-or-later
package PVE::Storage::OntapNvmeTcp::Command::Qualify;

use v5.36;

use parent qw(PVE::RESTHandler);

use JSON::PP ();
use POSIX qw(strftime);
use PVE::RPCEnvironment;

use PVE::Storage::OntapNvmeTcp::Border qw(native);
use PVE::Storage::OntapNvmeTcp::Command qw(
    EXIT_OK EXIT_WARNED chosen_sections complete_storages confirm print_result run_task say_error say_line
    under_storage_lock
);
use PVE::Storage::OntapNvmeTcp::NodeFiles qw(value_of);
use PVE::Storage::OntapNvmeTcp::PrivateFiles qw(array_file array_files read_document set_document);

=head1 NAME

PVE::Storage::OntapNvmeTcp::Command::Qualify - how an array behaves where its documentation leaves it open

=head1 DESCRIPTION

Each probe holds the lock of the storage by itself, so that other tasks have their turn between two of them.
What was found out is kept for all nodes, by SVM and release.

=cut

# What is kept of one SVM: older releases tell what an upgrade changed.
use constant RELEASES_MAX => 4;

use constant RELEASE_UNKNOWN => 'unknown';

__PACKAGE__->register_method({
    name => 'qualify',
    path => 'qualify',
    method => 'POST',
    description => 'Tries on the array, with small scratch objects that no host is shown, how it behaves where its'
        . ' documentation leaves that open, and whether the account can do what the plugin needs.',
    parameters => {
        additionalProperties => 0,
        properties => {
            storage => {
                type => 'string',
                description => 'The storage whose array is tried.',
                completion => \&complete_storages,
            },
            show => {
                type => 'boolean',
                description => 'Show what the last run has found out, and ask the array nothing.',
                optional => 1,
            },
            yes => { type => 'boolean', description => 'Do not ask before it begins.', optional => 1 },
        },
    },
    returns => {
        type => 'object',
        properties => {
            storage => { type => 'string' },
            svm_uuid => { type => 'string' },
            release => { type => 'string' },
            asked_at_s => { type => 'integer' },
            release_now => { type => 'string', optional => 1 },
            probes => {
                type => 'array',
                items => {
                    type => 'object',
                    properties => {
                        probe => { type => 'string' },
                        question => { type => 'string' },
                        position => { type => 'string' },
                        detail => { type => 'string', optional => 1 },
                    },
                },
            },
        },
    },
    code => sub ($param) {
        my ($chosen) = chosen_sections($param->{storage});
        my ($id, $scfg) = $chosen->@*;
        _qualify($id, $scfg, $param->{yes}) if !$param->{show};
        return _kept($id, $scfg, $param->{show});
    },
});

# ---- what is kept

my sub clean_uuid ($text) {
    return $text =~ /\A([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\z/ ? $1
        : die "the array told no UUID of its SVM\n";
}

# The document of an SVM; undef where there is none, or one that cannot be read.
my sub load ($file) {
    my $text = read_document($file) // return undef;
    my $document = eval { JSON::PP->new->decode($text) };
    return ref($document) eq 'HASH' && ref($document->{releases}) eq 'HASH'
        && ref($document->{releases}{ $document->{latest} // '' }) eq 'HASH' ? $document : undef;
}

my sub keep ($scfg, $findings) {
    my $svm_uuid = clean_uuid($findings->[0]{svm_uuid});
    my $release = $findings->[0]{release} // RELEASE_UNKNOWN;
    die "the array was replaced or updated meanwhile\n"
        if grep { $_->{svm_uuid} ne $svm_uuid || ($_->{release} // RELEASE_UNKNOWN) ne $release } $findings->@*;
    my $releases = (load(array_file($svm_uuid)) // {})->{releases} // {};
    $releases->{$release} = {
        asked_at_s => time(),
        probes => [map {
            my $one = $_;
            +{ map { defined($one->{$_}) ? ($_ => "$one->{$_}") : () } qw(probe question position detail) }
        } $findings->@*],
    };
    my @others = sort { $releases->{$b}{asked_at_s} <=> $releases->{$a}{asked_at_s} }
        grep { $_ ne $release } keys($releases->%*);
    delete($releases->@{ splice(@others, RELEASES_MAX - 1) }) if @others >= RELEASES_MAX;
    set_document(array_file($svm_uuid), JSON::PP->new->canonical->ascii->encode({
        svm_uuid => $svm_uuid,
        svm => $scfg->{vserver},
        address => $scfg->{mgmt_ip},
        releases => $releases,
        latest => $release,
    }));
    return;
}

# As this node remembers it: nobody is asked.
my sub release_now ($id) {
    my $release = value_of("/run/ontapnvme/$id.facts", 'release') // '';
    return $release =~ /\A([0-9]+(?:\.[0-9]+){2})\z/ ? $1 : undef;
}

# What was just asked of the array the node need not have noticed yet.
sub _kept ($id, $scfg, $is_old) {
    for my $file (array_files()) {
        my $document = load($file) // next;
        next if ($document->{svm} // '') ne $scfg->{vserver} || ($document->{address} // '') ne $scfg->{mgmt_ip};
        my $release = $document->{latest};
        my $findings = $document->{releases}{$release};
        my $now = $is_old ? release_now($id) : undef;
        return {
            storage => $id,
            svm_uuid => $document->{svm_uuid},
            release => $release,
            asked_at_s => $findings->{asked_at_s} + 0,
            probes => $findings->{probes},
            defined($now) && $now ne $release ? (release_now => $now) : (),
        };
    }
    die "nothing is known yet of the array of storage '$id': ontapnvme qualify $id\n";
}

# ---- the run

my sub line_of_finding ($finding) {
    my $line = sprintf('%-26s %-14s %s', $finding->@{qw(probe position question)});
    return $line . (length($finding->{detail} // '') ? " ($finding->{detail})" : '');
}

sub _qualify ($id, $scfg, $is_agreed) {
    # Only here: showing needs none of it.
    require PVE::Tools;
    my $probes = native($id, $scfg, sub ($client, $) { $client->probes() });
    my $name = ($scfg->{storage_prefix} // '') . 'pve_probe_...';
    confirm(scalar($probes->@*) . " probes make scratch objects '$name' on the array, thin and of at most 200 MiB,"
        . ' and take them away again.', $is_agreed);
    my $environment = PVE::RPCEnvironment::get();
    run_task("qualifying the array of storage '$id'", sub {
        return $environment->fork_worker('ontapnvmequalify', $id, $environment->get_user(), sub {
            my @findings;
            for my $probe (map { $_->{probe} } $probes->@*) {
                my $finding = under_storage_lock($id, $scfg, sub ($client, $) {
                    return $client->run_probe($probe);
                });
                my $line = line_of_finding($finding);
                utf8::encode($line);
                print "$line\n";
                push(@findings, $finding);
            }
            keep($scfg, \@findings);
        });
    });
    return;
}

# ---- showing

my sub text ($result) {
    say_line("SVM $result->{svm_uuid}, ONTAP $result->{release}, asked "
        . strftime('%Y-%m-%d %H:%M:%SZ', gmtime($result->{asked_at_s})));
    say_line(line_of_finding($_)) for $result->{probes}->@*;
    return;
}

sub show ($result, $schema, $options) {
    print_result($result, $schema, $options, \&text);
    exit(EXIT_OK) if !defined($result->{release_now});
    say_error("this node knows the array as ONTAP $result->{release_now} by now, which may behave otherwise:"
        . " ontapnvme qualify $result->{storage}");
    exit(EXIT_WARNED);
}

1;
