# SPDX-License-Identifier: AGPL-3.0-or-later
package PVE::Storage::OntapNvmeTcp;

use v5.36;

use Exporter qw(import);

use PVE::Storage::OntapNvmeTcp::ClusterId qw(cluster_id);
use PVE::Storage::OntapNvmeTcp::Error qw(refuse line_about);
use PVE::Storage::OntapNvmeTcp::Messages qw(say_warning say_warning_sometimes say_detail);
use PVE::Storage::OntapNvmeTcp::PrivateFiles qw(ca_file disk_memory_file hosts_directory);
use PVE::Storage::OntapNvmeTcp::Schema;
use PVE::Storage::OntapNvmeTcp::Secrets;
use PVE::Storage::OntapNvmeTcp::Version;
use PVE::Storage::OntapNvmeTcp::VolumeName;

our @EXPORT_OK = qw(with_client check_settings);

=head1 NAME

PVE::Storage::OntapNvmeTcp - the native library, as the storage plugin uses it

=head1 DESCRIPTION

Loading this module loads no native code: a plugin that fails to load loses its sections of
storage.cfg. The library is loaded by the first call that needs it. Storage ids given to these
functions are clean already. Errors are L<PVE::Storage::OntapNvmeTcp::Error> objects; whatever else
is thrown (by a signal handler) passes untouched.

=over

=item with_client($storeid, $scfg, $code, %options)

Calls C<$code> with the client of the storage and returns its scalar result. One client serves a
storage for as long as process, settings and secrets stay the same. What the library has to say comes
out afterwards, also when the call fails. C<< secrets => \%secrets >> uses these instead of the stored
ones and keeps no client; C<< is_poll => 1 >> says a warning once a minute at most.

=item check_settings($storeid, $scfg)

Dies with what is wrong in the settings. Sends nothing.

=back

=cut

use constant NATIVE => 'PVE::Storage::OntapNvmeTcp::Native';

# For tests: more of what surrounds a client (state_directory).
our %surroundings;

my %clients; # storage id => { pid, digest, client }

# The level of the setting `debug` from which on records of a level are shown; warnings always are.
my %shown_from = (trace => 2, debug => 1, info => 1);

my sub load_native {
    my $file = NATIVE =~ s{::}{/}gr . '.pm';
    return if $INC{$file};
    my $loaded = eval { require $file; 1 };
    my $error = $@;
    # Once installed it must load without a restart, and until then fail with the same words.
    delete($INC{$file}) if !$loaded;
    my $version = $PVE::Storage::OntapNvmeTcp::Version::VERSION;
    if (!$loaded) {
        # Perl's own words, without its search path and without the line here.
        my ($reason) =
            $error =~ /\A([^\n]*?)(?: \(you may need [^\n]*| at [^\n]* line [0-9]+\.)?(?:\n|\z)/;
        refuse(
            'unsupported',
            "cannot load the native library: $reason; install the package pve-storage-ontapnvme on"
                . ' this node, in the version for this release of Proxmox VE',
        );
    }
    my $found = NATIVE->VERSION // 'unknown';
    refuse(
        'unsupported',
        "cannot use the native library: it has version $found, the plugin has version $version;"
            . ' install the package pve-storage-ontapnvme again on this node and restart its'
            . ' services',
    ) if $found ne $version;
    return;
}

my sub show_log ($storeid, $scfg, $records, $is_poll) {
    my ($debug) = ($scfg->{debug} // '') =~ /\A([0-9])\z/;
    for my $record ($records->@*) {
        my $text = line_about($storeid, $record->{text});
        if ($record->{level} eq 'warning') {
            $is_poll ? say_warning_sometimes($text) : say_warning($text);
        } elsif (($debug // 0) >= $shown_from{ $record->{level} }) {
            say_detail("$record->{level}: $text");
        }
    }
    return;
}

# The same text for the same settings and secrets, none of which can be read from it.
my sub digest_of (@hashes) {
    require Digest::SHA;
    my $text = '';
    for my $hash (@hashes) {
        for my $key (sort(keys($hash->%*))) {
            $text .= "$key\0" . ($hash->{$key} // '') . "\0";
        }
        $text .= "\0";
    }
    utf8::encode($text);
    return Digest::SHA::sha256_hex($text);
}

my sub surroundings_of ($storeid) {
    my $ca_file = ca_file($storeid);
    return {
        cluster_id => cluster_id(),
        ca_file => -e $ca_file ? $ca_file : undef,
        disk_memory_file => disk_memory_file($storeid),
        link_directory => $PVE::Storage::OntapNvmeTcp::VolumeName::link_directory,
        members_file => '/etc/pve/.members',
        hosts_directory => hosts_directory(),
        lvm_config_file => '/etc/lvm/lvm.conf',
        %surroundings,
    };
}

my sub require_password ($storeid, $secrets) {
    return if length($secrets->{password} // '');
    refuse(
        'invalid-argument',
        "no password is stored; set it with 'pvesm set $storeid --password'",
    );
}

my sub stored_client ($storeid, $scfg) {
    my $settings = PVE::Storage::OntapNvmeTcp::Schema::settings($scfg);
    my $secrets = PVE::Storage::OntapNvmeTcp::Secrets::load($storeid);
    my $around = surroundings_of($storeid);
    my $ca = $around->{ca_file};
    my $ca_state = defined($ca) ? join(',', (stat($ca))[1, 7, 9]) : '';
    my $digest = digest_of($settings, $secrets, $around, { ca => $ca_state });

    my $known = $clients{$storeid};
    return $known->{client} if $known && $known->{pid} == $$ && $known->{digest} eq $digest;
    require_password($storeid, $secrets);
    my $client = NATIVE->new($storeid, $settings, $secrets, $around);
    $clients{$storeid} = { pid => $$, digest => $digest, client => $client };
    return $client;
}

my sub passing_client ($storeid, $scfg, $secrets) {
    require_password($storeid, $secrets);
    my $settings = PVE::Storage::OntapNvmeTcp::Schema::settings($scfg);
    return NATIVE->new($storeid, $settings, $secrets, surroundings_of($storeid));
}

sub with_client ($storeid, $scfg, $code, %options) {
    load_native();
    my $client = $options{secrets}
        ? passing_client($storeid, $scfg, $options{secrets})
        : stored_client($storeid, $scfg);
    my $result;
    my $done = eval { $result = $code->($client); 1 };
    my $error = $@;
    show_log($storeid, $scfg, $client->take_log(), $options{is_poll});
    die $error if !$done;
    return $result;
}

sub check_settings ($storeid, $scfg) {
    load_native();
    my $settings = PVE::Storage::OntapNvmeTcp::Schema::settings($scfg);
    NATIVE->check_settings($storeid, $settings);
    return;
}

1;
