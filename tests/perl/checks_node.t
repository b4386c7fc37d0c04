#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;

use Test::More;

use HookTest qw(put_file priv_dir);
use NodeTree qw(healthy_node write_node remove_node link_node);
use PVE::Storage::OntapNvmeTcp::Checks::Node qw(node_checks);

my $good_lvm = qq{global_filter=["r|/dev/zd.*|","r|/dev/disk/by-ontapnvme/.*|"]\n};
my $lvm = $good_lvm;
$PVE::Storage::OntapNvmeTcp::Checks::Node::lvm_settings = sub { return $lvm };

my sub complaints (@results) {
    return { map { $_->{outcome} =~ /\A(?:warn|fail)\z/ ? ($_->{check} => $_->{outcome}) : () } @results };
}

healthy_node();
my @healthy = node_checks();
is_deeply(complaints(@healthy), {}, 'a healthy node gives no warning');
is(scalar(grep { $_->{outcome} ne 'ok' } @healthy), 0, 'and nothing is skipped');
my @checks = map { $_->{check} } @healthy;

# What is broken, which check complains, how, and a part of the remedy.
my $units = '/usr/lib/systemd/system';
my $version = $PVE::Storage::OntapNvmeTcp::Native::VERSION;
my @breaks = (
    ['plugin', 'fail', qr/reinstall/, sub { $PVE::Storage::OntapNvmeTcp::Native::VERSION = '1.9.9' }],
    ['kernel', 'warn', qr/upgrade/, sub { write_node('/proc/sys/kernel/osrelease', '5.15.1-pve') }],
    ['kernel', 'warn', qr/uname/, sub { remove_node('/proc/sys/kernel/osrelease') }],
    ['nvme-tcp', 'fail', qr/modprobe nvme-tcp/, sub {
        remove_node('/sys/module/nvme_tcp/initstate');
        remove_node('/sys/module/nvme_tcp');
    }],
    ['multipath', 'fail', qr/nvme_core\.multipath/, sub {
        write_node('/sys/module/nvme_core/parameters/multipath', 'N');
    }],
    ['host-nqn', 'fail', qr/gen-hostnqn/, sub { remove_node('/etc/nvme/hostnqn') }],
    ['host-nqn', 'fail', qr/gen-hostnqn/, sub { write_node('/etc/nvme/hostnqn', '') }],
    ['host-id', 'fail', qr/uuidgen/, sub { write_node('/etc/nvme/hostid', 'mine') }],
    ['module-at-boot', 'fail', qr/reinstall/, sub {
        remove_node('/usr/lib/modules-load.d/ontapnvme.conf');
    }],
    ['module-at-boot', 'warn', qr{rm /etc/modules-load}, sub {
        link_node('/etc/modules-load.d/ontapnvme.conf', '/dev/null');
    }],
    ['udev-hiding', 'fail', qr/reinstall/, sub {
        remove_node('/usr/lib/udev/rules.d/63-ontapnvme.rules');
    }],
    ['udev-hiding', 'warn', qr/diff/, sub { write_node('/etc/udev/rules.d/63-ontapnvme.rules', '#') }],
    ['udev-io-policy', 'warn', qr{rm /etc/udev}, sub {
        link_node('/etc/udev/rules.d/72-ontapnvme-iopolicy.rules', '/dev/null');
    }],
    ['connect-unit', 'fail', qr/reinstall/, sub { remove_node("$units/ontapnvme-connect.service") }],
    ['connect-unit', 'warn', qr/systemctl unmask/, sub {
        link_node('/etc/systemd/system/ontapnvme-connect.service', '/dev/null');
    }],
    ['connect-unit', 'warn', qr{apt install --reinstall}, sub {
        remove_node("$units/multi-user.target.wants/ontapnvme-connect.service");
    }],
    ['lvm', 'warn', qr{"r\|/dev/disk/by-ontapnvme/\.\*\|","r\|/dev/nbd}, sub {
        $lvm = qq{global_filter=["r|/dev/nbd.*|"]\n};
    }],
    ['lvm', 'warn', qr/by-ontapnvme/, sub { $lvm = '' }],
    ['cluster-id', 'fail', qr/ontapnvme-cluster-id/, sub { put_file('ontapnvme-cluster-id', "no UUID\n") }],
);
my %broken;
for my $break (@breaks) {
    my ($check, $outcome, $remedy, $do) = $break->@*;
    healthy_node();
    $PVE::Storage::OntapNvmeTcp::Native::VERSION = $version;
    $lvm = $good_lvm;
    unlink(priv_dir() . '/ontapnvme-cluster-id');
    $do->();
    my @results = node_checks();
    is_deeply(complaints(@results), { $check => $outcome }, "$check complains, and nothing else");
    my ($result) = grep { $_->{check} eq $check } @results;
    like($result->{remedy} // '', $remedy, 'with what to do');
    is_deeply([map { $_->{check} } @results], \@checks, 'among the same checks');
    $broken{$check} = 1;
}
is_deeply([sort(keys(%broken))], [sort(@checks)], 'each check has been broken');

unlink(priv_dir() . '/ontapnvme-cluster-id');
for my $kept (undef, "use_devicesfile=1\n", qq{filter=["a|/dev/sda.*|","r|.*|"]\n},
    qq{global_filter="r|/dev/nvme.*|"\n}) {
    healthy_node();
    $lvm = $kept;
    is_deeply(complaints(node_checks()), {}, 'LVM stays out: ' . ($kept // 'there is none') =~ s/\n//r);
}

done_testing();
