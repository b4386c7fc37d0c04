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
my sub deleted ($volume, %more) {
    return { volume_name => $volume, vmid => 100, queued_as => 'vm_100_disk_0_1001', %more };
}

my ($text, $code);

subtest 'the list' => sub {
    my $now_s = time();
    my $script = {
        a => { list_deleted => [
            deleted('vm-100-disk-0', deleted_at_s => $now_s - 3600, kept_until_s => $now_s + 11 * 3600 + 90),
            deleted('vm-100-disk-1', deleted_at_s => $now_s - 86_400, kept_until_s => $now_s - 43_200),
            deleted('vm-100-disk-2'),
            deleted('vm-100-disk-2', queued_as => 'vm_100_disk_2_1009'),
        ] },
        b => { die => "storage 'b': no [permission-denied]\n" },
    };
    ($text, $code) = command($script, ['undelete', 'a']);
    is($code, 0, 'is no complaint');
    like($text, qr/^a:vm-100-disk-0, deleted [0-9-]+ [0-9:]+Z, stays for 11 h 1 min$/m, 'says how long one stays');
    like($text, qr/^    > ontapnvme undelete a:vm-100-disk-0$/m, 'and how it comes back');
    like($text, qr/^a:vm-100-disk-1, .*may be gone at any time$/m, 'that its time is over');
    like($text, qr/^a:vm-100-disk-2, it is not known for how long it stays$/m, 'what the array does not tell');
    like($text, qr/undelete a:vm-100-disk-2 --queued-as vm_100_disk_2_1009$/m, 'and which of two it is');

    my ($json) = command($script, ['undelete', 'a', '--output-format', 'json']);
    my $result = decode_json($json);
    is_deeply([schema_faults($result, schema_of('undelete'))], [], 'as JSON it is as the schema says');
    is($result->{deleted}[0]{queued_as}, 'vm_100_disk_0_1001', 'with its name of the queue');
    ($text, $code) = command($script, ['undelete']);
    is($code, 1, 'a storage that cannot be asked is a failure');
    like($text, qr/permission-denied/, 'which is told');
    like($text, qr/vm-100-disk-0/, 'beside what is known');
    ($text, $code) = command({ a => { list_deleted => [] } }, ['undelete', 'a']);
    is($text, "nothing in the recovery queue has a name of these storages\n", 'or there is none');
};

my sub script (%more) {
    return { a => {
        'undelete vm-100-disk-0' => 'vm-100-disk-0', 'info vm-100-disk-0' => { volume_name => 'vm-100-disk-0' }, %more,
    } };
}
my @verb = ('undelete', 'a:vm-100-disk-0', '--yes');

subtest 'a disk of a VM that is here' => sub {
    my $cluster = guest_files('pve1/qemu-server/100.conf' => "name: web\n");
    local $ENV{CLUSTER} = $cluster;
    ($text, $code) = command(script(), \@verb);
    is($code, 0, 'comes back') or diag($text);
    like($text, qr/^task: ontapnvmeundelete 100 root\@pam\nlocked: a\n/m, 'in a task, under the lock of the storage');
    like($text, qr/^a:vm-100-disk-0 is back: guest 100 has it as unused0$/m, 'as an unused disk');
    is(config_of($cluster, 100), "name: web\nunused0: a:vm-100-disk-0\n", 'of its VM');
    ($text, $code) = command(script(), [@verb, '--output-format', 'json']);
    my ($json) = $text =~ /^(\{.*)\z/ms;
    my $result = decode_json($json);
    is_deeply([schema_faults($result, schema_of('undelete'))], [], 'as JSON it is as the schema says');
    is_deeply($result, { volume => 'a:vm-100-disk-0', vmid => 100, slot => 'unused0' }, 'done again it is the same');
};

subtest 'a disk that its VM has still' => sub {
    my $cluster = guest_files('pve1/qemu-server/100.conf' => "scsi0: a:vm-100-disk-0,size=4G\n");
    local $ENV{CLUSTER} = $cluster;
    ($text, $code) = command(script(), \@verb);
    like($text, qr/^a:vm-100-disk-0 is back: guest 100 has it as scsi0$/m, 'is not entered twice');
    is(config_of($cluster, 100), "scsi0: a:vm-100-disk-0,size=4G\n", 'in the configuration');
};

subtest 'where it cannot be entered' => sub {
    local $ENV{CLUSTER} = guest_files('pve1/qemu-server/100.conf' => "full: 1\n");
    ($text, $code) = command(script(), \@verb);
    is($code, 0, 'the disk is back');
    like($text, qr/^it could not be entered in the configuration of guest 100: Too many unused/m, 'the task says why');
    like($text, qr/^    > on node pve1: qm disk rescan --vmid 100$/m, 'and what remains to be done is told');
    local $ENV{CLUSTER} = guest_files('pve1/qemu-server/100.conf' => "lock: clone\n");
    ($text) = command(script(), \@verb);
    like($text, qr/^it could not be entered in the configuration of guest 100: VM is locked \(clone\)/m,
        'a task that has the guest would write over it');
    for my $case ([101, 'on node pve2: pct rescan --vmid 101'],
        [200, 'there is no guest 200: restore or create it, then: qm disk rescan --vmid 200']) {
        my ($vmid, $remedy) = $case->@*;
        my $name = "vm-$vmid-disk-0";
        ($text) = command(
            { a => { "undelete $name" => $name, "info $name" => { volume_name => $name } } },
            ['undelete', "a:$name", '--yes']);
        like($text, qr/^a:\Q$name\E is back\n    > \Q$remedy\E$/m, "guest $vmid");
    }
    ($text) = command(
        { a => { 'undelete vm-100-state-s' => 'vm-100-state-s', 'info vm-100-state-s' => { volume_name => 'vm-100-state-s' } } },
        ['undelete', 'a:vm-100-state-s', '--yes']);
    unlike($text, qr/could not be entered/, 'RAM of a snapshot is no disk');
};

subtest 'which one of several' => sub {
    local $ENV{CLUSTER} = guest_files('pve1/qemu-server/100.conf' => "name: web\n");
    my $script = script('undelete vm-100-disk-0' => { die => "no\n" }, 'undelete vm-100-disk-0 q_1' => 'vm-100-disk-0');
    ($text, $code) = command($script, [@verb, '--queued-as', 'q_1']);
    is($code, 0, 'is said to the library');
};

subtest 'what is refused' => sub {
    local $ENV{CLUSTER} = guest_files('pve1/qemu-server/100.conf' => "name: web\n");
    ($text, $code) = command(script('undelete vm-100-disk-0' => { die => "storage 'a': taken [already-exists]\n" }), \@verb);
    is($code, 1, 'what the library refuses');
    like($text, qr/bringing back a:vm-100-disk-0 failed: storage 'a': taken \[already-exists\]$/m, 'is told');
    unlike(config_of($ENV{CLUSTER} =~ /\A(.*)\z/, 100), qr/unused/, 'and nothing is entered');
    for my $arguments (['a:x'], ['local:vm-100-disk-0'], ['a:vm-100-disk-0', '--queued-as', 'a b']) {
        ($text, $code) = command(script(), ['undelete', $arguments->@*, '--yes']);
        is($code, 1, "$arguments->[-1]");
        unlike($text, qr/^task:/m, 'begins no task');
    }
    ($text, $code) = command(script(), ['undelete', 'a:vm-100-disk-0']);
    like($text, qr/say so with --yes/, 'it has to be agreed to');
    unlike($text, qr/^task:/m, 'before anything is done');
};

done_testing();
