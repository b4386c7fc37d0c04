#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;

use JSON::PP qw(decode_json);
use Test::More;

use CommandTest qw(command guest_files put_module schema_of schema_faults);

# The guests of the cluster; a configuration is a file that the test made.
put_module('PVE/Cluster.pm', <<~'END');
    package PVE::Cluster;
    sub get_vmlist { return { ids => {
        100 => { node => 'pve1', type => 'qemu' }, 101 => { node => 'pve2', type => 'lxc' },
    } } }
    1;
    END
my sub config_of ($cluster, $vmid) {
    open(my $file, '<', "$cluster/nodes/pve1/qemu-server/$vmid.conf") or die "no $vmid: $!\n";
    return join('', readline($file));
}
my ($path, $text, $code) = ('/vol/oracle/oracle');
my @verb = ('adopt', 'a', '--namespace', $path, '--vmid', 100);
my $found = { volume_name => undef, size_bytes => 2**31, remarks => ['3 snapshots come along'] };
my $after = { volume_name => 'vm-100-disk-0', size_bytes => 2**31, remarks => [] };
my sub script (%more) {
    return { a => { "examine_for_adoption $path 0 100" => $after, "adopt $path 0 100" => 'vm-100-disk-0', %more } };
}

subtest 'a namespace for a VM that is here' => sub {
    my $cluster = guest_files('pve1/qemu-server/100.conf' => "name: web\n");
    local $ENV{CLUSTER} = $cluster;
    ($text, $code) = command(script(), [@verb, '--yes']);
    is($code, 0, 'is adopted') or diag($text);
    like($text, qr/^task: ontapnvmeadopt 100 root\@pam\nlocked: a\n/m, 'in a task, under the lock of the storage');
    like($text, qr/^a:vm-100-disk-0 is adopted: guest 100 has it as unused0$/m, 'as an unused disk');
    is(config_of($cluster, 100), "name: web\nunused0: a:vm-100-disk-0\n", 'of its VM');
    ($text, $code) = command(script(), [@verb, '--yes', '--output-format', 'json']);
    my ($json) = $text =~ /^(\{.*)\z/ms;
    my $result = decode_json($json);
    is_deeply([schema_faults($result, schema_of('adopt'))], [], 'as JSON it is as the schema says');
    is_deeply($result, { volume => 'a:vm-100-disk-0', vmid => 100, slot => 'unused0' }, 'done again it is the same');
};

subtest 'a guest that is elsewhere' => sub {
    local $ENV{CLUSTER} = guest_files();
    my $script = { a => {
        "examine_for_adoption $path 0 101" => { $after->%*, volume_name => 'vm-101-disk-0' },
        "adopt $path 0 101" => 'vm-101-disk-0',
    } };
    ($text, $code) = command($script, [@verb[0 .. 4], 101, '--yes']);
    is($code, 0, 'gets it');
    like($text, qr/^a:vm-101-disk-0 is adopted\n    > on node pve2: pct rescan --vmid 101$/m, 'and how is told');
};

subtest 'the question' => sub {
    local $ENV{CLUSTER} = guest_files('pve1/qemu-server/100.conf' => "name: web\n");
    ($text, $code) = command(script("examine_for_adoption $path 0 100" => $found), \@verb);
    is($code, 1, 'must be agreed to');
    like($text, qr/^Namespace \Q$path\E, 2\.00 GiB, becomes an unused disk of guest 100, where it is\.$/m, 'says what');
    like($text, qr/^  - 3 snapshots come along$/m, 'and what comes along');
    unlike($text, qr/^task:/m, 'before anything is done');
    ($text) = command({ a => { "examine_for_adoption $path 1 100" => $found } },
        ['adopt', 'a', '--lun', $path, '--vmid', 100]);
    like($text, qr/^  - The array converts it .*A way back is an operation of the array only/m, 'of a LUN what that means');
    ($text) = command(script(), \@verb);
    like($text, qr/is disk a:vm-100-disk-0 already/, 'that it is a disk by now');
};

subtest 'what is refused' => sub {
    local $ENV{CLUSTER} = guest_files('pve1/qemu-server/100.conf' => "name: web\n");
    my $mapped = { die => "storage 'a': it is mapped [busy]\n" };
    ($text, $code) = command(script("examine_for_adoption $path 0 100" => $mapped), [@verb, '--yes']);
    is($code, 1, 'what the library refuses');
    like($text, qr/^storage 'a': it is mapped \[busy\]$/m, 'is told');
    unlike($text, qr/^task:/m, 'and nothing begun');
    ($text, $code) = command(script("adopt $path 0 100" => $mapped), [@verb, '--yes']);
    is($code, 1, 'what fails in the task');
    like($text, qr/adopting \Q$path\E failed: storage 'a': it is mapped \[busy\]$/m, 'is told too');
    for my $case (
        [[], 'neither'], [['--namespace', $path, '--lun', $path], 'both'], [['--namespace', 'oracle'], 'no path'],
        [['--lun', '/vol/a*/b'], 'a pattern'], [['--lun', "/vol/a/b\nc"], 'a line break'],
    ) {
        my ($what, $name) = $case->@*;
        ($text, $code) = command(script(), ['adopt', 'a', $what->@*, '--vmid', 100, '--yes']);
        is($code, 1, $name);
        like($text, qr/say what is to be adopted|is no path of the array/, 'is explained');
    }
};

done_testing();
