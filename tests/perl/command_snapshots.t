#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;

use JSON::PP qw(decode_json);
use Test::More;

use CommandTest qw(command schema_of schema_faults);

my sub disk ($name, $size_bytes) {
    return {
        volume_name => $name, id => 'id', create_time_s => 1_700_000_000, size_bytes => $size_bytes,
        disk_size_bytes => 2**30,
    };
}
my $own = {
    vmid => 100, array_name => 'pve_snap_s1', name => 's1', shown_as => 's1', kind => 'proxmox',
    create_time_s => 1_700_000_000, locked_until_s => undef, is_on_all_disks => 1,
    disks => [disk('vm-100-disk-0', 2**20), disk('vm-100-disk-1', 2**19)],
};
my $locked = {
    vmid => 100, array_name => 'Anti_ransomware_backup.2023-11-14_2213', name => undef,
    shown_as => '~Anti_ransomware_backup.2023-11-14_2213', kind => 'anti-ransomware',
    create_time_s => 1_700_000_060, locked_until_s => 1_700_043_260, is_on_all_disks => 0,
    disks => [disk('vm-100-disk-1', 0)],
};
my $works = { a => { 'list_vm_snapshots 100' => [$own, $locked] }, b => { list_vm_snapshots => [] } };

my ($text, $code) = command($works, ['snapshots', '100']);
is($text, <<~'END', 'a line for each, with all that is known of it');
    a: 2023-11-14 22:13:20Z  proxmox              1.5 MiB  s1 (pve_snap_s1): all disks
    a: 2023-11-14 22:14:20Z  anti-ransomware      0.0 MiB  Anti_ransomware_backup.2023-11-14_2213: vm-100-disk-1, locked until 2023-11-15 10:14:20Z
    END
is($code, 0, 'and success');

is_deeply([command($works, ['snapshots', 'b', '100'])], ["no snapshots\n", 0], 'none on the storage that is named');

subtest 'as JSON, by its schema' => sub {
    ($text, $code) = command($works, ['snapshots', 'a', '100', '--output-format', 'json']);
    my $result = decode_json($text);
    is_deeply([schema_faults($result, schema_of('snapshots'))], [], 'as the schema says');
    is_deeply([map { $_->{array_name} } $result->@*], [map { $_->{array_name} } $own, $locked], 'both');
    is_deeply($result->[0]{disks}, ['vm-100-disk-0', 'vm-100-disk-1'], 'with the disks');
};

subtest 'a storage that does not answer' => sub {
    my $fails = { $works->%*, b => { die => "storage 'b': no answer [unavailable]\n" } };
    ($text, $code) = command($fails, ['snapshots', '100']);
    like($text, qr/^storage 'b': no answer \[unavailable\]$/m, 'says why');
    like($text, qr/pve_snap_s1/, 'the other one is shown');
    unlike($text, qr/no snapshots/, 'and nobody says that there are none');
    is($code, 1, 'which is a failure');
    ($text, $code) = command({ a => $fails->{b} }, ['snapshots', 'a', '100']);
    unlike($text, qr/no snapshots/, 'nor where it is the only one');
};

my $adopts = {
    a => {
        adopt_snapshot => { create_time_s => 1_700_000_030, is_of_one_moment => 1, locked_until_s => undef },
        'list_vm_snapshots 100' => [$own, { $own->%*, array_name => 'pve_snap_noon', name => 'noon' }],
    },
};
my @adopt = ('snapshots', '100', '--adopt', 'hourly.1', '--name', 'noon', '--yes');
my $disks = '"scsi0":"a:vm-100-disk-0,size=4G","scsi1":"a:vm-100-disk-1","ide2":"a:vm-100-cloudinit,media=cdrom"';
my $line = '"parent":"s2","snapshots":{"s1":{"snaptime":1700000000},'
    . '"s2":{"snaptime":1700000060,"parent":"s1"},"other":{"snaptime":1700000020,"parent":"s1"}}';
$ENV{CONFIG} = "{$disks,$line,\"unused0\":\"a:vm-100-disk-7\"}";
my sub written () { return decode_json($text =~ /^written: (.*)$/m ? $1 : '{}') }

subtest 'one of the array is adopted' => sub {
    ($text, $code) = command($adopts, [@adopt]);
    is($code, 0, 'which works') or diag($text);
    like($text, qr/^task: qmsnapshot 100 root\@pam\nlocked: a\n/m, 'in a task, under the lock of the storage');
    my $conf = written();
    my $section = $conf->{snapshots}{noon};
    is($section->{snaptime}, 1_700_000_030, 'it is of the time at which the array took it');
    is($section->{scsi0}, 'a:vm-100-disk-0,size=4G', 'with the disks of now');
    ok(!exists($section->{unused0}), 'that it is of');
    is($section->{parent}, 's1', 'it comes after what is older');
    is($conf->{snapshots}{s2}{parent}, 'noon', 'and before what is newer');
    is($conf->{snapshots}{other}{parent}, 's1', 'another line is left alone');
    is($conf->{parent}, 's2', 'as is what is now');
    like($text, qr/^a: .*noon \(pve_snap_noon\): all disks$/m, 'it is shown');
    unlike($text, qr/s1 \(pve_snap_s1\)/, 'and no other');
    unlike($text, qr/not of exactly one moment|until/, 'there is nothing to warn of');
};

subtest 'where it comes in the line' => sub {
    my $put = sub ($time_s, $config = $ENV{CONFIG}) {
        local $ENV{CONFIG} = $config;
        my $script = { a => { $adopts->{a}->%*,
            adopt_snapshot => { $adopts->{a}{adopt_snapshot}->%*, create_time_s => $time_s } } };
        ($text, $code) = command($script, [@adopt]);
        return written();
    };
    my $conf = $put->(1_700_000_090);
    is($conf->{parent}, 'noon', 'the newest is before now');
    is($conf->{snapshots}{noon}{parent}, 's2', 'and after the last one');
    $conf = $put->(1_600_000_000);
    ok(!defined($conf->{snapshots}{noon}{parent}), 'the oldest is the first');
    is($conf->{snapshots}{s1}{parent}, 'noon', 'of all');
    $conf = $put->(1_700_000_000, "{$disks}");
    is($conf->{parent}, 'noon', 'a VM without snapshots gets its first');
    ok(!exists($conf->{snapshots}{noon}{parent}), 'which comes after none');
    $conf = $put->(1, "{$disks,\"parent\":\"x\",\"snapshots\":{\"x\":{\"parent\":\"x\",\"snaptime\":5}}}");
    ok($conf->{snapshots}{noon}, 'a circle has an end');
};

subtest 'what the task has to say' => sub {
    my $script = { a => { $adopts->{a}->%*, adopt_snapshot =>
        { create_time_s => 1_700_000_030, is_of_one_moment => 0, locked_until_s => 1_700_043_260 } } };
    ($text, $code) = command($script, [@adopt]);
    is($code, 0, 'is no failure');
    like($text, qr/^its disks are not of exactly one moment/m, 'disks that differ by seconds');
    like($text, qr/from being deleted until 2023-11-15 10:14:20Z, and may remove it/m, 'a lock');
};

subtest 'as JSON, by its schema' => sub {
    ($text, $code) = command($adopts, [@adopt, '--output-format', 'json']);
    my ($json) = $text =~ /^(\[.*)\z/ms;
    my $result = decode_json($json);
    is_deeply([schema_faults($result, schema_of('snapshots'))], [], 'as the schema says');
    is_deeply([map { $_->{name} } $result->@*], ['noon'], 'the one');
};

subtest 'what is refused before anything is asked of the array' => sub {
    my $refused = sub ($config, $expected, @arguments) {
        local $ENV{CONFIG} = $config;
        ($text, $code) = command({ a => {}, b => {} }, [@arguments ? @arguments : @adopt]);
        is($code, 1, 'refused');
        like($text, $expected, 'with the reason');
        unlike($text, qr/^task: /m, 'before a task begins');
    };
    $refused->('{"scsi0":"a:vm-100-disk-0","scsi1":"local:100/x.raw"}',
        qr/its disk 'scsi1' is not on storage 'a', .*'qm disk move'/);
    $refused->('{"scsi0":"a:vm-100-disk-0","scsi1":"b:vm-100-disk-1"}', qr/its disk 'scsi1' is not on storage 'a'/);
    $refused->('{"scsi0":"local:100/x.raw"}', qr/its disk 'scsi0' is on no storage of the type ontapnvme/);
    $refused->($ENV{CONFIG}, qr/its disk 'scsi0' is not on storage 'b'/, 'snapshots', 'b', @adopt[1 .. $#adopt]);
    $refused->('{"ide2":"none,media=cdrom"}', qr/it has no disks/);
    $refused->("{$disks,\"template\":1}", qr/it is a template/);
    $refused->("{$disks,\"lock\":\"backup\"}", qr/VM is locked \(backup\)/);
    $refused->("{$disks,\"snapshots\":{\"noon\":{}}}", qr/VM 100 has a snapshot 'noon' already/);
    $refused->($ENV{CONFIG}, qr/'current' cannot be the name/, 'snapshots', '100', '--adopt', 'x', '--name', 'current');
    $refused->($ENV{CONFIG}, qr/becomes snapshot 'noon' of VM 100.*\n.*--yes/, @adopt[0 .. $#adopt - 1]);
};

subtest 'what fails' => sub {
    ($text, $code) = command({ a => { adopt_snapshot => { die => "storage 'a': no such snapshot [not-found]\n" } } },
        [@adopt]);
    is($code, 1, 'on the array is a failure');
    like($text, qr/^adopting snapshot hourly\.1 for VM 100 failed: storage 'a': no such snapshot/m, 'with the reason');
    unlike($text, qr/^written: /m, 'and the configuration is as it was');
    local $ENV{NO_QUORUM} = 1;
    ($text, $code) = command($adopts, [@adopt]);
    is($code, 1, 'as is a configuration that cannot be written');
    like($text, qr/the array has the snapshot as 'noon', but VM 100 has not: no quorum; repeat/, 'which says so');
};

for my $arguments ([], ['a'], ['99'], ['a', 'b', '100'], ['100', 'a']) {
    ($text, $code) = command($works, ['snapshots', $arguments->@*]);
    like($text, qr/^name the VM by its number: ontapnvme snapshots \[STORAGE\] VMID$/m,
        "'@$arguments' is not understood");
    is($code, 1, 'which is a failure');
}

done_testing();
