# SPDX-License-Identifier: AGPL-3.0-or-later
package PVE::Storage::OntapNvmeTcp::Schema;

use v5.36;

use PVE::Storage::OntapNvmeTcp::Error;
use PVE::Storage::OntapNvmeTcp::Secrets;

=head1 NAME

PVE::Storage::OntapNvmeTcp::Schema - the settings that a storage of the type ontapnvme knows

=head1 DESCRIPTION

Names and shapes only: defaults and rules between settings belong to the library, which checks the
settings as a whole. Properties are global in Proxmox VE; declaring one that another storage type
also declares makes every daemon unloadable. So whatever is declared elsewhere is only listed as an
option.

=over

=item properties($registry, $type)

The properties that neither the base class nor a class of another type declares for everybody.
C<$registry> is what C<< PVE::Storage::Plugin->private() >> returns.

=item options

=item settings($scfg)

A hash reference of what concerns the library, as clean text.

=item setting_names, verified_names, applied_names

The names of the settings that stand in storage.cfg and concern the library; those among them whose
change is worth asking the array about; those whose change also concerns disks that are there.

=back

=cut

my $name = { type => 'string', maxLength => 255 };

my %properties = (
    mgmt_ip => {
        $name->%*,
        description => "Management LIF of the cluster or SVM: address or host name.",
    },
    username => { $name->%*, description => "Account on the array." },
    password => {
        type => 'string',
        maxLength => 256,
        description => "Password of the account. Kept where only root can read it.",
    },
    vserver => { $name->%*, description => "SVM that serves the disks." },
    subsystem => {
        $name->%*,
        description => "NVMe subsystem that all nodes of the cluster share.",
    },
    aggregate => { $name->%*, description => "Aggregate on which disks are created." },
    ontap_portal => {
        $name->%*,
        description => "Data LIF to use instead of those that the array tells.",
    },
    ontap_portal2 => { $name->%*, description => "A second data LIF, for 'ontap_portal'." },
    storage_prefix => {
        type => 'string',
        maxLength => 64,
        description => "What the names of this storage's volumes begin with on the array.",
    },
    snapshot_policy => {
        $name->%*,
        description => "Snapshot policy of the disks' volumes on the array.",
        default => 'none',
    },
    encryption => {
        type => 'boolean',
        description => "Volume encryption on or off; unset, what the aggregate gives.",
    },
    space_reserve => {
        type => 'string',
        enum => ['none', 'volume'],
        description => "Whether disks reserve their space on the aggregate.",
        default => 'none',
    },
    qos_policy => { $name->%*, description => "QoS policy group of the disks." },
    adaptive_qos_policy => {
        $name->%*,
        description => "Adaptive QoS policy group of the disks, instead of 'qos_policy'.",
    },
    snapshot_reserve => {
        type => 'integer',
        minimum => 0,
        maximum => 90,
        description => "Percentage of each volume kept for snapshots.",
        default => 0,
    },
    tiering_policy => {
        type => 'string',
        enum => ['none', 'snapshot_only', 'auto', 'all'],
        description => "Which blocks move to the aggregate's cloud tier.",
    },
    autosize => {
        type => 'boolean',
        description => "Let the array grow a volume whose snapshots need room.",
        default => 1,
    },
    autosize_max_percent => {
        type => 'integer',
        minimum => 105,
        maximum => 1000,
        description => "How far a volume may grow, in percent of its first size.",
        default => 300,
    },
    snapshot_autodelete => {
        type => 'boolean',
        description => "Let the array delete snapshots that Proxmox VE did not make when a volume"
            . " is full.",
        default => 0,
    },
    svm_scoped => {
        type => 'boolean',
        description => "The account belongs to the SVM and sees nothing of the cluster.",
        default => 0,
    },
    svm_capacity => {
        type => 'integer',
        minimum => 1,
        description => "Capacity in GiB to report for an account that cannot see the aggregate.",
    },
    force_delete => {
        type => 'boolean',
        description => "Delete disks at once instead of leaving them to the array's recovery"
            . " queue.",
        default => 0,
    },
    verify_ssl => {
        type => 'boolean',
        description => "Check the array's certificate.",
        default => 1,
    },
    nvme_dhchap_secret => {
        type => 'string',
        maxLength => 256,
        description => "DH-HMAC-CHAP secret by which nodes prove themselves to the subsystem.",
    },
    nvme_dhchap_ctrl_secret => {
        type => 'string',
        maxLength => 256,
        description => "DH-HMAC-CHAP secret by which the subsystem proves itself to nodes.",
    },
    nvme_tls => {
        type => 'boolean',
        description => "Encrypt the NVMe/TCP connections.",
        default => 0,
    },
    nvme_tls_psk => {
        type => 'string',
        maxLength => 256,
        description => "TLS key of the NVMe/TCP connections, in interchange format.",
    },
    debug => {
        type => 'integer',
        minimum => 0,
        maximum => 2,
        description => "How much to say on standard error about what is done.",
        default => 0,
    },
);

my @fixed = qw(mgmt_ip username vserver subsystem aggregate);

# Changes of these mean nothing to the array.
my %local_only = map { $_ => 1 } qw(debug force_delete);

# What the base class declares; later its list also has what the plugins declared, this one's
# included.
my $base_names;
# The last answer, and for which types it was given.
my ($answered_for, $answer);
our $is_asking;

# The names that one plugin declares for everybody.
my sub names_declared_by ($class, $plugindata) {
    my $declared = eval { $class->properties() };
    return if ref($declared) ne 'HASH';
    my $exposed = $plugindata->{'isolate-properties'} ? $plugindata->{'expose-properties'} : 1;
    return grep { ref($exposed) eq 'HASH' ? $exposed->{$_} : $exposed } keys($declared->%*);
}

sub properties ($registry, $type) {
    # A plugin that does as this one does asks back: it is told everything, and gives way.
    return {%properties} if $is_asking;
    local $is_asking = 1;

    my $plugins = $registry->{plugins} // {};
    my @others = grep { $_ ne $type } sort(keys($plugins->%*));
    # The answer must stay what it was: by now another plugin may have taken it into account.
    my $asked_for = join("\0", @others);
    return {%$answer} if defined($answered_for) && $answered_for eq $asked_for;

    $base_names //= { ($registry->{'base-property-list'} // $registry->{propertyList} // {})->%* };
    my %mine = %properties;
    delete(@mine{ keys($base_names->%*) });
    for my $other (@others) {
        my $plugindata = ($registry->{plugindata} // {})->{$other} // {};
        delete(@mine{ names_declared_by($plugins->{$other}, $plugindata) });
    }
    ($answered_for, $answer) = ($asked_for, \%mine);
    return {%mine};
}

sub options {
    my %options = map { $_ => { optional => 1 } } keys(%properties);
    $options{$_} = { fixed => 1 } for @fixed;
    # Proxmox VE's own.
    $options{$_} = { optional => 1 } for qw(content nodes disable shared bwlimit);
    return \%options;
}

sub setting_names {
    my %is_secret = map { $_ => 1 } PVE::Storage::OntapNvmeTcp::Secrets::names();
    return grep { !$is_secret{$_} } sort(keys(%properties));
}

sub settings ($scfg) {
    my %settings;
    for my $key (setting_names()) {
        next if !defined($scfg->{$key});
        # Taken as it is, minus what storage.cfg cannot hold; the library says what is wrong with
        # it.
        my ($value) = $scfg->{$key} =~ /\A([^\x00-\x1f\x7f]*)\z/;
        die PVE::Storage::OntapNvmeTcp::Error->new(
            'invalid-argument', "cannot use setting '$key': it must be one line of text",
        ) if !defined($value);
        # storage.cfg holds bytes, the API hands over characters: either way these are characters
        # now.
        utf8::decode($value);
        $settings{$key} = $value;
    }
    return \%settings;
}

sub verified_names {
    return grep { !$local_only{$_} } setting_names();
}

sub applied_names {
    return qw(snapshot_policy snapshot_autodelete qos_policy adaptive_qos_policy);
}

1;
