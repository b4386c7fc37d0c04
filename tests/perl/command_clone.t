#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;

use JSON::PP qw(decode_json);
use Test::More;

use CommandTest qw(command put_module schema_of schema_faults);

# Proxmox VE's task, as far as a verb can tell it from the real one: it activates the sources, copies
# each drive with a sub of its own, and frees what was made when that fails. It says what it did.
put_module('PVE/API2/Qemu.pm', <<~'END');
    package PVE::API2::Qemu;
    use PVE::INotify;
    use PVE::QemuConfig;
    use PVE::QemuServer;
    use PVE::Storage;
    use PVE::Tools;
    my $upid = 'UPID:1';
    sub clone_vm {
        my ($class, $param) = @_;
        print join(' ', 'task:', map { "$_=$param->{$_}" } sort(keys($param->%*))), "\n";
        my $conf = PVE::QemuConfig->load_config($param->{vmid});
        $conf = $conf->{snapshots}{ $param->{snapname} } if $param->{snapname};
        my @made;
        my $done = eval {
            my @slots = grep { PVE::QemuServer::is_valid_drivename($_) } sort(keys($conf->%*));
            my %drives = map { $_ => PVE::QemuServer::parse_drive($_, $conf->{$_}) } @slots;
            PVE::Storage::activate_volumes({}, [map { $_->{file} } values(%drives)], $param->{snapname});
            for my $slot (@slots) {
                my $source = { vmid => $param->{vmid}, drivename => $slot, drive => $drives{$slot} };
                my $new = PVE::QemuServer::clone_disk({}, $source, {}, $param->{full}, \@made);
                print join(' ', "config: $slot", map { "$_=$new->{$_}" } sort(keys($new->%*))), "\n";
            }
            1;
        };
        print "freed: @made\n" if !$done;
        $PVE::Tools::status = $done ? 'OK' : "clone failed: $@" =~ s/\n//r;
        return $upid;
    }
    1;
    END

# The library: two disks of VM 100 are cloned by one call, and how far the array is.
my sub progress ($percent) { return [{ volume_name => 'vm-200-disk-0', has_begun => 1, percent => $percent }] }
my sub storage (%more) {
    return {
        told => { marking => 1, clone_vm => 1 }, clone_vm => ['vm-200-disk-0'],
        'clone_vm vm-100-disk-0 vm-100-disk-1 200' => ['vm-200-disk-0', 'vm-200-disk-1'],
        copy_progress => progress(0), %more,
    };
}
my sub clone (%more) {
    my ($options, $a, $b) = map { $_ // [] } @more{qw(options a b)};
    return command({ a => storage($a->@*), b => storage($b->@*) }, ['clone', '100', '200', $options->@*]);
}

my $config = '{"name":"web","scsi0":"a:vm-100-disk-0,cache=none","scsi1":"a:vm-100-disk-1,format=raw",'
    . '"ide2":"local:iso/x.iso,media=cdrom","net0":"virtio=AA:BB",'
    . '"snapshots":{"s1":{"scsi0":"a:vm-100-disk-0"}}}';
my $cloud_init = $config =~ s/"ide2":"[^"]*"/"ide2":"a:vm-100-cloudinit,media=cdrom"/r;
$ENV{CONFIG} = $config =~ s/"ide2":"[^"]*",//r;

my ($text, $code) = clone(options => ['--name', 'copy']);
is($code, 0, 'a VM is cloned');
is(scalar(() = $text =~ /^called: clone_vm /mg), 1, 'by one call, so that all disks are of one moment');
like($text, qr/^task: full=1 name=copy newid=200 node=pve1 vmid=100$/m, 'in a task of Proxmox VE');
like($text, qr/^locked: a\nmarking: a\ncalled: clone_vm vm-100-disk-0 vm-100-disk-1 200$/m,
    'under the lock of the storage');
like($text, qr/^config: scsi0 cache=none file=a:vm-200-disk-0 size=4096$/m, 'with what the drive had');
like($text, qr/^config: scsi1 file=a:vm-200-disk-1 size=4096$/m, 'but not how it was stored');
like($text, qr/^activated: $/m, 'no source needs a device');
unlike($text, qr/^copied: /m, 'and nothing is copied');
like($text, qr/^VM 200 is there.*\n.*copies in the background.*\n    > ontapnvme pending a$/m, 'it says what is left');
($text) = clone(a => [copy_progress => progress(100)]);
unlike($text, qr/background/, 'if anything');

subtest 'for programs' => sub {
    my ($json, $status) = clone(options => ['--output-format', 'json']);
    my ($last) = $json =~ /^(\{.*\})$/m;
    my $result = decode_json($last);
    is_deeply([schema_faults($result, schema_of('clone'))], [], 'it is as the schema says');
    is_deeply($result,
        { vmid => 200, disks => [{ storage => 'a', volume => 'vm-200-disk-0', percent => 0 }] }, 'the clone');
    my $silent = [copy_progress => { die => "storage 'a': no answer [timed-out]\n" }];
    ($json, $status) = clone(options => ['--output-format', 'json'], a => $silent);
    is($status, 0, 'how far it is cannot be told: the clone is there all the same');
    like($json, qr/no answer/, 'and the reason is told');
};

subtest 'of a snapshot' => sub {
    ($text, $code) = clone(options => ['--snapname', 's1']);
    is($code, 0, 'works');
    like($text, qr/^called: clone_vm vm-100-disk-0 s1 200$/m, 'with the disks that it has');
    like($text, qr/^task: .*snapname=s1/m, 'and its configuration');
    ($text, $code) = clone(options => ['--snapname', 's2']);
    is($code, 1, 'that is not there');
    like($text, qr/VM 100 has no snapshot 's2'/, 'is named');
    unlike($text, qr/^task: /m, 'before anything begins');
};

subtest 'a cloud-init drive' => sub {
    local $ENV{CONFIG} = $cloud_init;
    ($text, $code) = clone();
    is($code, 0, 'is no obstacle');
    like($text, qr/^copied: a:vm-100-cloudinit$/m, 'is made by Proxmox VE');
    like($text, qr/^called: clone_vm vm-100-disk-0 vm-100-disk-1 200$/m, 'not cloned');
};

subtest 'disks on other storages' => sub {
    local $ENV{CONFIG} = $ENV{CONFIG} =~ s/a:vm-100-disk-1/local:100\/x.qcow2/r;
    ($text, $code) = clone();
    is($code, 1, 'are refused');
    like($text, qr{'local:100/x\.qcow2' is on no storage of the type ontapnvme .*'qm clone' copies it}, 'by name');
    unlike($text, qr/^task: /m, 'before anything begins');
    $ENV{CONFIG} = '{"scsi0":"a:vm-100-disk-0","scsi1":"b:vm-100-disk-0"}';
    {
        local $ENV{RUNS} = 1;
        ($text, $code) = clone();
        like($text, qr/would not be of one moment; stop it, or clone one of its snapshots/, 'nor two of ours');
        is($code, 1, 'while it runs');
    }
    ($text, $code) = clone();
    is($code, 0, 'but a stopped VM has none that changes');
    like($text, qr/^config: scsi1 file=b:vm-200-disk-0 /m, 'each on its own storage');
    $ENV{CONFIG} = '{"ide2":"none,media=cdrom"}';
    ($text, $code) = clone();
    like($text, qr/it has no disks/, 'without a disk there is nothing to do');
};

subtest 'what fails' => sub {
    local $ENV{CONFIG} = '{"scsi0":"a:vm-100-disk-0","scsi1":"b:vm-100-disk-0"}';
    my $full = [clone_vm => { die => "storage 'b': the array is full [no-space]\n" }];
    ($text, $code) = clone(b => $full);
    is($code, 1, 'is a failure');
    like($text, qr/^freed: a:vm-200-disk-0$/m, 'of which Proxmox VE takes away what there is');
    like($text, qr/^cloning VM 100 failed: clone failed: .*the array is full \[no-space\]/m, 'with the reason');
};

done_testing();
