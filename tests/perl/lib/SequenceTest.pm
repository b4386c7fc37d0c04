# SPDX-License-Identifier: AGPL-3.0-or-later
# For the sequence_*.t files: Proxmox VE's sequences of calls, once for every version of the API,
# on nodes that have the simulator's namespaces as devices (simulated_node.cc).
package SequenceTest;

use v5.36;

use Exporter qw(import);
use Test::More;

use Guest;
use HookTest qw(PLUGIN scfg dirty said_by error_of put_file set_config is_real_pve load_pve);

our @EXPORT_OK = qw(sequence error_of said_by fails_at);

use constant PASSWORD => 'secret';

my $scratch;
my $sim;

# The module for simulated nodes comes before the one that is shipped.
sub simulator () {
    return $sim if $sim;
    my ($arch) = ($ENV{ONTAP_NODE_ARCH} // '') =~ /\A(.+)\z/;
    plan(skip_all => 'ONTAP_NODE_ARCH does not name the module for simulated nodes') if !$arch;
    plan(skip_all => 'ONTAP_SIM does not name the simulator') if !length($ENV{ONTAP_SIM} // '');
    unshift(@INC, $arch);
    eval { require PVE::Storage::OntapNvmeTcp::Native; 1 }
        or plan(skip_all => "the module for simulated nodes is not built: $@");
    require OntapSim;
    $scratch = $PVE::Storage::OntapNvmeTcp::VolumeName::link_directory =~ s{/dev\z}{}r;
    mkdir("$scratch/array") or die "mkdir: $!\n";
    mkdir("$scratch/array/in-use") or die "mkdir: $!\n";
    $sim = OntapSim->start(state => "$scratch/array");
    $ENV{ONTAP_SIM_CONTROL} = $sim->{control};
    $ENV{ONTAP_SIM_STATE} = "$scratch/array";
    load_pve();
    return $sim;
}

# A real tree of Proxmox VE is one version, the stand-ins are any.
sub versions () {
    return is_real_pve() ? PVE::Storage::APIVER() : (11 .. 15);
}

sub added_storage ($storeid, %more) {
    open(my $handle, '<', $sim->ca()) or die "ca: $!\n";
    local $/;
    put_file("storage/$storeid.ca.pem", readline($handle));
    my $scfg = scfg(
        mgmt_ip => '127.0.0.1:' . $sim->port(),
        vserver => 'svm1',
        subsystem => 'pve',
        aggregate => 'aggr1',
        content => { images => 1, rootdir => 1 },
        %more,
    );
    set_config({ $storeid => $scfg });
    PLUGIN->on_add_hook(dirty($storeid), dirty($scfg), dirty({ password => PASSWORD })->%*);
    return dirty($scfg);
}

# The body of a sequence gets Proxmox VE with its guests (Guest), the storages 'store' (with those
# settings) and 'other' on one array, and the node 'here'. At its end everything that it made must
# be gone again.
sub sequence ($title, $code, %settings) {
    simulator();
    for my $version (versions()) {
        subtest "API $version: $title" => sub {
            no warnings 'once';
            local $PVE::Storage::api_version = $version;
            my $pve = Guest->new(version => $version, sim => $sim, scratch => $scratch);
            $pve->go_to('here');
            $pve->{storages} = {
                store => added_storage('store', %settings),
                other => added_storage('other', storage_prefix => 'o_'),
            };
            my $done = eval { $code->($pve); 1 };
            fail("the sequence ends here; Proxmox VE would report: $@") if !$done;
            $sim->clear_faults();
            leaves_nothing($pve);
        };
    }
    return;
}

# Names of links of any node.
my sub links () { return map { s{.*/(?=dev-)}{}r } glob("$scratch/dev-*/*/*") }

sub leaves_nothing ($pve) {
    my @left = map { $pve->vdisk_list($_)->@* } qw(store other);
    is_deeply(\@left, [], 'every volume that the sequence made is deleted again');
    is_deeply([$sim->orphans()], [], 'nothing half-made is left on the array');
    is_deeply([links()], [], 'no node keeps a link to a device');
    # For the next sequence, when this one broke off.
    my @files = (glob("$scratch/dev-*/*/*"), glob("$scratch/array/in-use/*/*"));
    unlink(map { /\A(.*)\z/ } @files);
    for my $volid (sort { ($a =~ m{/} ? 0 : 1) <=> ($b =~ m{/} ? 0 : 1) } @left) {
        eval { $pve->vdisk_free($volid); 1 } or diag("cannot clean up $volid: $@");
    }
    for my $storeid (qw(store other)) {
        eval { PLUGIN->on_delete_hook(dirty($storeid), $pve->{storages}{$storeid}); 1 }
            or fail("'pvesm remove $storeid' would fail: $@");
    }
    return;
}

# While `$code` runs, the array refuses that request for good. What `$code` dies with.
sub fails_at ($method, $path, $code, $name, %more) {
    $sim->fault(method => $method, path => $path, status => 403, times => -1, %more);
    my $error;
    said_by(sub { $error = error_of($code, $name) });
    $sim->clear_faults();
    return $error;
}

1;
