#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;

use JSON::PP qw(decode_json);
use Test::More;

use CommandTest qw(command guest_files schema_of schema_faults);

my sub disk ($volume, %more) {
    my ($vmid) = $volume =~ m{(?:vm|base)-([0-9]+)-[^/]*\z};
    return {
        volume_name => $volume, vmid => $vmid + 0, size_bytes => 4 << 30,
        create_time_s => time() - 10 * 86_400, %more,
    };
}
my sub storage (@disks) { return { list => \@disks, pending => [], told => { remove_abandoned => 1 } } }

my sub found ($cluster, $script) {
    local $ENV{CLUSTER} = $cluster;
    my ($text, $code) = command({ a => $script }, ['orphans', 'a', '--output-format', 'json']);
    my $result = decode_json($text);
    is_deeply([schema_faults($result, schema_of('orphans'))], [], 'it is as the schema says');
    return ([map { join(' ', $_->{kind}, $_->{volume} // ()) } $result->@*], $code, $result);
}

my %guests = (
    'pve1/qemu-server/100.conf' => "scsi0: a:vm-100-disk-0,size=4G\nunused0: a:vm-100-disk-1\n"
        . "[before]\nscsi0: a:vm-100-disk-0\nvmstate: a:vm-100-state-before\n",
    'pve2/lxc/101.conf' => "rootfs: a:vm-101-disk-0,size=4G\n",
    'pve2/qemu-server/102.conf' => "virtio0: a:base-103-disk-0/vm-102-disk-0,cache=none\n",
    'pve1/qemu-server/103.conf' => "template: 1\nscsi0: a:base-103-disk-0\n",
);
my @disks = map { disk($_) } qw(
    vm-100-disk-0 vm-100-disk-1 vm-100-state-before vm-101-disk-0 base-103-disk-0/vm-102-disk-0
    base-103-disk-0
);

my ($kinds, $code, $result) = found(guest_files(%guests), storage(@disks));
is_deeply($kinds, [], 'what stands in a configuration is no orphan');
is($code, 0, 'and nothing complains');

subtest 'a disk in no configuration' => sub {
    ($kinds, $code, $result) =
        found(guest_files(%guests), storage(@disks, disk('vm-100-disk-2'), disk('vm-999-disk-0')));
    is_deeply($kinds, ['unreferenced vm-100-disk-2', 'unreferenced vm-999-disk-0'], 'is one');
    is($code, 2, 'which is a warning');
    is($result->[0]{remedy}, 'qm disk rescan --vmid 100', 'a guest that is there can be given it');
    is($result->[1]{remedy}, 'pvesm free a:vm-999-disk-0', 'that of a guest that is gone can be deleted');
    is($result->[1]{size_bytes}, 4 << 30, 'with its size');

    ($kinds) = found(guest_files(%guests), storage(@disks, disk('vm-999-disk-0', create_time_s => time() - 60)));
    is_deeply($kinds, [], 'unless it was made a minute ago, perhaps by a task that still runs');

    ($kinds) = found(
        guest_files(%guests, 'pve1/qemu-server/100.conf' =>
            $guests{'pve1/qemu-server/100.conf'} =~ s/ a:vm-100-disk-1/ ba:vm-100-disk-1/r),
        storage(@disks),
    );
    is_deeply($kinds, ['unreferenced vm-100-disk-1'], 'a disk of another storage has another name');
};

subtest 'a disk that is not on the array' => sub {
    my @less = grep { $_->{volume_name} ne 'vm-100-disk-1' } @disks;
    my $gone = { storage(@less)->%*, info => { die => "storage 'a': no such volume [not-found, svm=pve]\n" } };
    ($kinds, $code, $result) = found(guest_files(%guests), $gone);
    is_deeply($kinds, ['missing vm-100-disk-1'], 'is missing when the array says so');
    is($result->[0]{vmid}, 100, 'with its guest');

    my $silent = { storage(@less)->%*, info => { die => "storage 'a': no answer [unavailable]\n" } };
    ($kinds, $code) = found(guest_files(%guests), $silent);
    is_deeply($kinds, ['unknown vm-100-disk-1'], 'and unknown when it does not');
    is($code, 1, 'which is a failure');

    ($kinds) = found(guest_files(%guests), { storage(@less)->%*, info => disk('vm-100-disk-1') });
    is_deeply($kinds, [], 'a list that leaves it out proves nothing');
};

subtest 'what is not seen is not missing' => sub {
    ($kinds, $code) = found(guest_files(%guests), { list => { die => "storage 'a': no answer [timed-out]\n" } });
    is_deeply($kinds, ['unknown'], 'an array that does not answer');
    is($code, 1, 'is a failure');
    my $empty = guest_files();
    rmdir($_) for map { ("$empty/nodes/$_/qemu-server", "$empty/nodes/$_/lxc", "$empty/nodes/$_") } qw(pve1 pve2);
    ($kinds) = found($empty, storage(@disks));
    is_deeply($kinds, ['unknown'], 'a cluster without nodes is none');
    my $half = guest_files(%guests);
    rmdir("$half/nodes/pve1/lxc");
    ($kinds) = found($half, storage(@disks));
    is_deeply($kinds, ['unknown'], 'nor is one of which a folder cannot be read');
};

subtest 'as text' => sub {
    local $ENV{CLUSTER} = guest_files(%guests);
    my ($text) = command(
        { a => { list => [@disks, disk('vm-999-disk-0')], pending => ['FlexVol x is empty'] } },
        ['orphans', 'a'],
    );
    is($text, <<~'END', 'a table with what to do');
        KIND          WHAT             SIZE     AGE      OWNER
        unreferenced  a:vm-999-disk-0  4.0 GiB  10 days  no guest
            there is no guest 999
            > pvesm free a:vm-999-disk-0
        unfinished    a                -        -        -
            FlexVol x is empty
            > ontapnvme orphans a --fix
        END
    ($text) = command({ a => storage(@disks) }, ['orphans', 'a']);
    is($text, "no disk is without a guest, and no guest without its disk\n", 'or that there are none');
};

subtest 'removing what is abandoned' => sub {
    local $ENV{CLUSTER} = guest_files(%guests, 'pve2/qemu-server/104.conf' => "# see a:notes\n");
    my $script = { storage(@disks)->%*, remove_abandoned => ['removed empty FlexVol x', 'left alone: y'] };
    my ($text, $code) = command({ a => $script }, ['orphans', 'a', '--fix', '--yes']);
    is($code, 0, 'is done') or diag($text);
    like($text, qr/^task: ontapnvmeorphans a root\@pam\nlocked: a\ncalled: remove_abandoned /m, 'in a task, under the lock of the storage');
    like($text, qr/^called: remove_abandoned base-103-disk-0 vm-100-disk-0 vm-100-disk-1 vm-100-state-before vm-101-disk-0 vm-102-disk-0$/m,
        'with all that a configuration names, also for a snapshot and as unused');
    like($text, qr/^a: removed empty FlexVol x\na: left alone: y$/m, 'and told');
    like($text, qr/^no disk is without a guest/m, 'then what remains is listed');

    ($text) = command({ a => { $script->%*, remove_abandoned => [] } }, ['orphans', 'a', '--fix', '--yes']);
    like($text, qr/^a: nothing is proven to be abandoned$/m, 'or that there is nothing');
    ($text, $code) = command({ a => $script }, ['orphans', 'a', '--fix']);
    like($text, qr/say so with --yes/, 'it has to be agreed to');
    unlike($text, qr/^task:/m, 'before anything is done');
    ($text) = command({ a => $script }, ['orphans', 'a', '--yes']);
    unlike($text, qr/^task:/m, 'and asked for');
};

subtest 'nothing is removed' => sub {
    my $script = { storage(@disks)->%*, remove_abandoned => { die => "storage 'a': not listed [conflict]\n" } };
    local $ENV{CLUSTER} = guest_files(%guests);
    my ($text, $code) = command({ a => $script }, ['orphans', 'a', '--fix', '--yes']);
    is($code, 1, 'where the library is in doubt');
    like($text, qr/removing what is abandoned on a failed: storage 'a': not listed/, 'which is told');
    $ENV{CLUSTER} = guest_files();
    ($text, $code) = command({ a => $script }, ['orphans', 'a', '--fix', '--yes']);
    is($code, 1, 'where no guest has a configuration');
    unlike($text, qr/^called:/m, 'and the library is not asked');
    my ($half) = guest_files(%guests) =~ /\A(.*)\z/;
    rmdir("$half/nodes/pve1/lxc");
    $ENV{CLUSTER} = $half;
    ($text, $code) = command({ a => $script }, ['orphans', 'a', '--fix', '--yes']);
    is($code, 1, 'where not all can be read');
    unlike($text, qr/^called:/m, 'likewise');
};

done_testing();
